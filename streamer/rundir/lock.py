"""The lock of a run directory: the process that writes there holds it until its end."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from filelock import lock_descriptor

from streamer.errors import UsageError
from streamer.rundir.paths import LOCK

IN_USE = "another run is being written there; give another directory"
TRIES, PAUSE_S = 5, 0.02
"""Attempts, and the pause between them: a process that only looks holds the lock for an instant."""


class RunLock:
    """The lock of a directory that exists, held. Where the file system has no locks, nothing is held.

    Raises UsageError when another process holds it, OSError when its file cannot be made.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK
        self._file = self._path.open("a+b")
        # A run that ends removes its file: the lock of a removed file excludes nobody.
        if not _locked(self._file) or not self._has_name():
            self._file.close()
            raise UsageError(f"--out {directory}: {IN_USE}")

    def release(self) -> None:
        """Removes the file, if it is still there, and releases the lock; may be called again."""
        if self._file.closed:
            return
        # A lock file is empty: one that is not is somebody else's, and stays.
        ours = self._has_name() and os.fstat(self._file.fileno()).st_size == 0
        if os.name == "nt":  # no open file can be removed there; elsewhere, the next run's could be after it
            self._file.close()
        if ours:
            with suppress(OSError):
                self._path.unlink()
        self._file.close()

    def _has_name(self) -> bool:
        return os.fstat(self._file.fileno()).st_nlink > 0


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock of a file; False without the file, and where that is not known."""
    try:
        # Over a network an exclusive lock needs a file that is open for writing.
        with path.open("r+b" if os.access(path, os.W_OK) else "rb") as file:
            return not _locked(file)
    except OSError:
        return False


def _locked(file: BinaryIO) -> bool:
    """Locks the file; False when another process holds its lock, True where the file system has none."""
    for _ in range(TRIES):
        try:
            if lock_descriptor(file.fileno(), blocking=False):
                return True
        except OSError:
            return True
        time.sleep(PAUSE_S)
    return False
