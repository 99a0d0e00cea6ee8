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

_ROOM = 1 << 16
"""Bytes that are not the video's in which there may be another one."""
_AROUND = 2 * 188
"""Bytes of a transport stream that may be spent for each frame besides: headers, stuffing and tables."""


@dataclass(slots=True)
class Flagged:
    """A packet that FFmpeg calls corrupt: its number, its place in the file, and the number of its stream there.

    ``before_key`` says that a key frame is among the next two packets, as where another segment begins.
    """

    number: int
    place: int
    pid: int
    before_key: bool = False


@dataclass(slots=True)
class Packets:
    """In the order of the file: ``ticks`` are the times of the pictures, of which there are ``more`` than packets.

    ``decode_ticks`` are only there where pictures may be ``reordered``, shown in another order; ``parts`` are those
    of a video that goes on as another stream, and ``unplayed`` counts the pictures of those that cannot be opened.
    """

    ticks: list[int | None] = field(default_factory=list)
    decode_ticks: list[int] = field(default_factory=list)
    flagged: list[Flagged] = field(default_factory=list)
    parts: tuple[Part, ...] = ()
    more: int = 0
    reordered: bool = False
    closely: bool = False
    unplayed: int = 0
    _in_order: list[int] | None = None

    @property
    def number(self) -> int:
        """How many packets there are."""
        return len(self.ticks) - self.more

    def in_order(self) -> list[int]:
        """The times that are known, in the order in which their pictures are shown; asked for when all are read."""
        if self._in_order is None:
            self._in_order = sorted(tick for tick in self.ticks if tick is not None)
        return self._in_order


def read_packets(
    path: Path, container: InputContainer, stream: VideoStream, *, alone: bool, closely: bool = False
) -> Packets:
    """All of ``stream``; unless it is to be played ``alone``, all of those as which a transport stream goes on.

    ``closely`` as in `picture_count`.
    """
    packets, length = Packets(closely=closely), path.stat().st_size
    others = len(container.streams.video) > 1
    room = _read(packets, container, stream, 0, length)
    # PyAV says nothing of a stream that begins behind the start of the file, or raises IndexError: the other video
    # is to be seen by the room that it takes.
    may_go_on = others or room > min(_ROOM, length // 20)
    if may_go_on and not alone and container.format.name == "mpegts" and (parts := parts_of(path)):
        packets = Packets(parts=parts, closely=closely)
        for part in parts:
            try:
                with opened(path, part) as (container, stream):
                    _read(packets, container, stream, part.begin, part.end)
            except av.FFmpegError:
                packets.unplayed += part.pictures
    return packets


def _read(packets: Packets, container: InputContainer, stream: VideoStream, begin: int, end: int) -> int:
    """Read what stands between these places of the file; gives how many of its bytes may be another video's."""
    count = picture_count(stream.codec_context, closely=packets.closely)
    packets.reordered |= bool(stream.codec_context.has_b_frames)
    needed = packets.reordered or bool(packets.parts)
    # Beside other streams that are known, only a hole tells of another one.
    beside = len(container.streams) > 1
    taken = behind = hole = watched = 0
    # This is done for each packet of the file before anything is played: what is not needed is not asked for.
    ticks, decode_ticks, before = packets.ticks, packets.decode_ticks, len(packets.ticks)
    # Where the container breaks off, what its index promised beyond is found missing later.
    with suppress(av.FFmpegError):
        for packet in pyav.demux(container, stream):
            # Discarded ones are to be decoded but not shown (an edit list cut them off); an empty one is the end.
            if not (size := packet.size):
                continue
            taken += size
            if beside:
                place = packet.pos or behind
                if place - behind > hole:
                    hole = place - behind
                behind = place + size
            pictures = 1 if count is None else count(packet)
            if packet.is_discard:
                continue
            if pictures == 1:
                ticks.append(packet.pts)
            else:
                _append(packets, packet.pts, pictures)
            if needed and (tick := packet.dts) is not None:
                decode_ticks.append(tick)
            if watched:
                watched -= 1
                packets.flagged[-1].before_key |= packet.is_keyframe
            if packet.is_corrupt:
                watched = 2  # A parser puts the flag on the packet before the last one of a segment.
                packets.flagged.append(Flagged(len(ticks) - 1, begin + (packet.pos or 0), stream.id))
    number = len(ticks) - before
    return max(hole, end - begin - behind) if beside else end - begin - taken - _AROUND * number


def _append(packets: Packets, tick: int | None, pictures: int) -> None:
    """Of several pictures in a packet only the first has a time; one that shows none counts as a packet alone."""
    packets.ticks.extend([tick, *repeat(None, pictures - 1)][:pictures])
    packets.more += pictures - 1
