"""A video file as a source."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from math import ceil
from pathlib import Path

from streamer.address import writable
from streamer.errors import UsageError
from streamer.frame import Frame
from streamer.schedule.file_gaps import FileGap, FileGaps
from streamer.sources.base import SourceInfo, Unreadable
from streamer.sources.many_pictures import refuse_unplayable
from streamer.video.reader import VideoReader


class VideoSource:
    """A video file as a camera; with ``loop`` it starts again at its end, and its times go on.

    ``video_stream`` is as in `VideoReader`, which raises UsageError and SourceError.
    """

    def __init__(self, path: Path, *, loop: bool = False, stream: int = 0, video_stream: int | None = None) -> None:
        if not os.path.exists(path):
            raise UsageError(f"no such file: {path}")
        refuse_unplayable(path)
        self._reader = VideoReader(path, video_stream)
        self._loop = loop
        self._stream = stream
        self._round = 0
        info = self._reader.info
        # Whole ticks, so that a video file can hold the times of every round.
        self._length = ceil(info.duration / info.time_base) * info.time_base
        self._info = SourceInfo(
            uri=writable(str(path)),
            width=info.width,
            height=info.height,
            rate=info.rate,
            frames=None if loop else len(self._reader.schedule),
            time_base=info.time_base,
            comment=info.comment,
            notes=info.notes,
            sample_aspect_ratio=info.sample_aspect_ratio,
            video_stream=info.video_stream,
            gaps=self._gaps(round(1_000_000 / info.rate)),
        )

    def _gaps(self, usual_us: int) -> FileGaps | None:
        """The pauses in its times; with ``loop`` also the one between its end and its beginning."""

        def us(index: int) -> int:
            return round((self.pts(index) or 0) * 1_000_000)

        frames = len(self._reader.schedule)
        gaps = tuple(
            FileGap(frame, us(frame) - us(frame - 1), usual_us)
            for frame in self._reader.gaps
            if self._loop or frame < frames
        )
        return FileGaps(gaps, frames if self._loop else None) if gaps else None

    @property
    def info(self) -> SourceInfo:
        # Reading finds promised frames that are none.
        frames = None if self._loop else len(self._reader.schedule)
        if frames != self._info.frames:
            self._info = replace(self._info, frames=frames)
        return self._info

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
        return Frame(self._stream, index, pts, picture.image, after_damage=picture.after_damage)

    def pts(self, index: int) -> Fraction | None:
        schedule = self._reader.schedule
        rounds, within = divmod(index, len(schedule))
        if rounds and not self._loop:
            return None
        return rounds * self._length + schedule.pts(within)

    def close(self) -> None:
        self._reader.close()
