"""What else happened on the machine while a run was measured: CPU taken by others, throttling, our own garbage.

The CPU is that of the cores that are ours: what others do on cores that we may not run on, or that our quota leaves
idle in any case, they take from nobody.

Sampled between frames, a few times a second: each sample tells of the time since the one before.
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
"""From so many cores' worth on, other processes count as having taken the CPU."""
STOLEN_CORES = 0.05
"""From so many cores' worth on, the hypervisor counts as having taken the CPU."""

REMEMBERED = 256
"""Noteworthy stretches: of a minute or more, at a few samples a second. Memory does not grow with the run."""

OTHERS, STOLEN = "CPU taken by other processes", "CPU taken by the hypervisor"
THROTTLED, COLLECTED = "CPU throttled", "garbage collected"
SUSPENDED = "the process suspended"


BUSY = ("user", "nice", "system", "irq", "softirq")
"""What a core does when it is busy, as far as the system tells these apart."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters so far: seconds of CPU time, and events. ``spare_s`` are those that others may take: we may not."""

    wall_s: float
    own_s: float
    busy_s: float
    stolen_s: float
    throttled: int
    collections: int
    spare_s: float = 0.0


def read_counters(collections: int, engine_s: float) -> Reading:
    """The machine's counters now; what it does not tell stays 0. ``engine_s`` is what an engine apart has taken."""
    busy, stolen = _cpu_seconds()
    now = time.monotonic()
    own = time.process_time() + engine_s
    return Reading(now, own, busy, stolen, throttled(), collections, spare_cores() * now)


class ContentionMeter:
    """Keeps the newest noteworthy stretches of a run, and who took how much CPU in all."""

    def __init__(self, first: Reading) -> None:
        self._first = self._last = first
        self._last_us = 0
        self._stretches: deque[tuple[int, int, tuple[str, ...]]] = deque(maxlen=REMEMBERED)

    def sampled(self, now_us: int, reading: Reading, *, suspended: bool = False) -> None:
        """The machine was at ``reading`` at ``now_us`` of the run.

        ``suspended``: the process was, since the last reading. From a process that does not run others take nothing.
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
        """The machine is at ``reading``, and what happened since the last one does not count."""
        passed = [now - before for now, before in zip(astuple(reading), astuple(self._last), strict=True)]
        self._first = Reading(*(count + more for count, more in zip(astuple(self._first), passed, strict=True)))
        self._last = reading

    def during(self, start_us: int, end_us: int) -> set[str]:
        """What happened between two instants of the run, not long ago."""
        found: set[str] = set()
        for begin, end, happened in reversed(self._stretches):
            if end <= start_us:
                break
            if begin < end_us:
                found.update(happened)
        return found

    @property
    def others_cores(self) -> float:
        """Cores' worth of CPU that other processes took over the run."""
        return _cores(self._first, self._last)[0]

    @property
    def stolen_cores(self) -> float:
        """Cores' worth of CPU that the hypervisor took over the run."""
        return _cores(self._first, self._last)[1]

    @property
    def throttled(self) -> int:
        """How often the CPU was throttled during the run, by its control group or by heat."""
        return self._last.throttled - self._first.throttled


def circumstances(before: Reading, after: Reading) -> tuple[str, ...]:
    """What of note happened between two readings."""
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
    """Busy and stolen CPU seconds of the cores that are ours, since the machine started."""
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

    By their numbers there: those that are switched off have no line.
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
"""How often it was too hot."""


def throttled() -> int:
    """Times that the control groups' quotas or the processor's heat held this process back."""
    heat = _text(HEAT).strip()
    return sum(group.throttled() for group in own_groups()) + (int(heat) if heat.isdigit() else 0)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
