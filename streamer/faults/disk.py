"""A disk that suddenly is full: writing raises the system's error."""

from __future__ import annotations

import errno
import os
from io import FileIO
from pathlib import Path


class FullDisk:
    """Once it is ``full``, a video can write nothing more, and a table only into its reserve, after one failure."""

    def __init__(self) -> None:
        self.full = False
        self._refused = False

    def write(self, file: int, lines: bytes) -> int:
        """As `os.write`. Raises OSError (ENOSPC) once, for the first write after it is full."""
        if self.full and not self._refused:
            self._refused = True
            raise _no_space()
        return os.write(file, lines)

    def open(self, path: Path) -> FileIO:
        """A new file on it, whose `write` raises OSError (ENOSPC) once the disk is full."""
        return _File(path, self)


class _File(FileIO):
    """A file on that disk."""

    def __init__(self, path: Path, disk: FullDisk) -> None:
        super().__init__(path, "w")
        self._disk = disk

    def write(self, chunk: bytes | memoryview, /) -> int:  # type: ignore[override]
        if self._disk.full:
            raise _no_space()
        return super().write(chunk)


def _no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
