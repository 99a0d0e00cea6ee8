"""Small real videos of every kind, made with PyAV, and the ways in which videos break.

Each picture shows its number as black and white bars, by which a test recognises the frame.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.stream import Disposition
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from streamer.frame import Image

NUMBER_BITS = 16
"""Bars in a picture: its number in binary, most significant bit on the left."""

FASTSTART = {"movflags": "faststart"}
"""Container options for an MP4 with its index at the front."""


def numbered_picture(number: int, width: int = 64, height: int = 48) -> Image:
    """A grey BGR picture whose upper half spells ``number`` (below 65,536) in bars."""
    image = np.full((height, width, 3), 96, np.uint8)
    columns = np.arange(width) * NUMBER_BITS // width
    bits = number >> (NUMBER_BITS - 1 - columns) & 1
    image[: height // 2] = np.where(bits, 235, 20).astype(np.uint8)[None, :, None]
    return image


def number_of(image: Image) -> int:
    """The number that ``numbered_picture`` put into an upright picture."""
    height, width = image.shape[:2]
    centres = (2 * np.arange(NUMBER_BITS) + 1) * width // (2 * NUMBER_BITS)
    bits = image[height // 4, centres].mean(axis=1) > 128
    return int("".join("1" if bit else "0" for bit in bits), 2)


def write_video(
    path: Path,
    pictures: int | Sequence[Image] = 30,
    *,
    size: tuple[int, int] = (64, 48),
    rate: Fraction = Fraction(25),
    ticks: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    keyframe_every: int = 12,
    rotation: int = 0,
    options: Mapping[str, str] | None = None,
    container_options: Mapping[str, str] | None = None,
    format: str | None = None,
) -> Path:
    """A video of numbered pictures (or of the given ones); the ending of ``path`` chooses the container.

    ``ticks`` are the presentation times in units of ``time_base``, by default one per frame at ``rate``;
    ``rotation`` is written as metadata, counter-clockwise in degrees; ``size`` is width and height.
    """
    if isinstance(pictures, int):
        pictures = [numbered_picture(number, *size) for number in range(pictures)]
    with av.open(str(path), "w", format=format, container_options=dict(container_options or {})) as container:
        stream = container.add_stream(codec, rate=rate, options=dict(options or {}))
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.gop_size = keyframe_every
        stream.codec_context.time_base = time_base or 1 / rate
        if pixel_format.startswith("gray"):
            stream.color_range = ColorRange.JPEG
        if rotation:
            stream.set_display_rotation(rotation)
        for number, image in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = number if ticks is None else ticks[number]
            frame.time_base = time_base or 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


ORIENTATIONS = (
    *((1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)),
    *((0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0)),
)
"""The parts a, b, c, d of the display matrices of a camera's eight orientations; four of them are mirrored."""


def as_it_lies(upright: Image, matrix: tuple[int, int, int, int]) -> Image:
    """The picture as it is stored by a camera that sends this display matrix."""
    a, b, c, d = matrix
    turned = upright.swapaxes(0, 1) if b else upright
    # Pixel (x, y) is shown at (ax + cy, bx + dy).
    x, y = (b, c) if b else (a, d)
    return np.ascontiguousarray(turned[::y, ::x])


def set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Writes a display matrix into an MP4 or a MOV that has none."""
    a, b, c, d = (value << 16 for value in matrix)
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def copied(source: Path, target: Path, bitstream_filter: str | None = None) -> Path:
    """The same packets in another container, through a bitstream filter of FFmpeg if one is given."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        stream = given.streams.video[0]
        new = made.add_stream_from_template(stream)
        bitstream = BitStreamFilterContext(bitstream_filter or "null", stream)
        for packet in given.demux(stream):
            for filtered in bitstream.filter(packet) if packet.size else ():
                filtered.stream = new
                made.mux(filtered)
    return target


def joined_streams(path: Path, videos: Sequence[Path], dispositions: Sequence[Disposition] = ()) -> Path:
    """A file that holds the streams of these videos, one beside the other; by default none is the default one."""
    with ExitStack() as stack:
        target = stack.enter_context(av.open(str(path), "w"))
        sources = [stack.enter_context(av.open(str(video))) for video in videos]
        streams = [target.add_stream_from_template(source.streams.video[0]) for source in sources]
        for number, stream in enumerate(streams):
            stream.disposition = dispositions[number] if dispositions else Disposition(0)
        for source, stream in zip(sources, streams, strict=True):
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    return path


def cut_off(path: Path, share: float) -> Path:
    """The same file, cut off after ``share`` of its bytes."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def damage(path: Path, index: int, filler: int = 0xFF) -> Path:
    """The same file, the packet at ``index`` (in the order of the file) overwritten but for its start."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        position, size = packets[index].pos, packets[index].size
    assert position is not None
    content = bytearray(path.read_bytes())
    start = position + min(20, size // 2)
    content[start : position + size] = bytes([filler]) * (position + size - start)
    path.write_bytes(content)
    return path
