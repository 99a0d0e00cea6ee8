"""HEVC pictures that are not shown, since decoding begins behind the pictures that they refer to.

All references are to ITU-T H.265.
"""

from __future__ import annotations

from streamer.video.nal_units import HEAD, length_size, units

_FIRST_OF_NO_PICTURE = 32
"""Units of this type and above hold no part of a picture (table 7-1)."""
_RASL = (8, 9)
_IRAP = range(16, 24)
_BLA = range(16, 19)
_CRA = 21
_END_OF_SEQUENCE = b"\x48\1"


class ShownPictures:
    """Counts the pictures of each packet that are shown, in the order of the stream.

    Leading pictures that may refer to pictures before a BLA picture, or a CRA picture at which decoding begins, are
    skipped (8.1.3). FFmpeg does so without an error.
    """

    def __init__(self, extradata: bytes) -> None:
        self._length_size = length_size("hevc", extradata)
        self._begins = True
        self._skips = False

    def __call__(self, packet: memoryview) -> int:
        kind = self._kind(bytes(packet[:HEAD]))
        if kind in _IRAP:
            self._skips = kind in _BLA or (kind == _CRA and self._begins)
            self._begins = False
        # A sequence ends with this packet: the next one begins another.
        self._begins |= bytes(packet[-len(_END_OF_SEQUENCE) :]) == _END_OF_SEQUENCE
        return 0 if kind in _RASL and self._skips else 1

    def _kind(self, head: bytes) -> int | None:
        """The type of the picture's first unit (7.4.2.2); None where there is none."""
        kinds = (unit[0] >> 1 & 0x3F for unit in units(head, self._length_size) if unit)
        return next((kind for kind in kinds if kind < _FIRST_OF_NO_PICTURE), None)
