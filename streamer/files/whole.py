"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from streamer.errors import SinkError


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all. Raises SinkError."""
    with replacing(path) as scratch:
        scratch.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside ``path``, which replaces it when the block ends, and is removed when the block fails.

    Raises SinkError for an OSError.
    """
    names = (path.with_name(f"{path.name}.writing{'' if number == 1 else f'-{number}'}") for number in count(1))
    scratch = next(name for name in names if not os.path.lexists(name))  # an existing file may be anybody's
    try:
        yield scratch
        scratch.replace(path)
    except BaseException as error:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SinkError(f"cannot write {path}: {error.strerror}") from error
        raise


@contextmanager
def making(directory: Path) -> Iterator[None]:
    """Makes a directory, with its parents; when the block fails, removes those it made that are empty.

    Raises OSError when it cannot be made.
    """
    made = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        with suppress(OSError):
            for folder in made:
                folder.rmdir()
        raise
