"""Whether a study may write into a directory: only files of an earlier study are written over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from streamer.errors import UsageError
from streamer.rundir.written import first_bytes, is_own_chart, is_own_document

_KNOWN_BY = 3
"""The number of columns by which a table is recognized: an older one may lack some of the others."""


def of_study(stem: str, columns: str) -> Callable[[Path], dict[str, bool]]:
    """A check of ``<stem>.csv``, ``.json`` and ``.png`` in a directory: by name, whether a study has written them."""

    def ours(out: Path) -> dict[str, bool]:
        return {
            f"{stem}.csv": is_own_table(out / f"{stem}.csv", columns),
            f"{stem}.json": is_own_document(out / f"{stem}.json"),
            f"{stem}.png": is_own_chart(out / f"{stem}.png"),
        }

    return ours


def refuse_others(out: Path, ours: Mapping[str, bool]) -> None:
    """Raises UsageError when a file of one of these names is there that is not ``ours``."""
    for name, own in ours.items():
        if (out / name).exists() and not own:
            raise UsageError(
                f"--out {out}: {name} there is not of an earlier study, and would be written over; "
                "move it, or give another directory"
            )


def is_own_table(path: Path, columns: str) -> bool:
    """Whether a file is a table of these columns, by its header line."""
    header = first_bytes(path).split(b"\n")[0].decode("utf-8", "replace")
    return header.split(",")[:_KNOWN_BY] == columns.split(",")[:_KNOWN_BY]
