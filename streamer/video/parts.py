"""A transport stream whose video goes on as another stream, as where recordings are joined: it is played in parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.transport_stream import first_places


@dataclass(frozen=True, slots=True)
class Part:
    """Where in the file it begins, and the PID of its video."""

    place: int
    pid: int


def part_behind(path: Path, place: int) -> Part | None:
    """The part that begins behind ``place``; None where there is no video that does."""
    try:
        with _open(path, place) as container:
            sizes = {stream.id: stream.width * stream.height for stream in container.streams.video if stream.width}
    except av.FFmpegError:
        return None
    places = first_places(path, set(sizes))
    new = [pid for pid, first in places.items() if first > place]
    return Part(place, max(new, key=sizes.__getitem__)) if new else None


@contextmanager
def opened(path: Path, part: Part) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The part's container and its video. Raises av.FFmpegError."""
    with _open(path, part.place) as container:
        chosen = next(stream for stream in container.streams.video if stream.id == part.pid)
        for stream in container.streams:
            if stream is not chosen:
                stream.discard = av.stream.Discard.all
        yield container, chosen


def _open(path: Path, place: int) -> InputContainer:
    return pyav.open_input(f"subfile,,start,{place},end,0,,:file:{path}")
