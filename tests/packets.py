"""A small clip of each codec as its packets, and files made of any selection of them.

A muxer refuses times that go back or are missing, though files have them. So it gets times that it accepts, and the
right ones are written over them where the container has room for them (transport streams and FLV).
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from tests.videos import write_video

INTERVAL_MS = 40
FRAMES = 20
KEYFRAME_EVERY = 8


@dataclass(frozen=True, slots=True)
class Codec:
    """An encoder with its options, and the containers that hold what it makes."""

    encoder: str
    options: dict[str, str]
    containers: tuple[str, ...]


_ALL = ("mkv", "mp4", "avi", "ts", "m2ts")
_X264 = {"threads": "1", "preset": "veryfast", "sc_threshold": "0"}

CODECS = {
    "mpeg4": Codec("mpeg4", {"bf": "0"}, _ALL),
    "mpeg4 with B-frames": Codec("mpeg4", {"bf": "2"}, _ALL),
    "h264": Codec("libx264", {**_X264, "bf": "0"}, (*_ALL, "flv", "264")),
    "h264 with B-frames": Codec("libx264", {**_X264, "bf": "3"}, (*_ALL, "fragmented mp4", "flv", "264")),
    "hevc with B-frames": Codec("libx265", {"x265-params": "log-level=none:pools=1"}, ("mkv", "mp4", "ts")),
    "mpeg2 with B-frames": Codec("mpeg2video", {"bf": "2"}, ("mkv", "ts", "m2ts", "mpg")),
    # Not realtime: that chooses its effort by the clock, and so makes another clip on a busy machine.
    "vp8": Codec("libvpx", {"auto-alt-ref": "0", "deadline": "good", "cpu-used": "4"}, ("mkv", "avi")),
}

_FORMATS: dict[str, tuple[str, dict[str, str]]] = {
    "mkv": ("matroska", {"avoid_negative_ts": "disabled"}),
    "mp4": ("mp4", {"movflags": "faststart"}),
    "fragmented mp4": ("mp4", {"movflags": "frag_keyframe+empty_moov"}),
    "avi": ("avi", {}),
    "ts": ("mpegts", {}),
    "m2ts": ("mpegts", {"mpegts_m2ts_mode": "1"}),
    "mpg": ("mpeg", {}),
    "flv": ("flv", {}),
    "264": ("h264", {}),
}
"""FFmpeg's name of each container, and its options."""

_OFFSET_MS = 2000
"""The first time of a file whose times are written over: it leaves room for earlier ones."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A packet of a clip, with its times in milliseconds; None where a file has none."""

    data: bytes
    keyframe: bool
    pts: int | None
    dts: int | None


@cache
def clip(codec: str) -> tuple[Coded, ...]:
    """The packets of a clip of numbered pictures at 25 fps, in the order of the file."""
    stream = _template(codec)
    # A Matroska file has no decoding times: FFmpeg makes them up, and may leave the first ones out.
    packets = [packet for packet in cast(InputContainer, stream.container).demux(stream) if packet.size]
    tick_ms = pyav.time_base(stream) * 1000
    first = min(packet.pts for packet in packets if packet.pts is not None)
    found = []
    for packet in packets:
        pts, dts = (None if ticks is None else round((ticks - first) * tick_ms) for ticks in (packet.pts, packet.dts))
        found.append(Coded(bytes(packet), packet.is_keyframe, pts, pts if dts is None else dts))
    return tuple(found)


@cache
def _template(codec: str) -> VideoStream:
    """The clip's stream; its file stays open for as long as the tests run."""
    made = CODECS[codec]
    # A transport stream repeats the headers with each keyframe: each container finds what it needs in them.
    ending = "ts" if "ts" in made.containers else "mkv"
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(
            Path(folder) / f"clip.{ending}",
            FRAMES,
            codec=made.encoder,
            options=made.options,
            keyframe_every=KEYFRAME_EVERY,
        )
        return av.open(str(path)).streams.video[0]


def write(path: Path, codec: str, container: str, packets: Sequence[Coded]) -> None:
    """Writes a file of these packets of a clip of ``codec``.

    An AVI has no times, only empty places. The other containers whose times are not written over have all times of
    presentation.
    """
    name, options = _FORMATS[container]
    with av.open(str(path), "w", format=name, container_options=options) as file:
        stream = file.add_stream_from_template(_template(codec))
        tick_ms = INTERVAL_MS if container == "avi" else 1
        stream.time_base = Fraction(tick_ms, 1000)
        for coded, (pts, dts) in zip(packets, _accepted(container, packets), strict=True):
            packet = av.Packet(coded.data)
            packet.stream = stream
            packet.time_base = Fraction(tick_ms, 1000)
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, coded.keyframe
            packet.duration = INTERVAL_MS // tick_ms
            file.mux_one(packet)
    if container in ("ts", "m2ts", "flv"):
        content = bytearray(path.read_bytes())
        places = (
            _flv_times(content) if container == "flv" else _ts_times(content, 192 if container == "m2ts" else 188)
        )
        put = _put_flv_times if container == "flv" else _put_ts_times
        for place, coded in zip(places, packets, strict=True):
            put(content, place, coded)
        path.write_bytes(content)


def _accepted(container: str, packets: Sequence[Coded]) -> list[tuple[int, int]]:
    """Times of presentation and of decoding that the muxer accepts, in its ticks."""
    if container in ("ts", "m2ts", "flv", "264"):
        return [(number * INTERVAL_MS + 1, number * INTERVAL_MS) for number in range(len(packets))]
    times = [(0 if one.pts is None else one.pts, 0 if one.dts is None else one.dts) for one in packets]
    if container == "avi":
        places: list[int] = []
        for _, dts in times:
            places.append(max(dts // INTERVAL_MS, places[-1] + 1 if places else dts // INTERVAL_MS))
        first = min(places, default=0)
        return [(place - first, place - first) for place in places]
    # Decoding times rise, and none is later than a time of presentation behind it.
    latest: list[int] = []
    for pts, dts in reversed(times):
        latest.append(min(pts, dts, latest[-1] - 1) if latest else min(pts, dts))
    first = min(latest, default=0)
    return [(pts - first, dts - first) for (pts, _), dts in zip(times, reversed(latest), strict=True)]


def _ts_times(content: bytearray, size: int) -> Iterator[int]:
    """The place of each picture's times in a transport stream of packets of ``size`` bytes."""
    for start in range(size - 188, len(content), size):
        begins, adapted = content[start + 1] & 0x40, content[start + 3] & 0x20
        payload = start + 4 + (1 + content[start + 4] if adapted else 0)
        if begins and content[payload : payload + 3] == b"\0\0\1" and content[payload + 3] & 0xF0 == 0xE0:
            assert content[payload + 7] & 0xC0 == 0xC0, "a picture without both times"
            yield payload + 7


def _put_ts_times(content: bytearray, place: int, coded: Coded) -> None:
    if coded.pts is None or coded.dts is None:
        content[place] &= 0x3F
        content[place + 2 : place + 12] = b"\xff" * 10
        return
    for offset, mark, time_ms in ((2, 3, coded.pts), (7, 1, coded.dts)):
        ticks = (time_ms + _OFFSET_MS) * 90 % (1 << 33)
        high, middle, low = ticks >> 30, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
        content[place + offset : place + offset + 5] = struct.pack(
            ">BHH", mark << 4 | high << 1 | 1, middle << 1 | 1, low << 1 | 1
        )


def _flv_times(content: bytearray) -> Iterator[int]:
    """The beginning of each picture's tag in an FLV file of H.264."""
    start = 13
    while start < len(content):
        if content[start] == 9 and content[start + 12] == 1:
            yield start
        start += 15 + int.from_bytes(content[start + 1 : start + 4], "big")


def _put_flv_times(content: bytearray, start: int, coded: Coded) -> None:
    dts = _OFFSET_MS if coded.dts is None else coded.dts + _OFFSET_MS
    pts = dts if coded.pts is None else coded.pts + _OFFSET_MS
    time = (dts % (1 << 32)).to_bytes(4, "big")
    content[start + 4 : start + 8] = time[1:] + time[:1]
    content[start + 13 : start + 16] = ((pts - dts) % (1 << 24)).to_bytes(3, "big")
