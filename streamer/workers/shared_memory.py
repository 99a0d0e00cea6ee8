"""Memory that a process shares with its children, without a name that could outlive them."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from mmap import mmap
from typing import IO, Any
from weakref import finalize

if sys.platform == "win32":
    from uuid import uuid4
else:
    import fcntl

ABOVE_STANDARD = 3
"""The first file number after those of standard input, output and error."""


class SharedMemory:
    """``size`` bytes, shared with a child that is started with this as an argument: it gets a ``mmap`` of them.

    The bytes are freed with the last process that has them, however that ends. Raises OSError.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.numbers: tuple[int, ...] = ()
        """The file numbers by which a child maps the memory."""
        if sys.platform == "win32":
            self._handle: Any = f"streamer-{uuid4().hex}"
            self.bytes = mmap(-1, size, tagname=self._handle)
        else:
            self._handle = _file_of(size)
            self.numbers = (self._handle,)
            finalize(self, os.close, self._handle)
            self.bytes = mmap(self._handle, size)
        # Never closed, only released: NumPy does not keep a map open in which it has an array.

    def __reduce__(self) -> tuple[Any, ...]:
        return _in_the_child, (self._handle, self._size)


def _in_the_child(handle: Any, size: int) -> mmap:
    if sys.platform == "win32":
        return mmap(-1, size, tagname=handle)
    try:
        return mmap(handle, size)
    finally:
        os.close(handle)


if sys.platform != "win32":

    def above_standard(number: int) -> int:
        """A copy of a file number, above those of a child's standard input, output and error."""
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, ABOVE_STANDARD)

    def _file_of(size: int) -> int:
        """The number of a file without a name, with ``size`` bytes, all of them 0."""
        with _nameless() as file:
            file.truncate(size)
            return above_standard(file.fileno())

    def _nameless() -> IO[bytes]:
        if hasattr(os, "memfd_create"):  # in memory, whatever the folder for temporary files is on
            with suppress(PermissionError):  # a hardened system refuses it
                return open(os.memfd_create("streamer"), "r+b", buffering=0)
        return tempfile.TemporaryFile(buffering=0)
