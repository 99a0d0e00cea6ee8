"""Standard output and standard error, which may fail: a full disk, a reader that has ended, a lost terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Watched(io.TextIOWrapper):
    """Writes where ``stream`` does. Text that cannot be written is discarded, and ``failure`` says why.

    ``stream`` is None when its descriptor was closed at the start. This has a descriptor of its own.
    """

    def __init__(self, stream: Any) -> None:
        self.failure: str | None = None
        self._goes_to = None if stream is None else stream.fileno()
        # One that can only be read fails as a closed one does.
        self._own = os.open(os.devnull, os.O_RDONLY) if self._goes_to is None else os.dup(self._goes_to)
        # Python writes below, not our code: a signal that is raised in between would have text written twice.
        super().__init__(
            io.BufferedWriter(io.FileIO(self._own, "w")),
            encoding=getattr(stream, "encoding", "utf-8"),
            errors=getattr(stream, "errors", None),
            line_buffering=getattr(stream, "line_buffering", False),
        )

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._discard(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._discard(error)

    def forget(self) -> None:
        """From now on nothing is written, nor what is still buffered."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._own, inheritable=False)
        os.close(null)

    def _discard(self, error: OSError) -> None:
        self.failure = self.failure or error.strerror or str(error)
        self.forget()
        super().flush()
        if self._goes_to is not None:  # there may be room again for what comes next
            os.dup2(self._goes_to, self._own, inheritable=False)


@contextmanager
def watched_streams() -> Iterator[Watched]:
    """Standard output and standard error do not fail meanwhile; yields the first of the two."""
    _occupy()
    before = sys.stdout, sys.stderr
    for stream in before:
        with suppress(AttributeError, OSError):  # what is still buffered comes first
            stream.flush()
    sys.stdout, sys.stderr = out, err = Watched(before[0]), Watched(before[1])
    try:
        yield out
    finally:
        sys.stdout, sys.stderr = before
        for watched in (out, err):
            watched.forget()
            watched.close()


def _occupy() -> None:
    """Opens descriptors 0 to 2 that are closed: else the first file that is opened gets what libraries print."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free
