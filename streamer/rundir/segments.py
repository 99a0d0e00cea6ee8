"""The files of a long run, cut into pieces: those that are finished are compressed, and the oldest are let go.

``frames.csv``, ``detections.csv`` and ``annotated.mp4`` are always the last piece, still being written; those before
are ``frames.0000.csv.gz`` and so on. So the disk that a run takes is bounded, however long it lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypedDict

from streamer.errors import SinkError
from streamer.frame import Image
from streamer.rundir.compressor import Compressor
from streamer.rundir.csv_file import Table
from streamer.rundir.paths import PIECE, piece_path
from streamer.rundir.written import Written, piece_number, written_in
from streamer.video.late import AnyVideo

BEGINS = "begins at second "


@dataclass(frozen=True, slots=True)
class Cut:
    """The tables were cut ``at_us`` of the run: so many frames are in the piece that was finished then."""

    at_us: int
    frames: int


class PiecedVideo:
    """The annotated video of a stream in pieces, each of which begins at 0; ``make`` makes a writer, with a comment.

    ``begins`` has for each piece the time in the run's video with which it begins, in seconds; the comment says it
    too, for the case that the run is killed. ``held`` as of `VideoWriter`, of all pieces.
    """

    def __init__(self, path: Path, make: Callable[[Path, str], AnyVideo]) -> None:
        self._path = path
        self._make = make
        self._written = Written(path.parent)
        self._writer: AnyVideo | None = None
        self._wanted = False
        self.begins: list[Fraction] = []

    @property
    def held(self) -> int:
        return 0 if self._writer is None else self._writer.held

    def cut(self) -> None:
        """The next frame begins a piece."""
        self._wanted = True

    def write(self, image: Image, pts: Fraction) -> None:
        """As `VideoWriter.write`."""
        if self._writer is None:
            self._writer = self._make(self._path, f"{BEGINS}{pts}")
            self.begins.append(pts)
        elif self._wanted:
            finished = piece_path(self._path, len(self.begins) - 1)
            if _claimed(self._written, [finished]):
                self._writer.go_on(finished, f"{BEGINS}{pts}")
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
        self.every_us = every_us
        self._keep_bytes = keep_bytes
        self._written = Written(frames.path.parent)
        self._compressor = Compressor()
        self.cuts: list[Cut] = []
        self.let_go: set[str] = set()

    def cut(self, now_us: int) -> None:
        """Finishes the pieces so far, and begins the next. Blocks on the disk. Raises SinkError.

        Where a file of somebody else's has the name of a piece, the pieces go on until the next time.
        """
        number = len(self.cuts)
        finished = [piece_path(table.path, number) for table in (self._frames, self._detections)]
        compressed = [path.with_name(f"{path.name}{end}") for path in finished for end in (".writing", ".gz")]
        if not _claimed(self._written, [*finished, *compressed]):
            return
        self.cuts.append(Cut(now_us, self._frames.cut(finished[0])))
        self._detections.cut(finished[1])
        for video in self._videos:
            video.cut()
        self._compressor.take(finished)
        self._keep_within()

    def begin(self) -> None:
        """Before the first frame: starts what compresses, which takes longer than frames are to wait."""
        self._compressor.start()

    def finish(self) -> None:
        """Compresses what is not yet: now that nothing is measured, here and at once."""
        self._compressor.finish()

    def give_up(self) -> None:
        """Ends the process that compresses, for a run that never began."""
        self._compressor.give_up()

    def part(self) -> PiecesPart:
        """As the manifest holds it."""
        return {
            "every_s": self.every_us / 1_000_000,
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
        own = (directory / name for name in written_in(directory) if PIECE.fullmatch(name))
        there = sorted((path for path in own if path.exists()), key=lambda path: (piece_number(path), path.name))
        sizes = {path: _size(path) for path in there}
        taken = sum(sizes.values())
        for path in there:
            # The last one stays: by its number one sees afterwards that those before it were let go.
            if taken <= self._keep_bytes or f".{len(self.cuts) - 1:04d}." in path.name:
                return
            path.unlink(missing_ok=True)
            taken -= sizes[path]
            self.let_go.add(path.name.removesuffix(".gz"))


def _claimed(written: Written, paths: Sequence[Path]) -> bool:
    """The files are this run's from now on; False when one of them is somebody else's. Raises SinkError."""
    try:
        return written.claim([path.name for path in paths])
    except OSError as error:
        raise SinkError(f"cannot write into {paths[0].parent}: {error.strerror}") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
