"""The NAL units in a packet of H.264 or HEVC."""

from __future__ import annotations

from collections.abc import Iterator

_START = b"\0\0\1"
HEAD = 1 << 12
"""The bytes of a packet within which its first slice begins, behind parameters and messages."""
_ENOUGH = 512
"""The bytes that are given of each unit, from its beginning: enough for whole parameters."""


def after_start_codes(data: bytes) -> Iterator[bytes]:
    """The beginnings of the units of a byte stream (ITU-T H.264 and H.265, annex B)."""
    at = data.find(_START)
    while at >= 0:
        begin = at + 3
        at = data.find(_START, begin)
        yield data[begin : begin + _ENOUGH if at < 0 else min(at, begin + _ENOUGH)]


def after_lengths(data: bytes, size: int) -> Iterator[bytes]:
    """The beginnings of the units of a packet in which each stands behind its length, in ``size`` bytes."""
    at = 0
    while at + size < len(data):
        begin = at + size
        at = begin + int.from_bytes(data[at:begin])
        yield data[begin : min(at, begin + _ENOUGH)]


def units(data: bytes, size: int) -> Iterator[bytes]:
    """The beginnings of a packet's units: behind lengths in ``size`` bytes, or behind start codes if that is 0."""
    return after_lengths(data, size) if size else after_start_codes(data)


def length_size(codec: str, extradata: bytes) -> int:
    """The bytes of a unit's length by a configuration record (ISO/IEC 14496-15); 0 where there are start codes."""
    at = {"h264": 4, "hevc": 21}[codec]
    # A record begins with 1; with it there are lengths in place of start codes.
    return extradata[at] % 4 + 1 if extradata[:1] == b"\1" and len(extradata) > at + 2 else 0


def payload(unit: bytes, header: int) -> bytes:
    """The payload of a unit behind its ``header`` bytes, without emulation prevention bytes (ITU-T H.264, 7.4.1)."""
    return unit[header:].replace(b"\0\0\3", b"\0\0")
