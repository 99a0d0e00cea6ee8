"""Stretches in which the process did not run: somebody stopped it (Ctrl-Z, SIGSTOP), or the machine slept.

No thread runs then, so a thread that only wakes up finds a gap. The process used no CPU in that gap, unlike when a
runtime keeps Python's lock. The thread did not wait for a core either, unlike on a busy machine.
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
"""The period in which the thread wakes up; the begin of a suspension is known to half of it."""
LEAST_US = 500_000
"""The shortest suspension that is recognized: a shorter gap may have other causes."""
MOST_CPU, MOST_WAITED = 0.1, 0.5
"""The largest shares of a suspension in which the process may use CPU, and the thread may wait for a core."""
MOST_LISTED = 1_000
"""The most suspensions that are listed one by one: memory does not grow with the run."""


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

    ``run_us`` is the time of the run. ``clock_us`` is the system's clock, which stands still while the machine
    sleeps, and ``boot_us`` one that does not. ``cpu_us`` is the CPU time that the process has used, and ``waited_us``
    how long the thread has waited for a core.
    """

    run_us: int
    clock_us: int
    boot_us: int
    cpu_us: int
    waited_us: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """A stretch in which the process did not run, in microseconds of the run."""

    at_us: int
    lasted_us: int
    asleep: bool

    def as_dict(self) -> SuspensionPart:
        """The suspension's part of the manifest."""
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
    """Finds the suspensions from `begin` to `end`. ``now_us`` reads the run's time."""

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
        """Begins to watch, on a thread of its own."""
        self._idle.clear()
        beside(self._watch)

    def end(self) -> None:
        """Ends the watch; may be called again, and without `begin`. Blocks until the thread has ended."""
        self._ended.set()
        self._idle.wait()

    @property
    def count(self) -> int:
        """The number of suspensions up to the last look."""
        return self._count

    def look(self) -> None:
        """Looks now; may be called from any thread."""
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
        """The suspensions' part of the manifest."""
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
        """How long the thread has waited for a core, in microseconds; 0 where it is unknown."""
        if self._waits < 0:
            return 0
        with suppress(OSError, ValueError, IndexError):
            return int(os.pread(self._waits, 128, 0).split()[1]) // 1_000
        return 0
