"""What this process takes of the machine, with the processes that it has started."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from streamer.machine.contention import throttled

_MB = 1024 * 1024
CANNOT_LOOK = (OSError, psutil.Error)
"""What is raised where the system does not let itself be looked at, or a process or a file cannot be dealt with."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Now: memory in MB, CPU seconds so far; what the system does not tell is None.

    ``children_mb`` is what the processes that it has started have resident. ``throttled`` counts how often its
    control group, or heat, has held the processor back.
    """

    resident_mb: float
    open_files: int | None
    threads: int
    cpu_s: float
    children_mb: float
    frequency_mhz: float | None
    throttled: int


def usage() -> Usage:
    """Reads it now. Takes a few milliseconds, for the children: all processes are looked at."""
    own = psutil.Process()
    with own.oneshot():
        cpu = own.cpu_times()
        resident, threads = own.memory_info().rss, own.num_threads()
        open_files = own.num_fds() if hasattr(own, "num_fds") else None
    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    return Usage(
        resident_mb=round(resident / _MB, 2),
        open_files=open_files,
        threads=threads,
        cpu_s=cpu.user + cpu.system,
        children_mb=round(sum(map(_resident, own.children(recursive=True))) / _MB, 2),
        frequency_mhz=round(frequency.current, 1) if frequency else None,
        throttled=throttled(),
    )


def resident_bytes() -> int:
    """What this process alone has in memory now."""
    return _resident(psutil.Process())


def _resident(child: psutil.Process) -> int:
    try:
        found: int = child.memory_info().rss
    except psutil.Error:  # it has ended meanwhile
        return 0
    return found
