"""The files of a long run, cut into segments: finished ones are compressed, and the oldest are deleted.

``frames.csv``, ``detections.csv`` and ``annotated.mp4`` are always the last segment, still being written. Those
before are ``frames.0000.csv.gz`` and so on. So the disk space of a run is bounded, however long it lasts.
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
from streamer.rundir.paths import SEGMENT, segment_path
from streamer.rundir.written import Written, segment_number, written_in
from streamer.video.late import AnyVideo

BEGINS = "begins at second "


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut of the tables ``at_us`` of the run; ``frames`` are in the segment that was finished then."""

    at_us: int
    frames: int


class SegmentedVideo:
    """The annotated video of a stream in segments, each beginning at 0; ``make`` makes a writer, with a comment.

    ``begins`` has for each segment its begin in the run's video, in seconds. The comment has it too, in case the run
    is killed. ``held`` is that of `VideoWriter`, for all segments.
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
        """Makes the next frame begin a segment."""
        self._wanted = True

    def write(self, image: Image, pts: Fraction) -> None:
        """As `VideoWriter.write`. Raises SinkError."""
        if self._writer is None:
            self._writer = self._make(self._path, f"{BEGINS}{pts}")
            self.begins.append(pts)
        elif self._wanted:
            finished = segment_path(self._path, len(self.begins) - 1)
            if _claimed(self._written, [finished]):
                self._writer.go_on(finished, f"{BEGINS}{pts}")
                self.begins.append(pts)
        self._wanted = False
        self._writer.write(image, pts - self.begins[-1])

    def close(self) -> None:
        """As `VideoWriter.close`; also makes a video that has no picture."""
        (self._writer or self._make(self._path, "")).close()


class CutPart(TypedDict):
    """A finished segment of the tables."""

    piece: int
    """The number of the segment, from 0: that in the names of its files."""
    at_ms: float | None
    """When it was cut off, since the start of the run. Null when it is not known: in a repaired run."""
    frames: int
    """How many rows of ``frames.csv`` are in it."""


class SegmentsPart(TypedDict):
    """The ``pieces`` of the manifest: the segments that the files of a run are cut into."""

    every_s: float
    """The time from one cut to the next."""
    keep_bytes: int
    """What finished segments may occupy on the disk; the oldest are deleted first."""
    cuts: list[CutPart]
    """The finished segments of the tables, in their order. Empty when the run ended within the first one."""
    videos_begin_s: list[list[str]]
    """For each stream's video, when its segments begin: seconds of the run's video, as fractions. Empty without a
    video."""
    let_go: list[str]
    """The files that were deleted to stay within ``keep_bytes``, by name without ``.gz``. Empty when none was."""


class Segments:
    """Cuts two tables and the videos of a run ``every_us``, and keeps the finished segments within ``keep_bytes``."""

    def __init__(
        self, frames: Table, detections: Table, videos: Sequence[SegmentedVideo], every_us: int, keep_bytes: int
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
        """Finishes the current segments, and begins the next. Blocks on the disk. Raises SinkError.

        When a file of somebody else's has the name of a segment, the current ones go on until the next time.
        """
        number = len(self.cuts)
        finished = [segment_path(table.path, number) for table in (self._frames, self._detections)]
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
        """Starts the compressor, before the first frame, since that takes longer than a frame may wait.

        Raises SinkError.
        """
        self._compressor.start()

    def finish(self) -> None:
        """Compresses the remaining files in this process, after the measurement; blocks."""
        self._compressor.finish()

    def give_up(self) -> None:
        """Ends the process that compresses, for a run that never began."""
        self._compressor.give_up()

    def part(self) -> SegmentsPart:
        """The segments' part of the manifest."""
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
        own = (directory / name for name in written_in(directory) if SEGMENT.fullmatch(name))
        there = sorted((path for path in own if path.exists()), key=lambda path: (segment_number(path), path.name))
        sizes = {path: _size(path) for path in there}
        used = sum(sizes.values())
        for path in there:
            # The last one stays: its number shows afterwards that those before it were deleted.
            if used <= self._keep_bytes or f".{len(self.cuts) - 1:04d}." in path.name:
                return
            path.unlink(missing_ok=True)
            used -= sizes[path]
            self.let_go.add(path.name.removesuffix(".gz"))


def _claimed(written: Written, paths: Sequence[Path]) -> bool:
    """Claims files for this run; False when one of them is somebody else's. Raises SinkError."""
    try:
        return written.claim([path.name for path in paths])
    except OSError as error:
        raise SinkError(f"cannot write into {paths[0].parent}: {error.strerror}") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
