"""A CSV file that grows by whole lines, and stays whole when the disk is full or the process is killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from streamer.errors import SinkError


class Reserve:
    """Disk space kept back, so that the ledger's last rows and the manifest can be written on a full disk.

    Raises OSError.
    """

    def __init__(self, path: Path, size: int = 1 << 20) -> None:
        self._path = path
        try:
            path.write_bytes(bytes(size))
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Frees the space; may be called again."""
        self._path.unlink(missing_ok=True)


@dataclass(slots=True)
class _File:
    """The file that is being written: its size in bytes, and its lines without the header."""

    descriptor: int
    size: int = 0
    lines: int = 0


class Table:
    """A CSV file: a header, then lines, each appended by one write of its own. Several threads may append.

    ``write`` writes them: `os.write`, or an injected fault. Raises SinkError and OSError.
    """

    def __init__(self, path: Path, header: str, reserve: Reserve) -> None:
        self.path = path
        self._header = header + "\n"
        self._reserve = reserve
        self._lock = Lock()
        self.write: Callable[[int, bytes], int] = os.write
        self._file = self._new_file()

    def append(self, lines: str) -> None:
        """Appends whole lines. Raises SinkError.

        On a full disk the reserve is released and the lines are written into its space; then SinkError is raised, so
        that the run ends with nothing lost.
        """
        with self._lock:
            self._append(self._file, lines.encode())
            self._file.lines += lines.count("\n")

    def cut(self, finished: Path) -> int:
        """Renames the file to ``finished`` and goes on in a new one; returns how many lines the old one has.

        Other threads do not wait for the disk meanwhile: they append to the old file until the new one is there.
        Raises SinkError.
        """
        try:
            self.path.rename(finished)
            fresh = self._new_file()
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {error.strerror}") from error
        with self._lock:
            self._file, old = fresh, self._file
        os.close(old.descriptor)
        return old.lines

    def _new_file(self) -> _File:
        file = _File(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666))
        self._append(file, self._header.encode())
        return file

    def _append(self, file: _File, encoded: bytes) -> None:
        failure = self._write(file, encoded)
        if failure is None:
            return
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            self._reserve.release()
            if self._write(file, encoded) is None:
                raise SinkError(f"disk full while writing {self.path}: free some space") from failure
        raise SinkError(f"cannot write {self.path}: {failure.strerror}") from failure

    def _write(self, file: _File, encoded: bytes) -> OSError | None:
        try:
            written = self.write(file.descriptor, encoded)
            if written < len(encoded):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            # Removes an incomplete line.
            os.ftruncate(file.descriptor, file.size)
            return error
        file.size += written
        return None

    def close(self) -> None:
        """Closes the file; may be called again."""
        if self._file.descriptor >= 0:
            os.close(self._file.descriptor)
            self._file.descriptor = -1
