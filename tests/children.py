"""Processes that streamer has started from this one, as the system knows them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import psutil

from streamer.workers.processes import PROGRAM


def there() -> list[int]:
    """The ids of those that have not ended."""
    found = []
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # a ZombieProcess is one as well
            if os.fspath(PROGRAM) in process.cmdline():
                found.append(process.pid)
    return found


def wait(process: int) -> None:
    """Returns when the process has ended. Its exit code is left for the process that started it."""
    with suppress(ChildProcessError):  # and has done so
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


def kill(process: int) -> None:
    """Ends it by a SIGKILL."""
    os.kill(process, signal.SIGKILL)
    wait(process)
