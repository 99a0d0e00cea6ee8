"""The ledger: one record per scheduled frame, one outcome each, and the conservation law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from streamer.ledger.decode_errors import DecodeErrors
from streamer.ledger.record import AFTER_DAMAGE, FrameRecord, Outcome


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
    latency exceeds ``deadline_us``; None: no frame is late. ``late`` counts late frames, ``missed`` those late or not
    delivered, ``outcomes`` all frames by outcome, ``of_streams`` by stream and outcome. ``decode_errors`` and
    ``drop_reasons`` count by reason; ``after_damage`` counts delivered frames that may show damage. ``last_us`` is
    the last stamp of all, in microseconds of the run.
    """

    def __init__(self, deadline_us: int | None, watcher: Watcher, write: Callable[[FrameRecord], None]) -> None:
        self._deadline_us = deadline_us
        self._watcher = watcher
        self._write = write
        self._open: dict[tuple[int, int], FrameRecord] = {}
        self.scheduled = 0
        self.late = 0
        self.missed = 0
        self.after_damage = 0
        self.drop_reasons: Counter[str] = Counter()
        self.last_us = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.of_streams: Counter[tuple[int, Outcome]] = Counter()
        self.decode_errors = DecodeErrors()

    def open(self, record: FrameRecord) -> FrameRecord:
        """Opens the record of a frame that has been scheduled, and returns it."""
        self._open[record.stream, record.frame] = record
        self.scheduled += 1
        self._watcher.opened(record)
        return record

    def detected(self, record: FrameRecord) -> None:
        """Passes on to the watcher that the frame's boxes are usable."""
        self._watcher.detected(record)

    def close(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        """Closes a record with its outcome. A second outcome is a programming error and raises KeyError."""
        del self._open[record.stream, record.frame]
        record.outcome, record.reason = outcome, reason
        latency = record.latency
        record.late = self._deadline_us is not None and latency is not None and latency > self._deadline_us
        self.outcomes[outcome] += 1
        self.of_streams[record.stream, outcome] += 1
        self.late += record.late
        self.missed += record.late or outcome is not Outcome.DELIVERED
        self.after_damage += outcome is Outcome.DELIVERED and reason == AFTER_DAMAGE
        self.last_us = max(self.last_us, record.last)
        if outcome is Outcome.DROPPED:
            self.drop_reasons[reason] += 1
        elif outcome is Outcome.DECODE_ERROR:
            self.decode_errors.count(record.stream, record.frame, reason)
        self._watcher.closed(record)
        self._write(record)

    def open_records(self) -> list[FrameRecord]:
        """The records without an outcome yet."""
        return list(self._open.values())

    @property
    def conserved(self) -> bool:
        """Whether the conservation law holds: every scheduled frame has exactly one outcome."""
        return not self._open and self.scheduled == self.outcomes.total()
