"""The files of a long run, cut into pieces: those that are finished are compressed, and the oldest are let go.

``frames.csv``, ``detections.csv`` and ``annotated.mp4`` are always the last piece, still being written; those before
are ``frames.0000.csv.gz`` and so on. So the disk that a run takes is bounded, however long it lasts.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypedDict

from streamer.frame import Image
from streamer.rundir.csv_file import Table
from streamer.rundir.paths import piece_number, piece_path
from streamer.video.writer import VideoWriter
from streamer.workers.processes import Child

BEGINS = "begins at second "
LEAST_URGENT = 19
"""The niceness at which pieces are compressed: it is not to be seen in what is measured."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The tables were cut ``at_us`` of the run: so many frames are in the piece that was finished then."""

    at_us: int
    frames: int


class PiecedVideo:
    """The annotated video of a stream in pieces, each of which begins at 0; ``make`` makes a writer, with a comment.

    ``begins`` has for each piece the time in the run's video with which it begins, in seconds; the comment says it
    too, for the case that the run is killed.
    """

    def __init__(self, path: Path, make: Callable[[Path, str], VideoWriter]) -> None:
        self._path = path
        self._make = make
        self._writer: VideoWriter | None = None
        self._wanted = False
        self.begins: list[Fraction] = []

    def cut(self) -> None:
        """The next frame begins a piece."""
        self._wanted = True

    def write(self, image: Image, pts: Fraction) -> None:
        """As `VideoWriter.write`."""
        if self._writer is not None and self._wanted:
            self._writer.close()
            self._path.rename(piece_path(self._path, len(self.begins) - 1))
            self._writer = None
        if self._writer is None:
            self._writer = self._make(self._path, f"{BEGINS}{pts}")
            self.begins.append(pts)
        self._wanted = False
        self._writer.write(image, pts - self.begins[-1])

    def close(self) -> None:
        """As `VideoWriter.close`; a video without a picture is one all the same."""
        (self._writer or self._make(self._path, "")).close()


class CutPart(TypedDict):
    """A piece of the tables: when it was cut off, in milliseconds of the run, and its frames; null: not known."""

    piece: int
    at_ms: float | None
    frames: int


class PiecesPart(TypedDict):
    """The ``pieces`` of the manifest: how often the files are cut, in seconds, and how many bytes are kept.

    ``videos_begin_s`` has for each video when each of its pieces begins, in seconds, as fractions.
    """

    every_s: float
    keep_bytes: int
    cuts: list[CutPart]
    videos_begin_s: list[list[str]]
    let_go: list[str]


class Pieces:
    """Cuts two tables and the videos of a run ``every_us``, and keeps the finished pieces within ``keep_bytes``."""

    def __init__(
        self, frames: Table, detections: Table, videos: Sequence[PiecedVideo], every_us: int, keep_bytes: int
    ) -> None:
        self._frames = frames
        self._detections = detections
        self._videos = videos
        self._every_us = every_us
        self._next_us = every_us
        self._keep_bytes = keep_bytes
        self._child: Child | None = None
        self._plain: list[Path] = []
        self.cuts: list[Cut] = []
        self.let_go: set[str] = set()

    def between(self, now_us: int) -> None:
        """Cuts when it is time for it; once, however long nobody has asked."""
        if now_us < self._next_us:
            return
        self._next_us = (now_us // self._every_us + 1) * self._every_us
        number = len(self.cuts)
        finished = [piece_path(table.path, number) for table in (self._frames, self._detections)]
        self.cuts.append(Cut(now_us, self._frames.cut(finished[0])))
        self._detections.cut(finished[1])
        for video in self._videos:
            video.cut()
        self._plain += finished
        # On a machine that has no time for it, pieces are left to the next one: the sink never waits for them.
        if self._child is None or self._child.ended:
            self._end_child()
            self._plain = [path for path in self._plain if path.exists()]
            self._child = Child(compress, [str(path) for path in self._plain])
        self._keep_within()

    def finish(self) -> None:
        """Compresses what is not yet: now that nothing is measured, here and at once."""
        self._end_child()
        for path in self._plain:
            _compress(str(path))
        self._plain = []

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None

    def part(self) -> PiecesPart:
        """As the manifest holds it."""
        return {
            "every_s": self._every_us / 1_000_000,
            "keep_bytes": self._keep_bytes,
            "cuts": [
                {"piece": number, "at_ms": cut.at_us / 1000, "frames": cut.frames}
                for number, cut in enumerate(self.cuts)
            ],
            "videos_begin_s": [[str(begin) for begin in video.begins] for video in self._videos],
            "let_go": sorted(self.let_go),
        }

    def _keep_within(self) -> None:
        directory = self._frames.path.parent
        there = sorted(directory.glob("*.[0-9][0-9][0-9][0-9]*.*"), key=piece_number)
        sizes = {path: _size(path) for path in there}
        taken = sum(sizes.values())
        for path in there:
            # The last one stays: by its number one sees afterwards that those before it were let go.
            if taken <= self._keep_bytes or f".{len(self.cuts) - 1:04d}." in path.name:
                return
            path.unlink(missing_ok=True)
            taken -= sizes[path]
            self.let_go.add(path.name.removesuffix(".gz"))


def compress(link: Connection, paths: Sequence[str]) -> None:
    """In a process of its own: compresses the files and removes what they were; one that has gone is left out."""
    with suppress(AttributeError, OSError):
        os.nice(LEAST_URGENT)
    for path in paths:
        _compress(path)


def _compress(path: str) -> None:
    """A file that has gone, or that the disk has no room for, is left as it is."""
    scratch = f"{path}.writing"
    try:
        with open(path, "rb") as plain, gzip.open(scratch, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)
        os.replace(scratch, f"{path}.gz")
        os.unlink(path)
    except OSError:
        with suppress(OSError):
            os.unlink(scratch)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
