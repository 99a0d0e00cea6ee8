"""Time since the run's origin: the pipeline reads time, and runs blocking work, only through this."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from streamer.workers.clock import Clock
from streamer.workers.threads import Begun, Stage, UnderWay, Workers

T = TypeVar("T")


class RunTime:
    """The time since the run's origin, in whole microseconds, as all stamps have it."""

    def __init__(self, clock: Clock, workers: Workers) -> None:
        self._clock = clock
        self._workers = workers
        self._origin_us = 0
        self._stands_at_us: int | None = None

    def start(self, lead_us: int) -> None:
        """Puts the origin ``lead_us`` from now."""
        self._origin_us = self._clock.now_us() + lead_us

    def since_origin(self, clock_us: int) -> int:
        """A reading of the clock, in microseconds, as time of the run; not valid while that stands still."""
        return clock_us - self._origin_us

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stops the run's time meanwhile."""
        self._stands_at_us = self.now_us()
        try:
            yield
        finally:
            self._origin_us = self._clock.now_us() - self._stands_at_us
            self._stands_at_us = None

    def now_us(self) -> int:
        """The run's time now, in microseconds; for the event loop."""
        return self._clock.now_us() - self._origin_us if self._stands_at_us is None else self._stands_at_us

    def stamp(self) -> int:
        """The run's time now, in microseconds; for workers."""
        return self._clock.now_us() - self._origin_us

    async def wait_until(self, us: int) -> None:
        """Returns at ``us`` since the origin or as soon as possible after it, never before."""
        await self._clock.wait_until(self._origin_us + us)

    async def run(self, work: Callable[[], T], stage: Stage) -> T:
        """Runs the blocking ``work`` of a stage on a worker; returns its result or raises its error."""
        return await self._workers.run(work, stage)

    def begin(self, work: Callable[[], T], stage: Stage) -> Begun[T]:
        """Begins the blocking ``work`` of a stage on a worker."""
        return self._workers.begin(work, stage)

    def under_way_for(self, us: int) -> list[UnderWay]:
        """The work that has been under way for ``us`` microseconds or longer."""
        now = self._clock.now_us()
        return [work for work in self._workers.under_way() if now - work.since_us >= us]

    def give_up(self, work: UnderWay, error: Exception) -> None:
        """Abandons that work: its waiting caller gets the ``error``."""
        self._workers.give_up(work, error)
