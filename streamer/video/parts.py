"""The parts of a transport stream whose video goes on as another stream, as where recordings are joined."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.transport_stream import content, video_runs

_PICTURES = 8
"""Streams one after the other have on average at least so many pictures in a row; side by side they have one."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part's begin and end in the file, in bytes, the PID of its video, and the number of its pictures."""

    begin: int
    end: int
    pid: int
    pictures: int


def parts_of(path: Path) -> tuple[Part, ...]:
    """The parts of a transport stream; empty where its videos run side by side, or there is only one."""
    runs = video_runs(content(path))
    if len(runs) < 2 or sum(run.pictures for run in runs) < _PICTURES * len(runs):
        return ()
    # The tables that announce a stream stand before its first picture.
    bounds = [0, *(run.last for run in runs[:-1])]
    ends = [*(run.first for run in runs[1:]), path.stat().st_size]
    return tuple(Part(begin, end, run.pid, run.pictures) for begin, end, run in zip(bounds, ends, runs, strict=True))


@contextmanager
def opened(path: Path, part: Part) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The part's container, open, and its video. Raises av.FFmpegError."""
    with pyav.open_input(f"subfile,,start,{part.begin},end,{part.end},,:file:{path}") as container:
        found = [stream for stream in container.streams.video if stream.id == part.pid]
        if not found:
            raise av.InvalidDataError(0, "its tables do not announce its video", str(path))
        for stream in container.streams:
            if stream is not found[0]:
                stream.discard = av.stream.Discard.all
        yield container, found[0]
