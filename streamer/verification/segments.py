"""The files of a long run, cut into pieces: which of them there are, and what has been let go."""

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

WRITTEN = ".written"
"""There while a run goes on, and after it was killed: the names of its files, a line each."""


@dataclass(frozen=True, slots=True)
class Segments:
    """``incomplete`` when some have been let go; ``gone`` is how many rows of frames were in those.

    ``begins`` has for each stream when the pieces of its video begin, in seconds; of a run that was not cut, one that
    begins at 0.
    """

    incomplete: bool
    gone: int
    begins: list[list[Fraction]]


def uncut(streams: int) -> Segments:
    """Those of a run that was not cut."""
    return Segments(False, 0, [[Fraction(0)]] * streams)


def read_segments(document: Document, streams: int) -> Segments:
    """What ``run.json`` says of the pieces. Raises Unreadable."""
    if not document.has("pieces"):
        return uncut(streams)
    found = document.get("pieces")
    try:
        let_go = {str(name) for name in found["let_go"]}
        gone = sum(count(cut["frames"]) for cut in found["cuts"] if f"frames.{cut['piece']:04d}.csv" in let_go)
        begins = [[fraction(begin) for begin in video] for video in found["videos_begin_s"]]
    except (TypeError, KeyError, ValueError):
        raise Unreadable(
            f"{document.name} pieces: found {json.dumps(found)[:60]}, expected cuts, videos_begin_s and let_go"
        ) from None
    return Segments(bool(let_go), gone, begins or uncut(streams).begins)


def numbered(path: Path) -> dict[int, Path]:
    """The finished pieces of a file that are there, by their numbers; files that the run has not written are none."""
    form = re.compile(rf"{re.escape(path.stem)}\.(\d{{4,}}){re.escape(path.suffix)}(\.gz)?", re.ASCII)
    there = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    found = [(match, piece) for piece in there if (match := form.fullmatch(piece.name))]
    listed = _listed(path.parent) if found else None
    return {int(match[1]): piece for match, piece in found if listed is None or piece.name in listed}


def _listed(directory: Path) -> set[str] | None:
    """The files that a run has written: those of its ``run.json``, or while there is none, of its list.

    None where neither tells, as of an older streamer's.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        return set(json.loads((directory / MANIFEST).read_text(encoding="utf-8"))["files"])
    with suppress(OSError, ValueError):
        return set((directory / WRITTEN).read_text(encoding="utf-8").splitlines())
    return None
