"""A disk that is full all of a sudden: the system says so to whoever writes."""

from __future__ import annotations

import errno
import os
from io import FileIO
from pathlib import Path


class FullDisk:
    """Once it is ``full`` nothing more goes into a video; a table has the room of its reserve after one failure."""

    def __init__(self) -> None:
        self.full = False
        self._refused = False

    def write(self, file: int, lines: bytes) -> int:
        """As `os.write`."""
        if self.full and not self._refused:
            self._refused = True
            raise _no_space()
        return os.write(file, lines)

    def open(self, path: Path) -> FileIO:
        """A new file on it."""
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
