"""The camera: frames of a source, one after the other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Protocol

from streamer.errors import UsageError
from streamer.frame import Frame
from streamer.video_reader import VideoReader


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source delivers: ``rate`` in nominal frames per second, ``frames`` None when it is endless."""

    uri: str
    width: int
    height: int
    rate: Fraction
    frames: int | None
    time_base: Fraction
    comment: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that was due and could not be decoded."""

    stream: int
    index: int
    pts: Fraction
    reason: str


class Source(Protocol):
    """Frames in the order of presentation."""

    @property
    def info(self) -> SourceInfo:
        """What it delivers."""
        ...

    @property
    def doubts(self) -> list[str]:
        """What was found wrong with it so far, a sentence each."""
        ...

    def read(self) -> Frame | Unreadable | None:
        """The next frame; None at the end. Blocks. Raises SourceError when the source fails."""
        ...

    def pts(self, index: int) -> Fraction | None:
        """The presentation time of frame ``index``, without decoding it; None past the end."""
        ...

    def close(self) -> None:
        """Lets go of the source."""
        ...


class VideoSource:
    """A video file as a camera; with ``loop`` it starts again at its end, its times going on."""

    def __init__(self, path: Path, *, loop: bool = False, stream: int = 0) -> None:
        if not os.path.exists(path):
            raise UsageError(f"no such file: {path}")
        self._reader = VideoReader(path)
        self._loop = loop
        self._stream = stream
        self._round = 0
        info = self._reader.info
        # Whole ticks, so that each time of each round is one that a video file can hold.
        self._length = ceil(info.duration / info.time_base) * info.time_base
        self.info = SourceInfo(
            uri=str(path),
            width=info.width,
            height=info.height,
            rate=info.rate,
            frames=None if loop else len(self._reader.schedule),
            time_base=info.time_base,
            comment=info.comment,
        )

    @property
    def doubts(self) -> list[str]:
        return self._reader.doubts

    def read(self) -> Frame | Unreadable | None:
        picture = self._reader.read()
        if picture is None and self._loop:
            self._round += 1
            self._reader.rewind()
            picture = self._reader.read()
        if picture is None:
            return None
        index = self._round * len(self._reader.schedule) + picture.index
        pts = self._round * self._length + picture.pts
        if picture.image is None:
            return Unreadable(self._stream, index, pts, picture.error or "")
        return Frame(self._stream, index, pts, picture.image)

    def pts(self, index: int) -> Fraction | None:
        schedule = self._reader.schedule
        rounds, within = divmod(index, len(schedule))
        if rounds and not self._loop:
            return None
        return rounds * self._length + schedule.pts(within)

    def close(self) -> None:
        self._reader.close()
