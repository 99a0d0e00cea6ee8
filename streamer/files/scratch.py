"""Clean-up when the process ends at once, and temporary directories that are always removed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_open: list[Path] = []
_undoing: list[Callable[[], None]] = []


def undo_at_once(undo: Callable[[], None]) -> None:
    """Calls ``undo`` when the process ends at once, the last one first; other threads may be at work then."""
    _undoing.append(undo)


def undo_no_more(undo: Callable[[], None]) -> None:
    """Withdraws ``undo``; may be called again."""
    with suppress(ValueError):
        _undoing.remove(undo)


@contextmanager
def scratch_directory(prefix: str = "streamer-", parent: Path | None = None) -> Iterator[Path]:
    """A new directory in ``parent``, or where the system keeps temporary files; removed at the end.

    A directory that is renamed meanwhile stays. Raises OSError when it cannot be made.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    _open.append(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _open.remove(folder)


def remove_scratch() -> None:
    """Calls what `undo_at_once` registered, and removes the open directories; for a process that ends at once."""
    for undo in reversed(list(_undoing)):
        undo()
    for folder in _open:
        shutil.rmtree(folder, ignore_errors=True)
