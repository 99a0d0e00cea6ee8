"""What the packets of a video file say, without decoding: a pass over the file that takes milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.parts import Part, opened, part_behind
from streamer.video.pictures import picture_count


@dataclass(frozen=True, slots=True)
class Flagged:
    """A packet that FFmpeg calls corrupt: its time, its place in the file, and the number of its stream there."""

    tick: int | None
    place: int
    pid: int


@dataclass(slots=True)
class Packets:
    """In the order of the file: ``ticks`` are the times of the pictures, ``number`` counts the packets.

    ``parts`` are those in which the video goes on as another stream.
    """

    number: int = 0
    ticks: list[int | None] = field(default_factory=list)
    decode_ticks: list[int] = field(default_factory=list)
    flagged: list[Flagged] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def read_packets(path: Path, container: InputContainer, stream: VideoStream) -> Packets:
    """All of ``stream``, and of those that go on with it."""
    packets = Packets()
    end = _read_part(packets, container, stream, 0)
    while end is not None and (part := part_behind(path, end)) is not None:
        packets.parts.append(part)
        with opened(path, part) as (container, stream):
            end = _read_part(packets, container, stream, part.place)
    return packets


def _read_part(packets: Packets, container: InputContainer, stream: VideoStream, begin: int) -> int | None:
    """Read the packets of a part that begins at this place; where it ends, if another may follow it."""
    count = picture_count(stream)
    place, unknown = 0, list[None]()
    try:
        for packet in pyav.demux(container, stream, on_unknown=lambda: unknown.append(None)):
            # Discarded ones are to be decoded but not shown (an edit list cut them off); an empty one is the end.
            if not packet.size:
                continue
            place = packet.pos or place
            pictures = count(packet)
            if packet.is_discard:
                continue
            packets.number += 1
            # Of several in one packet only the first has a time.
            packets.ticks += [packet.pts, *repeat(None, pictures - 1)][:pictures]
            if packet.dts is not None:
                packets.decode_ticks.append(packet.dts)
            if packet.is_corrupt:
                packets.flagged.append(Flagged(packet.pts, begin + place, stream.id))
    except av.FFmpegError:
        # The container breaks off here; what its index promised beyond this is found missing later.
        return None
    others = len(container.streams.video) > 1 or unknown
    return begin + place if others and container.format.name == "mpegts" else None
