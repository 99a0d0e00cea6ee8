"""What must not be left behind when the process ends at once; directories that something is made in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_open: list[Path] = []
_undoing: list[Callable[[], None]] = []


def undo_at_once(undo: Callable[[], None]) -> None:
    """Has ``undo`` called when the process ends at once, the last one first; it may come while others are at work."""
    _undoing.append(undo)


def undo_no_more(undo: Callable[[], None]) -> None:
    """Takes that back; does nothing the second time."""
    with suppress(ValueError):
        _undoing.remove(undo)


@contextmanager
def scratch_directory(prefix: str = "streamer-", parent: Path | None = None) -> Iterator[Path]:
    """A new directory in ``parent``, or where the system keeps temporary files; removed at the end.

    It may be renamed meanwhile: what was made in it then stays. Raises OSError when it cannot be made.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    _open.append(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _open.remove(folder)


def remove_scratch() -> None:
    """Removes those that are open, and undoes what is to be: for a process that ends without leaving its blocks."""
    for undo in reversed(list(_undoing)):
        undo()
    for folder in _open:
        shutil.rmtree(folder, ignore_errors=True)
