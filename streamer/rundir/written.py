"""The files of a run directory that are streamer's: those with a name of ours that a run there has written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from streamer.rundir.paths import (
    BEGUN,
    CHART_FILE,
    DATA_FILES,
    LOCK,
    MANIFEST,
    PASSING_FILES,
    SEGMENT,
    VIDEO_OF_STREAM,
    WRITTEN,
)
from streamer.workers.defects import TRACEBACK

HEADING = "# What a run of streamer's writes here. It goes with the end of the run."
FIRST_WORD = b"streamer "
"""The first bytes of a traceback of ours."""
_FIRST_BYTES = 4096


class Written:
    """The list of the files that a run writes into its directory: a line each, written before the file.

    After a kill it distinguishes the run's files from those of others.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: set[str] = set()

    def claim(self, names: Collection[str]) -> bool:
        """Adds names to the list; adds none, and returns False, when one of them is a file that is not the run's.

        Raises OSError.
        """
        new = [name for name in names if name not in self._names]
        if any(os.path.lexists(self._directory / name) for name in new):
            return False
        path = self._directory / WRITTEN
        heading = [] if path.exists() else [HEADING]
        with path.open("ab") as file:
            file.write("".join(f"{line}\n" for line in (*heading, *new)).encode())
        self._names.update(new)
        return True


def written_in(directory: Path) -> frozenset[str]:
    """The names of the files that a run has written into a directory; some may be gone by now."""
    finished, begun = _document(directory / MANIFEST), _document(directory / BEGUN)
    names = {name for name, found in ((MANIFEST, finished), (BEGUN, begun)) if found is not None}
    listed = _listed(directory / WRITTEN)
    if finished is not None and isinstance(finished.get("files"), dict):
        names |= set(finished["files"])
    elif listed is None:  # an older streamer kept no list
        names |= _of_older(directory, begun if finished is None else finished)
    if listed is not None:
        names |= listed | {WRITTEN}
    elif begun is not None:
        names |= set(PASSING_FILES)
    names = {name for name in names if _may_be_ours(name)} | _by_content(directory)
    return frozenset(names - {LOCK}) | ({LOCK} if _is_lock(directory / LOCK) else set())


def _listed(path: Path) -> set[str] | None:
    """The names in a list of ours; None without one."""
    with suppress(OSError, UnicodeDecodeError):
        heading, *names = path.read_text(encoding="utf-8").split("\n")
        if heading == HEADING:
            return set(names)
    return None


def _of_older(directory: Path, document: Mapping[str, Any] | None) -> set[str]:
    """The names that a run of an older streamer may have written, by its document."""
    if document is None:
        return set()
    names = set(DATA_FILES)
    with suppress(TypeError, KeyError):
        names |= {f"annotated-{number}.mp4" for number in range(len(document["streams"]))}
    if document.get("pieces") is not None:
        names |= {name for name in os.listdir(directory) if SEGMENT.fullmatch(name)}
    return names


def _may_be_ours(name: str) -> bool:
    """Whether the name has a form of ours: others are never the run's, even in a list."""
    return name in (*DATA_FILES, *PASSING_FILES, MANIFEST) or any(
        form.fullmatch(name) for form in (SEGMENT, VIDEO_OF_STREAM)
    )


def _by_content(directory: Path) -> set[str]:
    """The files that are written after the manifest, or in a failure: they are in no list, but have a mark."""
    marks = ((CHART_FILE, is_own_chart), (TRACEBACK, lambda path: first_bytes(path).startswith(FIRST_WORD)))
    return {name for name, is_ours in marks if is_ours(directory / name)}


def _is_lock(path: Path) -> bool:
    """Whether the file is empty, as a lock is."""
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def is_own_chart(path: Path) -> bool:
    """Whether the file is a chart that streamer has drawn, by the mark in its head."""
    head = first_bytes(path)
    return head.startswith(b"\x89PNG") and b"tEXtSoftware\0streamer" in head


def is_own_document(path: Path) -> bool:
    """Whether the file is a JSON document that streamer has written."""
    return _document(path) is not None


def first_bytes(path: Path) -> bytes:
    """The first bytes of a file, up to 4,096; none when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_FIRST_BYTES)
    except OSError:
        return b""


def _document(path: Path) -> dict[str, Any] | None:
    """The content of a JSON document of streamer's; None for other and for missing files."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    ours = isinstance(found, dict) and (not found or "streamer" in found or "files" in found)
    return found if ours else None


def segments_of(path: Path) -> list[Path]:
    """The finished segments of a file that are there, in their order; those of tables may be compressed."""
    form = re.compile(rf"{re.escape(path.stem)}\.\d{{4,}}{re.escape(path.suffix)}(\.gz)?", re.ASCII)
    names = [name for name in written_in(path.parent) if form.fullmatch(name)]
    return sorted((there for name in names if (there := path.with_name(name)).exists()), key=_order)


def _order(path: Path) -> tuple[int, str]:
    return segment_number(path), path.name


def segment_number(path: Path) -> int:
    """The number of a finished segment, from its name."""
    return int(path.name.split(".")[1])


def own_files(directory: Path) -> list[Path]:
    """The files of a run that are in a directory, except its lock."""
    names = sorted(written_in(directory) - {LOCK})
    return [directory / name for name in names if os.path.lexists(directory / name)]


def data_files(directory: Path) -> list[Path]:
    """The files of a run that have its data."""
    passing = (*PASSING_FILES, MANIFEST, CHART_FILE, TRACEBACK)
    return [own for own in own_files(directory) if own.name not in passing and not own.name.endswith(".writing")]
