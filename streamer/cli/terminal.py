"""Where progress is shown."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import IO, Any, cast

from rich.console import Console


def progress_console(*, quiet: bool = False) -> Console:
    """Standard error, for what is shown while something goes on.

    When it goes away, as that of a lost connection does, or its disk is full, the work is not the worse for it.
    """
    return Console(file=cast(IO[str], _Lenient(sys.stderr)), quiet=quiet)


class _Lenient:
    """A text stream; what cannot be written is let go."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
