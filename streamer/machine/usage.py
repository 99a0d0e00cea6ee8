"""What this process uses of the machine, with the processes that it has started."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from streamer.machine.contention import throttled

_MB = 1024 * 1024
CANNOT_LOOK = (OSError, psutil.Error)
"""The errors that are raised where usage cannot be read."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of this process now: memory in MB, CPU seconds so far; unknown figures are None.

    ``children_mb`` is the resident memory of the processes that it has started. ``throttled`` counts how often its
    control groups or heat have throttled the processor.
    """

    resident_mb: float
    open_files: int | None
    threads: int
    cpu_s: float
    children_mb: float
    frequency_mhz: float | None
    throttled: int


def usage() -> Usage:
    """Reads the usage now. Takes a few milliseconds, since it looks at all processes. Raises CANNOT_LOOK."""
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
    """The resident memory of this process alone, in bytes; 0 when it cannot be read."""
    return _resident(psutil.Process())


def _resident(child: psutil.Process) -> int:
    try:
        found: int = child.memory_info().rss
    except psutil.Error:  # it has ended meanwhile
        return 0
    return found
