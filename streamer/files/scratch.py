"""Directories that something is made in: gone when that is done, and when the process ends at once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_open: list[Path] = []


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
    """Removes those that are open: for a process that ends without leaving its ``with`` blocks."""
    for folder in _open:
        shutil.rmtree(folder, ignore_errors=True)
