"""Numbered pictures, coded once, and muxed into any container packet by packet, with the times that a test gives."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
from av.video.stream import VideoStream

from tests.videos import numbered_picture

CLOCK = Fraction(1, 90_000)
"""The unit of the times that are put into containers: that of MPEG-TS."""
OPTIONS = {
    # A packet is a picture, in the order in which they are shown.
    "libx264": {"preset": "ultrafast", "tune": "zerolatency", "threads": "1"},
    "libx265": {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x265-params": "log-level=none:pools=none:frame-threads=1:repeat-headers=1",
    },
}
CONTAINER_OPTIONS = {
    # A client may come at any time, and each picture begins a packet of its own.
    "mpegts": {"mpegts_flags": "pat_pmt_at_frames"},
    "mp4": {"movflags": "empty_moov+default_base_moof+frag_every_frame"},
    "flv": {"flvflags": "no_duration_filesize"},
}


@dataclass(frozen=True)
class Coded:
    """Coded pictures with the numbers from 0 on, each a packet; ``matroska`` holds them all."""

    matroska: bytes
    packets: tuple[bytes, ...]
    keys: tuple[bool, ...]

    def is_key(self, number: int) -> bool:
        """Whether decoding can begin at this picture; behind the last one the first comes again."""
        return self.keys[number % len(self.keys)]


@cache
def coded(codec: str, rate: Fraction, pictures: int, keyframe_every: int) -> Coded:
    """Pictures whose codec declares ``rate``; coded once in a session."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=rate, options=dict(OPTIONS[codec]))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.gop_size = keyframe_every
        stream.codec_context.time_base = 1 / rate
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="bgr24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(io.BytesIO(file.getvalue()), "r") as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert len(packets) == pictures
        return Coded(
            file.getvalue(), tuple(map(bytes, packets)), tuple(bool(packet.is_keyframe) for packet in packets)
        )


@cache
def jpeg(number: int) -> bytes:
    """The picture with this number, as JPEG."""
    done, content = cv2.imencode(".jpg", numbered_picture(number))
    assert done
    return content.tobytes()


class _Written(io.RawIOBase):
    """The bytes written since the last call of ``take``."""

    def __init__(self) -> None:
        self._content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        chunk = bytes(content)  # type: ignore[call-overload]
        self._content += chunk
        return len(chunk)

    def take(self) -> bytes:
        content, self._content = bytes(self._content), bytearray()
        return content


class Muxer:
    """A container that is written as its packets come: ``format`` is FFmpeg's name, ``options`` are its own."""

    def __init__(self, what: Coded, format: str, options: Mapping[str, str] | None = None) -> None:
        self._what = what
        self._written = _Written()
        wanted = {**CONTAINER_OPTIONS.get(format, {}), "flush_packets": "1", **(options or {})}
        self._container = av.open(self._written, "w", format=format, options=wanted)
        with av.open(io.BytesIO(what.matroska)) as template:
            self._stream = self._container.add_stream_from_template(template.streams.video[0])

    def packet(self, number: int, seconds: Fraction) -> bytes:
        """The bytes by which the container grows with the picture of this number at this time."""
        place = number % len(self._what.packets)
        packet = av.Packet(self._what.packets[place])
        packet.is_keyframe = self._what.keys[place]
        packet.time_base = CLOCK
        packet.pts = packet.dts = round(seconds / CLOCK)
        packet.stream = self._stream
        self._container.mux(packet)
        return self._written.take()

    def close(self) -> bytes:
        """The bytes at its end."""
        self._container.close()
        return self._written.take()


def write_units(path: Path, what: Coded, format: str) -> Path:
    """Writes the pictures as ``h264`` or ``hevc``, each behind its length in four bytes, for the RTSP server."""
    muxer = Muxer(what, format)
    units = [muxer.packet(number, Fraction(number)) for number in range(len(what.packets))]
    path.write_bytes(b"".join(len(unit).to_bytes(4, "big") + unit for unit in units))
    muxer.close()
    return path
