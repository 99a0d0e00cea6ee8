"""What else happened on the machine while a run was measured: its CPU taken by others, throttling, our own garbage.

Sampled between frames, a few times a second: each sample tells of the time since the one before.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

OTHERS_CORES = 0.2
"""From so many cores' worth on, other processes count as having taken the CPU."""
STOLEN_CORES = 0.05
"""From so many cores' worth on, the hypervisor counts as having taken the CPU."""

REMEMBERED = 256
"""Noteworthy stretches: of a minute or more, at a few samples a second. Memory does not grow with the run."""

OTHERS, STOLEN = "CPU taken by other processes", "CPU taken by the hypervisor"
THROTTLED, COLLECTED = "CPU throttled", "garbage collected"


BUSY = ("user", "nice", "system", "irq", "softirq")
"""What a core does when it is busy, as far as the system tells these apart."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters so far: seconds of CPU time, and events."""

    wall_s: float
    own_s: float
    busy_s: float
    stolen_s: float
    throttled: int
    collections: int


def read_counters(collections: int, engine_s: float) -> Reading:
    """The machine's counters now; what it does not tell stays 0. ``engine_s`` is what an engine apart has taken."""
    busy, stolen = _cpu_seconds()
    return Reading(time.monotonic(), time.process_time() + engine_s, busy, stolen, throttled(), collections)


class Witness:
    """Keeps the newest noteworthy stretches of a run, and who took how much CPU in all."""

    def __init__(self, first: Reading) -> None:
        self._first = self._last = first
        self._last_us = 0
        self._stretches: deque[tuple[int, int, tuple[str, ...]]] = deque(maxlen=REMEMBERED)

    def sampled(self, now_us: int, reading: Reading) -> None:
        """The machine was at ``reading`` at ``now_us`` of the run."""
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
    others = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    return max(0.0, others / wall), max(0.0, (after.stolen_s - before.stolen_s) / wall)


def _cpu_seconds() -> tuple[float, float]:
    """Busy and stolen CPU seconds of the whole machine since it started."""
    try:
        times = psutil.cpu_times()._asdict()
    except (OSError, ValueError):
        return 0.0, 0.0
    return sum(times.get(name, 0.0) for name in BUSY), times.get("steal", 0.0)


HELD_BACK = (
    ("/sys/fs/cgroup/cpu.stat", "nr_throttled"),
    ("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", ""),
)
"""Files of counters, and how their lines begin."""


def throttled() -> int:
    """Times that the control group's quota or the processor's heat held this process back."""
    count = 0
    for path, key in HELD_BACK:
        try:
            text = Path(path).read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith(key) and line.split()[-1].isdigit():
                count += int(line.split()[-1])
    return count
