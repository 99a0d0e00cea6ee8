"""Time and threads as the pipeline sees them: real here, virtual in the tests.

The pipeline reads time and runs blocking work only through these two, so that the same code runs in virtual time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol, TypeVar

import anyio
import anyio.to_thread

T = TypeVar("T")

SPIN_US = 2_000
"""How long before an instant sleeping ends and spinning starts: timers of an event loop are up to 1.5 ms late."""


class Clock(Protocol):
    """A monotonic clock in whole microseconds."""

    def now_us(self) -> int:
        """Now, from an arbitrary start."""
        ...

    async def wait_until(self, instant_us: int) -> None:
        """Returns at ``instant_us`` or as soon after it as can be; never before. Always yields once."""
        ...


class Workers(Protocol):
    """Runs blocking work beside the event loop."""

    def now_us(self) -> int:
        """Now, as seen by the work that is being run."""
        ...

    async def run(self, work: Callable[[], T], stage: str) -> T:
        """Runs the ``work`` of a stage on a worker and returns its result, or raises its error."""
        ...


class MonotonicClock:
    """The system's monotonic clock; waiting sleeps, then spins over the event loop."""

    def now_us(self) -> int:
        return time.monotonic_ns() // 1_000

    async def wait_until(self, instant_us: int) -> None:
        remaining = instant_us - self.now_us()
        await anyio.sleep(max(0, remaining - SPIN_US) / 1_000_000)
        while self.now_us() < instant_us:
            await anyio.sleep(0)


class Threads:
    """Worker threads, ``count`` of them. They also keep the CPU time that each stage took on them."""

    def __init__(self, clock: Clock, count: int) -> None:
        self._clock = clock
        self._limiter = anyio.CapacityLimiter(count)
        self._cpu_ns: Counter[str] = Counter()

    @property
    def cpu_s(self) -> dict[str, float]:
        """CPU seconds by stage, so far; threads that a runtime starts by itself are not in it."""
        return {stage: round(ns / 1e9, 3) for stage, ns in self._cpu_ns.items()}

    def now_us(self) -> int:
        return self._clock.now_us()

    async def run(self, work: Callable[[], T], stage: str) -> T:
        return await anyio.to_thread.run_sync(self._timed, work, stage, limiter=self._limiter)

    def _timed(self, work: Callable[[], T], stage: str) -> T:
        start = time.thread_time_ns()
        try:
            return work()
        finally:
            self._cpu_ns[stage] += time.thread_time_ns() - start


class RunTime:
    """Time since the run's origin, in whole microseconds: what all stamps are."""

    def __init__(self, clock: Clock, workers: Workers) -> None:
        self._clock = clock
        self._workers = workers
        self._origin_us = 0

    def start(self, lead_us: int) -> None:
        """Puts the origin ``lead_us`` from now."""
        self._origin_us = self._clock.now_us() + lead_us

    def now_us(self) -> int:
        """Now, in the event loop."""
        return self._clock.now_us() - self._origin_us

    def stamp(self) -> int:
        """Now, on a worker."""
        return self._workers.now_us() - self._origin_us

    async def wait_until(self, us: int) -> None:
        """Returns at ``us`` since the origin or as soon after it as can be; never before."""
        await self._clock.wait_until(self._origin_us + us)

    async def run(self, work: Callable[[], T], stage: str) -> T:
        """Runs the blocking ``work`` of a stage on a worker."""
        return await self._workers.run(work, stage)
