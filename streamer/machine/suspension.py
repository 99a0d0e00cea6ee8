"""Stretches in which the process did not run: somebody stopped it (Ctrl-Z, SIGSTOP), or the machine slept.

No thread runs then. So a thread that does nothing but wake up finds a gap; and neither had the process taken CPU in
it, as it has where a runtime keeps Python's lock, nor had the thread waited for a core, as on a busy machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, get_native_id
from typing import TypedDict

from streamer.workers.threads import beside

TICK_US = 100_000
"""How often the thread wakes up; half of it is how exactly it knows when the process was stopped."""
LEAST_US = 500_000
"""A shorter stretch may be anything."""
MOST_CPU, MOST_WAITED = 0.1, 0.5
"""Of the gap, the CPU time that the process may take, and the time that the thread may wait for a core."""
MOST_LISTED = 1_000
"""Stretches that are told one by one: memory does not grow with the run."""


class SuspensionPart(TypedDict):
    """A stretch in which the process did not run."""

    at_ms: float
    """When it began, since the start of the run."""
    lasted_ms: float
    """How long it lasted."""
    asleep: bool
    """Whether the machine slept; then the clock of the run stood still. False when the process was stopped, as by
    Ctrl-Z, or the system does not report sleep."""


class SuspensionsPart(TypedDict):
    """The ``suspensions`` of ``resources``: the stretches in which the process did not run."""

    count: int
    """How many there were."""
    total_s: float
    """How long they lasted together."""
    longest_s: float
    """How long the longest one lasted."""
    each: list[SuspensionPart]
    """The first 1,000 of them. Empty when there were none."""


@dataclass(frozen=True, slots=True)
class Look:
    """The clocks, in microseconds, when the thread was awake.

    ``run_us`` is the time of the run, ``clock_us`` that of the system, which stands still while the machine sleeps,
    and ``boot_us`` one that does not. ``cpu_us`` is what the process has taken, and ``waited_us`` how long the
    thread has waited for a core.
    """

    run_us: int
    clock_us: int
    boot_us: int
    cpu_us: int
    waited_us: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """The process did not run for so long, from an instant of the run on."""

    at_us: int
    lasted_us: int
    asleep: bool

    def as_dict(self) -> SuspensionPart:
        """As the manifest holds it."""
        return {"at_ms": self.at_us / 1000, "lasted_ms": self.lasted_us / 1000, "asleep": self.asleep}


def between(before: Look, after: Look) -> Suspension | None:
    """The suspension between two looks; None where there was none, and while the run's time stands still."""
    passed, gap = after.run_us - before.run_us, after.clock_us - before.clock_us
    if passed < gap // 2:
        return None
    slept = after.boot_us - before.boot_us - gap
    if slept >= LEAST_US:
        return Suspension(before.run_us, slept, True)
    ran = after.cpu_us - before.cpu_us > MOST_CPU * gap
    queued = after.waited_us - before.waited_us > MOST_WAITED * gap
    if gap - TICK_US < LEAST_US or ran or queued:
        return None
    # It was stopped at some instant before the thread was to wake up.
    return Suspension(before.run_us + TICK_US // 2, gap - TICK_US // 2, False)


class Suspensions:
    """Finds them from `begin` to `end`. ``now_us`` reads the run's time."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._lock = Lock()
        self._ended = Event()
        self._idle = Event()
        self._idle.set()
        self._waits = -1
        self._last: Look | None = None
        self._count = self._total_us = self._longest_us = 0
        self._each: list[Suspension] = []

    def begin(self) -> None:
        """The run begins."""
        self._idle.clear()
        beside(self._watch)

    def end(self) -> None:
        """The run has ended; may be called again, and without `begin`."""
        self._ended.set()
        self._idle.wait()

    @property
    def count(self) -> int:
        """How many there were up to the last look."""
        return self._count

    def look(self) -> None:
        """Looks now, whatever thread it is that looked before."""
        with self._lock:
            before, self._last = self._last, self._look()
            found = None if before is None else between(before, self._last)
            if found is not None:
                self._count += 1
                self._total_us += found.lasted_us
                self._longest_us = max(self._longest_us, found.lasted_us)
                self._each.append(found)
                del self._each[MOST_LISTED:]

    def part(self) -> SuspensionsPart:
        """As the manifest holds them."""
        return {
            "count": self._count,
            "total_s": self._total_us / 1_000_000,
            "longest_s": self._longest_us / 1_000_000,
            "each": [one.as_dict() for one in self._each],
        }

    def _watch(self) -> None:
        with suppress(OSError):  # only Linux has it
            self._waits = os.open(f"/proc/self/task/{get_native_id()}/schedstat", os.O_RDONLY)
        self.look()
        while not self._ended.wait(TICK_US / 1_000_000):
            self.look()
        self.look()
        if self._waits >= 0:
            waits, self._waits = self._waits, -1
            os.close(waits)
        self._idle.set()

    def _look(self) -> Look:
        clock_us = time.monotonic_ns() // 1_000
        boot_us = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000 if hasattr(time, "CLOCK_BOOTTIME") else clock_us
        return Look(self._now_us(), clock_us, boot_us, time.process_time_ns() // 1_000, self._waited_us())

    def _waited_us(self) -> int:
        """How long the thread has been ready to run, and had no core; 0 where the system does not tell."""
        if self._waits < 0:
            return 0
        with suppress(OSError, ValueError, IndexError):
            return int(os.pread(self._waits, 128, 0).split()[1]) // 1_000
        return 0
