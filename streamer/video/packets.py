"""What the packets of a video file say, without decoding: a pass over the file that takes milliseconds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.parts import Part, opened, parts_of
from streamer.video.pictures import picture_count

_HOLE = 1 << 20
"""Bytes without a packet of the video in which there may be another one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a packet begins in the file, and its time."""

    position: int
    tick: int | None


@dataclass(slots=True)
class Flagged:
    """A packet that FFmpeg calls corrupt, the one behind it, and the number of their stream in the file."""

    pid: int
    packet: Place
    next: Place | None = None


@dataclass(slots=True)
class Packets:
    """In the order of the file: ``ticks`` are the times of the pictures, ``number`` counts the packets.

    ``parts`` are those of a video that goes on as another stream.
    """

    number: int = 0
    ticks: list[int | None] = field(default_factory=list)
    decode_ticks: list[int] = field(default_factory=list)
    flagged: list[Flagged] = field(default_factory=list)
    parts: tuple[Part, ...] = ()


def read_packets(path: Path, container: InputContainer, stream: VideoStream, *, alone: bool) -> Packets:
    """All of ``stream``; unless it is to be played ``alone``, all of those as which a transport stream goes on."""
    packets = Packets()
    hole = _read(packets, container, stream, 0, path.stat().st_size)
    # PyAV says nothing of a stream that begins behind the start of the file, or raises IndexError: the other video
    # is to be seen by the room that it takes.
    may_go_on = container.format.name == "mpegts" and not alone and hole > min(_HOLE, path.stat().st_size // 20)
    if may_go_on and (parts := parts_of(path)):
        packets = Packets(parts=parts)
        for part in parts:
            with suppress(av.FFmpegError), opened(path, part) as (container, stream):
                _read(packets, container, stream, part.begin, part.end)
    return packets


def _read(packets: Packets, container: InputContainer, stream: VideoStream, begin: int, end: int) -> int:
    """Read what stands between these places of the file; gives the most bytes in which nothing of it is."""
    count = picture_count(stream.codec_context)
    flagged: Flagged | None = None
    behind, hole = begin, 0
    # Where the container breaks off, what its index promised beyond is found missing later.
    with suppress(av.FFmpegError):
        for packet in pyav.demux(container, stream):
            # Discarded ones are to be decoded but not shown (an edit list cut them off); an empty one is the end.
            if not packet.size:
                continue
            place = begin + (packet.pos or 0)
            hole, behind = max(hole, place - behind), place + packet.size
            pictures = count(packet)
            if packet.is_discard:
                continue
            packets.number += 1
            # Of several in one packet only the first has a time.
            packets.ticks += [packet.pts, *repeat(None, pictures - 1)][:pictures]
            if packet.dts is not None:
                packets.decode_ticks.append(packet.dts)
            if flagged is not None:
                flagged.next, flagged = Place(place, packet.pts), None
            if packet.is_corrupt:
                flagged = Flagged(stream.id, Place(place, packet.pts))
                packets.flagged.append(flagged)
    return max(hole, end - behind)
