"""Which frames are dropped: one for each that finds the queue full, and those no longer worth an inference."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import assert_never

from streamer.ledger.record import FrameRecord


class Policy(StrEnum):
    """What happens when a frame finds the queue full: see `dropped_place`. With ``wait`` the source is held back."""

    DROP_OLDEST = "drop-oldest"
    DROP_NEWEST = "drop-newest"
    WAIT = "wait"


def dropped_place(policy: Policy, held: int) -> int | None:
    """Which of the ``held`` frames is dropped for a new one, 0 being the oldest; None: the new one itself."""
    match policy:
        case Policy.DROP_OLDEST:
            return 0 if held else None
        case Policy.DROP_NEWEST | Policy.WAIT:
            return None
        case _:
            assert_never(policy)


QUEUE_FULL, STALE, PARTIAL = "queue_full", "stale", "partial"
"""Why a frame is dropped."""
RECENT = 101
"""How many recent service times the median is of."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """The effective rules: the age in us beyond which a frame is dropped, and whether partial slots are skipped."""

    max_age_us: int | None = None
    skip_partial: bool = False


class FreshnessCheck:
    """Decides which frames of one stream are too old, or in a partial slot. Times are microseconds of the run.

    Only the frame's age and what has been observed decide, never an announced rate: a rule on that rate can latch at
    one frame in many.
    """

    def __init__(self, rules: Freshness) -> None:
        self._rules = rules
        self._services: deque[int] = deque(maxlen=RECENT)
        self._last = 0
        self._interval = 0

    def ticked(self, scheduled: int) -> None:
        """Notes that a frame was due at ``scheduled``."""
        self._interval, self._last = scheduled - self._last, scheduled

    def served(self, service_us: int) -> None:
        """Notes the service time of a frame."""
        self._services.append(service_us)

    def reason(self, record: FrameRecord, now: int, *, more: bool) -> str | None:
        """Why the frame should be dropped ``now``; None: serve it. ``more`` says that others will come."""
        rules = self._rules
        if rules.max_age_us is not None and now - record.scheduled > rules.max_age_us:
            return STALE
        if rules.skip_partial and more and self._services and self._slot_is_partial(now):
            return PARTIAL
        return None

    def _slot_is_partial(self, now: int) -> bool:
        """The next frame's result would be there by the same tick as this one's, and fresher.

        The rule of "Towards Streaming Perception" (Li, Wang, Ramanan, 2020): counted in ticks from the next one,
        waiting costs nothing when both results come to the same tick.
        """
        if self._interval <= 0:
            return False
        until_next = self._last + self._interval - now
        if not 0 < until_next < self._interval:
            return False
        service = median(self._services)
        return _ticks(service - until_next, self._interval) >= _ticks(service, self._interval)


def _ticks(us: float, interval: int) -> int:
    """The number of the first tick at or after ``us`` from tick 0."""
    return int(-(-us // interval))
