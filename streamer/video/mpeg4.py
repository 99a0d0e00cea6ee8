"""The pictures in packets of MPEG-4 part 2: one may hold two (packed B-frames), or none (not coded).

All references are to ISO/IEC 14496-2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from streamer.video.bits import Bits

_LAYER = re.compile(rb"\x00\x00\x01[\x20-\x2f]")
_PICTURE = b"\0\0\1\xb6"
_HEADER = 32
"""The bytes that hold the parts of the headers that are read."""


class CodedPictures:
    """Counts the pictures that come out for each packet; ``extradata`` holds the layer's header, or a packet does.

    FFmpeg's decoder gives one picture for a packet. It keeps the second of two for the next packet, and so on until a
    packet comes whose picture is not coded.
    """

    def __init__(self, extradata: bytes) -> None:
        self._time_bits: int | None = None
        self._find_layer(extradata)
        self._kept = False

    def __call__(self, packet: bytes) -> int:
        if self._time_bits is None:
            self._find_layer(packet)
        headers = [packet[at : at + _HEADER] for at in _ends(packet, _PICTURE)]
        # A packet without any is damaged, and left to the decoder.
        coded = not headers or any(map(self._is_coded, headers))
        kept, self._kept = self._kept, len(headers) > 1 or (self._kept and coded)
        return int(coded or kept)

    def _find_layer(self, data: bytes) -> None:
        if (layer := _LAYER.search(data)) is not None:
            with suppress(ValueError):  # A damaged header is left to the decoder.
                self._time_bits = _time_bits(Bits(data[layer.end() : layer.end() + _HEADER]))

    def _is_coded(self, header: bytes) -> bool:
        """Whether a picture is coded, by its header (6.2.5): type, seconds, marker, time, marker, and that flag."""
        if self._time_bits is None:
            return True
        bits = Bits(header)
        try:
            bits.number(2)
            while bits.flag():
                pass
            bits.number(1 + self._time_bits + 1)
            return bits.flag()
        except ValueError:
            return True


def _ends(data: bytes, code: bytes) -> Iterator[int]:
    """The places at which each ``code`` in the data ends."""
    at = data.find(code)
    while at >= 0:
        yield at + len(code)
        at = data.find(code, at + len(code))


def _time_bits(bits: Bits) -> int:
    """The bits of a picture's time, by the header of its layer (6.2.3). Raises ValueError."""
    bits.number(9)
    if bits.flag():
        bits.number(7)
    if bits.number(4) == 15:  # the shape of a pixel, as two numbers
        bits.number(16)
    if bits.flag():
        bits.number(3)
        if bits.flag():
            bits.number(79)
    if bits.number(2):
        raise ValueError("only rectangular pictures are known here")
    bits.flag()
    return max(1, (bits.number(16) - 1).bit_length())
