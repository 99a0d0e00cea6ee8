"""The ledger: one record per scheduled frame, one outcome each, and the conservation law.

Stamps are whole microseconds since the run's origin. All figures are computed from these integers, so that they
can be computed again from ``frames.csv``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of a scheduled frame."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    DECODE_ERROR = "decode_error"
    SOURCE_ERROR = "source_error"
    ENGINE_ERROR = "engine_error"
    SINK_ERROR = "sink_error"
    ABANDONED = "abandoned"


@dataclass(slots=True, eq=False)
class FrameRecord:
    """The stamps and the outcome of one scheduled frame; a step that never happened is None.

    ``held_until`` is when the ``wait`` policy let go of the source, which no camera would be: lateness counts
    from there. ``switches`` counts how often the system took a core from one of our threads while it was detected.
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

    @property
    def lateness(self) -> int | None:
        """How late the source offered the frame, less what ``wait`` held it back: the harness's own error."""
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
        """From due to boxes usable."""
        return elapsed(self.scheduled, self.detected)

    @property
    def latency(self) -> int | None:
        """From due to written, end to end."""
        return elapsed(self.scheduled, self.written)

    @property
    def sink(self) -> int | None:
        """Time in the sink: drawing, encoding, writing."""
        return elapsed(self.sink_start, self.written)


def elapsed(start: int | None, end: int | None) -> int | None:
    """Microseconds from start to end, None if either never happened."""
    return None if start is None or end is None else end - start


class Watcher(Protocol):
    """Follows the records of a ledger."""

    def opened(self, record: FrameRecord) -> None:
        """A frame was scheduled."""

    def detected(self, record: FrameRecord) -> None:
        """A frame was detected."""

    def closed(self, record: FrameRecord) -> None:
        """A frame has its outcome."""


class Watchers:
    """Several watchers as one."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def opened(self, record: FrameRecord) -> None:
        for watcher in self._watchers:
            watcher.opened(record)

    def detected(self, record: FrameRecord) -> None:
        for watcher in self._watchers:
            watcher.detected(record)

    def closed(self, record: FrameRecord) -> None:
        for watcher in self._watchers:
            watcher.closed(record)


class Ledger:
    """Opens a record when a frame is scheduled, closes it with exactly one outcome, and keeps the counts.

    ``write`` takes every record as it is closed. Records are not kept: memory does not grow. A frame is late when its
    latency exceeds ``deadline_us``; none is when that is None. ``late`` and ``missed``, late or not delivered, count;
    ``outcomes`` counts over all streams, ``of_streams`` by stream.
    """

    def __init__(self, deadline_us: int | None, watcher: Watcher, write: Callable[[FrameRecord], None]) -> None:
        self._deadline_us = deadline_us
        self._watcher = watcher
        self._write = write
        self._open: dict[tuple[int, int], FrameRecord] = {}
        self.scheduled = 0
        self.late = 0
        self.missed = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.of_streams: Counter[tuple[int, Outcome]] = Counter()

    def open(self, record: FrameRecord) -> FrameRecord:
        """A frame has been scheduled."""
        self._open[record.stream, record.frame] = record
        self.scheduled += 1
        self._watcher.opened(record)
        return record

    def detected(self, record: FrameRecord) -> None:
        """The frame's boxes are usable."""
        self._watcher.detected(record)

    def close(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        """The frame has met its fate; a second one is a programming error (KeyError)."""
        del self._open[record.stream, record.frame]
        record.outcome, record.reason = outcome, reason
        latency = record.latency
        record.late = self._deadline_us is not None and latency is not None and latency > self._deadline_us
        self.outcomes[outcome] += 1
        self.of_streams[record.stream, outcome] += 1
        self.late += record.late
        self.missed += record.late or outcome is not Outcome.DELIVERED
        self._watcher.closed(record)
        self._write(record)

    def open_records(self) -> list[FrameRecord]:
        """Records without an outcome yet."""
        return list(self._open.values())

    @property
    def conserved(self) -> bool:
        """The conservation law: every scheduled frame has exactly one outcome."""
        return not self._open and self.scheduled == self.outcomes.total()
