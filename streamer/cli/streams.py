"""Standard output and standard error, which may go away: a full disk, a reader that has ended, a lost terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Watched(io.TextIOWrapper):
    """Writes where a stream does; what cannot be written is let go, and ``failure`` says why.

    None stands for a stream whose descriptor came closed. It has a descriptor of its own.
    """

    def __init__(self, stream: Any) -> None:
        self.failure: str | None = None
        self._goes_to = None if stream is None else stream.fileno()
        # One that can only be read fails as a closed one does.
        self._own = os.open(os.devnull, os.O_RDONLY) if self._goes_to is None else os.dup(self._goes_to)
        # Python's own writing below, not ours: a signal that is raised in between would have text written twice.
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
            self._let_go(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._let_go(error)

    def forget(self) -> None:
        """Nothing is written any more: not what is still held either."""
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._own, inheritable=False)
        os.close(null)

    def _let_go(self, error: OSError) -> None:
        self.failure = self.failure or error.strerror or str(error)
        self.forget()
        super().flush()
        if self._goes_to is not None:  # there may be room again for what comes next
            os.dup2(self._goes_to, self._own, inheritable=False)


@contextmanager
def watched_streams() -> Iterator[Watched]:
    """Standard output and standard error fail no more meanwhile; yields the first of the two."""
    _occupy()
    before = sys.stdout, sys.stderr
    for stream in before:
        with suppress(AttributeError, OSError):  # what is still in it comes first
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
    """Takes descriptors that came closed: else the first file that is opened gets what libraries print."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free
