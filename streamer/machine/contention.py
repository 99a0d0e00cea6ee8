"""What else happened on the machine during a run: CPU used by others, throttling, garbage collection.

Only the CPU of this process's cores counts. The use of cores on which it may not run, or which its quota leaves idle
in any case, is no contention.

The counters are sampled between frames, a few times a second. A sample covers the time since the one before.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Set
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

from streamer.machine.cgroups import own_groups
from streamer.machine.info import own_cores, spare_cores

OTHERS_CORES = 0.2
"""The CPU used by other processes, in cores, from which on it is a circumstance."""
STOLEN_CORES = 0.05
"""The CPU used by the hypervisor, in cores, from which on it is a circumstance."""

REMEMBERED = 256
"""Stretches kept: a minute or more, at a few samples a second. Memory does not grow with the run."""

OTHERS, STOLEN = "CPU taken by other processes", "CPU taken by the hypervisor"
THROTTLED, COLLECTED = "CPU throttled", "garbage collected"
SUSPENDED = "the process suspended"


BUSY = ("user", "nice", "system", "irq", "softirq")
"""The kinds of busy CPU time, as far as the system distinguishes them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters so far: seconds of CPU time, and events. ``spare_s`` is CPU time that our quota leaves to others."""

    wall_s: float
    own_s: float
    busy_s: float
    stolen_s: float
    throttled: int
    collections: int
    spare_s: float = 0.0


def read_counters(collections: int, engine_s: float) -> Reading:
    """The machine's counters now; unknown ones are 0. ``engine_s`` is the CPU time used by an isolated engine."""
    busy, stolen = _cpu_seconds()
    now = time.monotonic()
    own = time.process_time() + engine_s
    return Reading(now, own, busy, stolen, throttled(), collections, spare_cores() * now)


class ContentionMeter:
    """Keeps the newest stretches of a run with circumstances, and how much CPU others used in all."""

    def __init__(self, first: Reading) -> None:
        self._first = self._last = first
        self._last_us = 0
        self._stretches: deque[tuple[int, int, tuple[str, ...]]] = deque(maxlen=REMEMBERED)

    def sampled(self, now_us: int, reading: Reading, *, suspended: bool = False) -> None:
        """Takes the counters' ``reading`` at ``now_us`` of the run.

        ``suspended`` says that the process was, since the last reading. The CPU that others used then does not count.
        """
        if suspended:
            self.resumed(reading)
            happened: tuple[str, ...] = (SUSPENDED,)
        else:
            before, self._last = self._last, reading
            happened = circumstances(before, reading)
        if happened and self._stretches and self._stretches[-1][1:] == (self._last_us, happened):
            self._stretches[-1] = (self._stretches[-1][0], now_us, happened)
        elif happened:
            self._stretches.append((self._last_us, now_us, happened))
        self._last_us = now_us

    def resumed(self, reading: Reading) -> None:
        """Takes a ``reading``, and leaves out what happened since the last one."""
        passed = [now - before for now, before in zip(astuple(reading), astuple(self._last), strict=True)]
        self._first = Reading(*(count + more for count, more in zip(astuple(self._first), passed, strict=True)))
        self._last = reading

    def during(self, start_us: int, end_us: int) -> set[str]:
        """The circumstances between two instants of the run, as long as their stretches are kept."""
        found: set[str] = set()
        for begin, end, happened in reversed(self._stretches):
            if end <= start_us:
                break
            if begin < end_us:
                found.update(happened)
        return found

    @property
    def others_cores(self) -> float:
        """The CPU that other processes used over the run, in cores."""
        return _cores(self._first, self._last)[0]

    @property
    def stolen_cores(self) -> float:
        """The CPU that the hypervisor used over the run, in cores."""
        return _cores(self._first, self._last)[1]

    @property
    def throttled(self) -> int:
        """How often the CPU was throttled during the run, by its control group or by heat."""
        return self._last.throttled - self._first.throttled


def circumstances(before: Reading, after: Reading) -> tuple[str, ...]:
    """The circumstances between two readings."""
    others, stolen = _cores(before, after)
    noted = (
        (OTHERS, others >= OTHERS_CORES),
        (STOLEN, stolen >= STOLEN_CORES),
        (THROTTLED, after.throttled > before.throttled),
        (COLLECTED, after.collections > before.collections),
    )
    return tuple(name for name, happened in noted if happened)


def _cores(before: Reading, after: Reading) -> tuple[float, float]:
    wall = after.wall_s - before.wall_s
    if wall <= 0:
        return 0.0, 0.0
    others = (after.busy_s - before.busy_s) - (after.own_s - before.own_s) - (after.spare_s - before.spare_s)
    return max(0.0, others / wall), max(0.0, (after.stolen_s - before.stolen_s) / wall)


def _cpu_seconds() -> tuple[float, float]:
    """Busy and stolen CPU seconds of this process's cores, since the machine started."""
    cores = own_cores()
    if STAT.is_file() and len(cores) < (os.cpu_count() or 1):
        return of_cores(_text(STAT), cores, os.sysconf("SC_CLK_TCK"))
    try:
        times = psutil.cpu_times()._asdict()
    except (OSError, ValueError):
        return 0.0, 0.0
    return sum(times.get(name, 0.0) for name in BUSY), times.get("steal", 0.0)


STAT = Path("/proc/stat")


def of_cores(stat: str, cores: Set[int], ticks_a_second: int) -> tuple[float, float]:
    """Busy and stolen seconds of some ``cores``, from the text of /proc/stat.

    Cores are found by number: those that are switched off have no line.
    """
    busy = stolen = 0
    for line in stat.splitlines():
        name, *fields = line.split()
        number = name.removeprefix("cpu")
        if not number.isdigit() or int(number) not in cores:
            continue
        counts = [int(field) for field in fields]
        user, nice, system, _, _, irq, softirq, steal = (counts + [0] * 8)[:8]
        busy += user + nice + system + irq + softirq
        stolen += steal
    return busy / ticks_a_second, stolen / ticks_a_second


HEAT = Path("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count")
"""The file that counts how often the processor was too hot."""


def throttled() -> int:
    """How often the control groups' quotas or the processor's heat throttled this process."""
    heat = _text(HEAT).strip()
    return sum(group.throttled() for group in own_groups()) + (int(heat) if heat.isdigit() else 0)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
