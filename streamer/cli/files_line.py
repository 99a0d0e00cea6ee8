"""The line of a report that names the files of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def files_line(out: Path, names: Sequence[str], *others: str) -> str:
    """The directory ``out`` with those of the files ``names`` that are there, and then ``others``, as text."""
    return f"{out}/ {', '.join([*(name for name in names if (out / name).exists()), *others])}"
