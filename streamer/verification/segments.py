"""The segments of a long run's files: which are there, and which have been deleted."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from streamer.verification.manifest import NAME as MANIFEST
from streamer.verification.manifest import Document, count, fraction
from streamer.verification.reasons import Unreadable

FIELD = "pieces"
WRITTEN = ".written"
"""The file that exists while a run goes on, and after it was killed: the names of its files, a line each."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of a run. ``incomplete``: some have been deleted; ``gone`` is how many rows of frames they had.

    ``begins`` has for each stream when the segments of its video begin, in seconds. A run that was not cut has one,
    which begins at 0.
    """

    incomplete: bool
    gone: int
    begins: list[list[Fraction]]


def uncut(streams: int) -> Segments:
    """The segments of a run that was not cut."""
    return Segments(False, 0, [[Fraction(0)]] * streams)


def read_segments(document: Document, streams: int) -> Segments:
    """Reads the segments in ``run.json``. Raises Unreadable."""
    if not document.has(FIELD):
        return uncut(streams)
    found = document.get(FIELD)
    try:
        let_go = {str(name) for name in found["let_go"]}
        gone = sum(count(cut["frames"]) for cut in found["cuts"] if f"frames.{cut['piece']:04d}.csv" in let_go)
        begins = [[fraction(begin) for begin in video] for video in found["videos_begin_s"]]
    except (TypeError, KeyError, ValueError):
        raise Unreadable(
            f"{document.name} {FIELD}: found {json.dumps(found)[:60]}, expected cuts, videos_begin_s and let_go"
        ) from None
    return Segments(bool(let_go), gone, begins or uncut(streams).begins)


def numbered(path: Path) -> dict[int, Path]:
    """The finished segments of a file that are there, by number; files that the run did not write do not count."""
    form = re.compile(rf"{re.escape(path.stem)}\.(\d{{4,}}){re.escape(path.suffix)}(\.gz)?", re.ASCII)
    there = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    found = [(match, file) for file in there if (match := form.fullmatch(file.name))]
    listed = _listed(path.parent) if found else None
    return {int(match[1]): file for match, file in found if listed is None or file.name in listed}


def _listed(directory: Path) -> set[str] | None:
    """The names of the files that a run has written, by its ``run.json`` or, while there is none, by its list.

    None where neither is there, as for an older streamer.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        return set(json.loads((directory / MANIFEST).read_text(encoding="utf-8"))["files"])
    with suppress(OSError, ValueError):
        return set((directory / WRITTEN).read_text(encoding="utf-8").splitlines())
    return None
