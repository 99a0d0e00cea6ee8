"""Counting the pictures that begin in a packet: most often one, but a packet is not a picture.

It may hold a field of a picture (H.264), two pictures (packed B-frames of MPEG-4), one that is never shown, or none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from streamer.video.h264 import FieldPairs
from streamer.video.hevc import ShownPictures
from streamer.video.mpeg4 import CodedPictures
from streamer.video.nal_units import HEAD

PictureCount: TypeAlias = "Callable[[Packet[VideoStream]], int]"
"""Called with each packet in the order of the file, returns how many pictures begin in it that will be shown."""

_SMALL = 32
"""The most bytes of a packet of MPEG-4 whose picture may not be coded: FFmpeg takes 19 or fewer for one."""


def picture_count(context: VideoCodecContext, *, closely: bool = False) -> PictureCount | None:
    """The count for the codec of a stream; None where each packet is a picture.

    Looked at ``closely``, H.264 may go on in fields with later parameters in the stream, and HEVC may skip pictures.
    """
    codec = context.codec.canonical_name
    extradata = context.extradata or b""
    if codec == "h264":
        pairs = FieldPairs(extradata)
        if pairs.needed:
            return lambda packet: pairs(bytes(packet))
        return _OfFrames(pairs) if closely and pairs.in_band else None
    if codec == "hevc" and closely:
        shown = ShownPictures(extradata)
        return lambda packet: shown(memoryview(packet))
    if codec == "mpeg4":
        pictures = CodedPictures(extradata)
        if context.has_b_frames:
            return lambda packet: pictures(bytes(packet))
        # Without B-frames none are packed: only packets that are too small for a coded picture are examined.
        return lambda packet: 1 if packet.size > _SMALL else pictures(bytes(packet))
    return {"vp8": _of_vp8, "vp9": _of_vp9, "theora": _of_theora}.get(codec)


class _OfFrames:
    """The count for H.264 without fields, until parameters come that allow them."""

    def __init__(self, pairs: FieldPairs) -> None:
        self._pairs = pairs

    def __call__(self, packet: Packet[VideoStream]) -> int:
        if not self._pairs.needed:
            self._pairs.learn(bytes(memoryview(packet)[:HEAD]))
        return self._pairs(bytes(packet)) if self._pairs.needed else 1


def _of_vp8(packet: Packet[VideoStream]) -> int:
    """The bit ``show_frame`` (RFC 6386, 9.1)."""
    return memoryview(packet)[0] >> 4 & 1


def _of_vp9(packet: Packet[VideoStream]) -> int:
    """1 by ``show_existing_frame`` or ``show_frame`` (VP9 bitstream specification, 6.2), else 0.

    A superframe (annex B) shows its last frame.
    """
    data = memoryview(packet)
    if data[-1] >> 5 == 0b110 or data[0] >> 6 != 0b10:
        return 1
    below_existing = 2 if data[0] >> 4 & 3 == 3 else 3  # profile 3 has a reserved bit before it
    return data[0] >> below_existing & 1 or data[0] >> below_existing - 2 & 1


def _of_theora(packet: Packet[VideoStream]) -> int:
    """0 for a header, by its first bit (Theora specification, 6.1): headers come again where files are joined."""
    return 1 - (memoryview(packet)[0] >> 7)
