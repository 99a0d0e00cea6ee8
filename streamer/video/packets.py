"""Reading the packets of a video file without decoding, in a pass over the file that takes milliseconds."""

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
"""More bytes than this that are not the video's may hold another video."""
_AROUND = 2 * 188
"""The bytes of a transport stream that each frame may take besides: headers, stuffing and tables."""


@dataclass(slots=True)
class Flagged:
    """A packet that FFmpeg calls corrupt: its number, its place in the file in bytes, and the PID of its stream.

    ``before_key`` says that a key frame is among the next two packets, as where another segment begins.
    """

    number: int
    place: int
    pid: int
    before_key: bool = False


@dataclass(slots=True)
class Packets:
    """The packets in the order of the file, by the times of their pictures.

    ``ticks`` has a time for each picture, or None, and is ``more`` entries longer than there are packets.
    ``decode_ticks`` are kept only where pictures may be ``reordered``, shown in another order. ``parts`` are those of
    a video that goes on as another stream; ``unplayed`` counts the pictures of the parts that cannot be opened.
    ``closely`` is as in `picture_count`.
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
        """The number of packets."""
        return len(self.ticks) - self.more

    def in_order(self) -> list[int]:
        """The known times in the order of presentation; call when all packets are read."""
        if self._in_order is None:
            self._in_order = sorted(tick for tick in self.ticks if tick is not None)
        return self._in_order


def read_packets(
    path: Path, container: InputContainer, stream: VideoStream, *, alone: bool, closely: bool = False
) -> Packets:
    """All packets of ``stream``, and, unless it is to be played ``alone``, of the streams as which its video goes on.

    ``closely`` is as in `picture_count`.
    """
    packets, length = Packets(closely=closely), path.stat().st_size
    others = len(container.streams.video) > 1
    room = _read(packets, container, stream, 0, length)
    # PyAV does not show a stream that begins behind the start of the file, or raises IndexError: another video is
    # found by the room that it takes.
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
    """Read what stands between these places of the file; returns how many of its bytes may be another video's."""
    count = picture_count(stream.codec_context, closely=packets.closely)
    packets.reordered |= bool(stream.codec_context.has_b_frames)
    needed = packets.reordered or bool(packets.parts)
    # Beside other known streams only a hole between packets shows another one.
    beside = len(container.streams) > 1
    own = behind = hole = watched = 0
    # This runs for each packet of the file before anything is played: attributes that are not needed are not read.
    ticks, decode_ticks, before = packets.ticks, packets.decode_ticks, len(packets.ticks)
    # Where the container breaks off, the rest that its index promises is found missing later.
    with suppress(av.FFmpegError):
        for packet in pyav.demux(container, stream):
            # A discarded packet is decoded but not shown (an edit list cut it off); an empty one is the end.
            if not (size := packet.size):
                continue
            own += size
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
                watched = 2  # A parser flags the packet before the last one of a segment.
                packets.flagged.append(Flagged(len(ticks) - 1, begin + (packet.pos or 0), stream.id))
    number = len(ticks) - before
    return max(hole, end - begin - behind) if beside else end - begin - own - _AROUND * number


def _append(packets: Packets, tick: int | None, pictures: int) -> None:
    """Add a packet with several pictures, of which only the first has a time, or with none, which adds no tick."""
    packets.ticks.extend([tick, *repeat(None, pictures - 1)][:pictures])
    packets.more += pictures - 1
