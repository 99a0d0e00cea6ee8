"""The clock: real here, virtual in the tests."""

from __future__ import annotations

import time
from typing import Protocol

import anyio

SPIN_US = 2_000
"""The first spin before an instant, in microseconds, until it is known how late this machine wakes up."""
LEAST_SPIN_US, MOST_SPIN_US = 300, 5_000
FORGET = 64
"""The number of waits after which an oversleep counts half, so that the spin also becomes shorter."""


class Clock(Protocol):
    """A monotonic clock in whole microseconds."""

    def now_us(self) -> int:
        """Now, in microseconds from an arbitrary start."""
        ...

    async def wait_until(self, instant_us: int) -> None:
        """Returns at ``instant_us`` or as soon as possible after it, never before. Always yields once."""
        ...


class MonotonicClock:
    """The system's monotonic clock; waiting sleeps, then spins over the event loop.

    ``spin_us`` is how long before the instant the spin starts: 1.5 times the worst recent oversleep.
    """

    def __init__(self) -> None:
        self.spin_us = SPIN_US
        self._oversleep_us = SPIN_US / 1.5
        self._most_us = MOST_SPIN_US

    def expect(self, frames_a_second: float) -> None:
        """Limits the spin to a quarter of the time between two frames, at ``frames_a_second`` in all.

        Otherwise the frames of many streams would spin all the time, beside the threads that serve them.
        """
        self._most_us = min(MOST_SPIN_US, round(1_000_000 / frames_a_second / 4))
        self.spin_us = min(self.spin_us, self._most_us)

    def now_us(self) -> int:
        return time.monotonic_ns() // 1_000

    async def wait_until(self, instant_us: int) -> None:
        start = self.now_us()
        pause_us = instant_us - start - self.spin_us
        await anyio.sleep(max(0, pause_us) / 1_000_000)
        if pause_us > 0:
            self._learn(self.now_us() - start - pause_us)
        while self.now_us() < instant_us:
            await anyio.sleep(0)

    def _learn(self, oversleep_us: int) -> None:
        self._oversleep_us = max(oversleep_us, self._oversleep_us * 0.5 ** (1 / FORGET))
        self.spin_us = min(max(round(self._oversleep_us * 1.5), LEAST_SPIN_US), self._most_us)
