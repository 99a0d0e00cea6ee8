"""A CSV file that grows by whole lines, and stays whole when the disk is full or the process is killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from streamer.errors import SinkError


class Reserve:
    """Disk space held back, so that a ledger's tail and the manifest can be written when the disk is full."""

    def __init__(self, path: Path, size: int = 1 << 20) -> None:
        self._path = path
        try:
            path.write_bytes(bytes(size))
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Gives the space back; may be called again."""
        self._path.unlink(missing_ok=True)


class Table:
    """A CSV file: a header, then lines, each appended by one write of its own; several threads may.

    ``write`` is what writes them: `os.write`, or a fault on purpose.
    """

    def __init__(self, path: Path, header: str, reserve: Reserve) -> None:
        self.path = path
        self._header = header + "\n"
        self._reserve = reserve
        self._lock = Lock()
        self.write: Callable[[int, bytes], int] = os.write
        self._begin()

    def _begin(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        self._size = self._lines = 0
        self._append(self._header.encode())

    def append(self, lines: str) -> None:
        """Writes whole lines.

        On a full disk the reserve is released and the lines are written into its room; then SinkError is raised, so
        that the run ends with nothing lost.
        """
        with self._lock:
            self._append(lines.encode())
            self._lines += lines.count("\n")

    def cut(self, finished: Path) -> int:
        """Renames the file to ``finished`` and goes on in a new one; returns how many lines were in it.

        Raises SinkError.
        """
        with self._lock:
            lines = self._lines
            self.close()
            try:
                self.path.rename(finished)
                self._begin()
            except OSError as error:
                raise SinkError(f"cannot write {self.path}: {error.strerror}") from error
        return lines

    def _append(self, encoded: bytes) -> None:
        failure = self._write(encoded)
        if failure is None:
            return
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            self._reserve.release()
            if self._write(encoded) is None:
                raise SinkError(f"disk full while writing {self.path}: free some space") from failure
        raise SinkError(f"cannot write {self.path}: {failure.strerror}") from failure

    def _write(self, encoded: bytes) -> OSError | None:
        try:
            written = self.write(self._file, encoded)
            if written < len(encoded):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            # No line is left torn.
            os.ftruncate(self._file, self._size)
            return error
        self._size += written
        return None

    def close(self) -> None:
        """Closes the file; may be called again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
