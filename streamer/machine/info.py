"""The properties of this machine: cores, quota, governor, memory."""

from __future__ import annotations

import math
import os
import platform
import re
import sys
from collections.abc import Set
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypedDict, cast

from streamer.machine.cgroups import own_groups, quota

resource: ModuleType | None = None
with suppress(ImportError):  # Windows has none
    resource = import_module("resource")


class MachinePart(TypedDict):
    """The ``machine`` of the manifest, as `Machine` has it."""

    cpu: str | None
    """The name of the processor. Null when the system does not report it."""
    cores: int
    """Logical cores of the machine."""
    usable_cores: int
    """Cores that the process may use: those of its affinity, and no more than ``cpu_quota`` rounded up."""
    cpu_quota: float | None
    """The CPU that control groups allow the process, in cores. Null without a quota."""
    governor: str | None
    """The frequency governor of the first core, as in ``performance``. Null when the system does not report it."""
    memory_mb: int | None
    """Memory of the machine, in units of 1,048,576 bytes. Null when the system does not report it."""
    load: float | None
    """The load average of the last minute, when the machine was read. Null when the system has none."""
    system: str
    """The operating system: its name, release and architecture."""
    python: str
    """The version of Python."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine of a run; unknown properties are None.

    ``cpu_quota`` is the CPU that control groups allow, in cores. ``load`` is the one-minute load average at the time
    of reading.
    """

    cpu: str | None
    cores: int
    usable_cores: int
    cpu_quota: float | None
    governor: str | None
    memory_mb: int | None
    load: float | None
    system: str
    python: str

    def as_dict(self) -> MachinePart:
        """The machine's part of the manifest."""
        return cast(MachinePart, asdict(self))


def this_machine() -> Machine:
    """Reads the machine's state now."""
    return Machine(
        cpu=_cpu_name(),
        cores=os.cpu_count() or 1,
        usable_cores=usable_cores(),
        cpu_quota=quota(own_groups()),
        governor=_read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        memory_mb=memory_mb(),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
    )


def usable_cores() -> int:
    """The number of cores that this process may use: by its affinity, and at most its quota, rounded up."""
    allowed, worth = len(own_cores()), quota(own_groups())
    return allowed if worth is None else max(1, min(allowed, math.ceil(worth)))


def own_cores() -> Set[int]:
    """The numbers of the cores that this process may run on."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))


@cache
def spare_cores() -> float:
    """The cores that others may use while this process can still use up its quota; looked up once."""
    allowed, worth = len(own_cores()), quota(own_groups())
    return 0.0 if worth is None else max(0.0, allowed - worth)


def involuntary_switches() -> int:
    """The involuntary context switches of this process's threads so far; 0 where they are unknown."""
    switches: int = 0 if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    return switches


def resident_peak_mb() -> float | None:
    """This process's peak of resident memory, in MB; None where it is unknown."""
    status = _read("/proc/self/status") or ""
    if found := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
        # Not by getrusage: there a process starts with the peak of the one that started it.
        return round(int(found[1]) / 1024, 1)
    if resource is None:
        return None
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 if sys.platform != "darwin" else 1024 * 1024), 1)


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _cpu_name() -> str | None:
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.processor() or None


def lacks_vnni() -> bool:
    """Whether this is an x86 CPU without the instructions that sum products of bytes without overflow."""
    found = re.search(r"^flags\s*:(.*)$", _read("/proc/cpuinfo") or "", re.MULTILINE)
    return found is not None and not {"avx512_vnni", "avx_vnni"} & set(found[1].split())


def memory_mb() -> int | None:
    """The machine's memory, in MB; None where it is unknown."""
    import psutil  # here, so that an isolated engine need not import it

    try:
        return int(psutil.virtual_memory().total) // (1024 * 1024)
    except (OSError, ValueError, KeyError):
        return None
