"""The record of one scheduled frame: its stamps and its outcome.

Stamps are whole microseconds since the run's origin. All figures are computed from these integers, so that they
can be computed again from ``frames.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

AFTER_DAMAGE = "after_damage"
"""The reason of a delivered frame that may show damage."""


class Outcome(StrEnum):
    """The outcome of a scheduled frame."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    DECODE_ERROR = "decode_error"
    SOURCE_ERROR = "source_error"
    ENGINE_ERROR = "engine_error"
    SINK_ERROR = "sink_error"
    ABANDONED = "abandoned"


@dataclass(slots=True, eq=False)
class FrameRecord:
    """The stamps and the outcome of one scheduled frame, in microseconds of the run; None: the step never happened.

    ``pts`` is the frame's time in its source, in microseconds. ``held_until`` is when the ``wait`` policy released
    the source, which it can do to no camera: lateness counts from there. ``switches`` counts the involuntary context
    switches of our threads while the frame was detected. ``surest`` is the highest confidence of its ``detections``.
    """

    stream: int
    frame: int
    pts: int
    scheduled: int
    captured: int | None = None
    held_until: int = 0
    preprocess_start: int | None = None
    preprocess_end: int | None = None
    infer_start: int | None = None
    infer_end: int | None = None
    detected: int | None = None
    sink_start: int | None = None
    written: int | None = None
    outcome: Outcome | None = None
    reason: str = ""
    late: bool = False
    detections: int | None = None
    switches: int = 0
    surest: float = 0.0

    @property
    def last(self) -> int:
        """The last stamp of the record."""
        later = (self.written, self.sink_start, self.detected, self.infer_end, self.infer_start, self.preprocess_end)
        return next((us for us in (*later, self.preprocess_start, self.captured) if us is not None), self.scheduled)

    @property
    def lateness(self) -> int | None:
        """How late the source offered the frame, less the time that ``wait`` held it back: streamer's own error."""
        return None if self.captured is None else self.captured - max(self.scheduled, self.held_until)

    @property
    def preprocess(self) -> int | None:
        """Time in preprocess."""
        return elapsed(self.preprocess_start, self.preprocess_end)

    @property
    def infer(self) -> int | None:
        """Time in infer."""
        return elapsed(self.infer_start, self.infer_end)

    @property
    def postprocess(self) -> int | None:
        """Time in postprocess."""
        return elapsed(self.infer_end, self.detected)

    @property
    def service(self) -> int | None:
        """Service time: preprocess, infer and postprocess alone."""
        return elapsed(self.preprocess_start, self.detected)

    @property
    def result_latency(self) -> int | None:
        """Result latency: from due to usable boxes."""
        return elapsed(self.scheduled, self.detected)

    @property
    def latency(self) -> int | None:
        """Latency: from due to written."""
        return elapsed(self.scheduled, self.written)

    @property
    def sink(self) -> int | None:
        """Time in the sink: drawing, encoding, writing."""
        return elapsed(self.sink_start, self.written)


def elapsed(start: int | None, end: int | None) -> int | None:
    """Microseconds from start to end; None if either never happened."""
    return None if start is None or end is None else end - start
