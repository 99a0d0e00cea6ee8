"""The canary: a frame that is inferred again and again, outside the ledger. Its detections must stay the same."""

from __future__ import annotations

from collections.abc import Callable

from streamer.detection.detections import Detections
from streamer.frame import Frame
from streamer.ledger.record import FrameRecord
from streamer.pipeline.detector import Detector


class Canary:
    """A frame that is inferred every ``every_us``; ``tell`` takes its detections, on the engine's worker."""

    def __init__(self, frame: Frame, every_us: int, tell: Callable[[Detections], None]) -> None:
        self._frame = frame
        self._every_us = every_us
        self._tell = tell
        self._due_us = every_us // 2  # in the middle of windows of that length, not at their edges

    def is_due(self, now_us: int, *, idle: bool) -> bool:
        """Whether it is to be inferred now. An engine that is never ``idle`` does it half a period late."""
        late_us = now_us - self._due_us
        if late_us < 0 or (not idle and late_us < self._every_us // 2):
            return False
        self._due_us += self._every_us * (1 + late_us // self._every_us)
        return True

    def look(self, detector: Detector) -> None:
        """Infers it. Blocks. Raises EngineError."""
        self._tell(detector.detect(self._frame, FrameRecord(self._frame.stream, self._frame.index, 0, 0)))
