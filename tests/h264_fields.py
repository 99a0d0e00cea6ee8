"""H.264 coded by fields, which no free encoder makes: each picture is one grey, stored uncompressed (I_PCM).

All references are to ITU-T H.264.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

SIZE = 32
"""Width and height of a frame: 2 x 2 macroblocks, so that a field has 2."""


class _Writer:
    """Bits, most significant first."""

    def __init__(self) -> None:
        self.bits = ""

    def number(self, value: int, width: int) -> _Writer:
        self.bits += f"{value:0{width}b}"
        return self

    def golomb(self, *values: int) -> _Writer:
        """Unsigned Exp-Golomb numbers (9.1)."""
        for value in values:
            code = f"{value + 1:b}"
            self.bits += "0" * (len(code) - 1) + code
        return self

    def align(self) -> _Writer:
        self.bits += "0" * (-len(self.bits) % 8)
        return self

    def unit(self, kind: int, reference: int = 3) -> bytes:
        """A unit of a byte stream (7.3.1, annex B), its trailing bits written."""
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        payload = int(bits, 2).to_bytes(len(bits) // 8)
        # It may hold no start code.
        payload = re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload)
        return b"\0\0\0\1" + bytes([reference << 5 | kind]) + payload


def parameters() -> bytes:
    """Sequence and picture parameters (7.3.2.1, 7.3.2.2): main profile, frames or fields, shown as they are coded."""
    sequence = _Writer().number(77, 8).number(0, 8).number(30, 8).golomb(0, 0, 2, 1).number(0, 1)
    # Two macroblocks wide, and a pair of them high; fields are allowed, frames of mixed macroblocks are not.
    sequence.golomb(1, 0).number(0b00, 2).number(0b1, 1).number(0b00, 2)
    picture = _Writer().golomb(0, 0).number(0b00, 2).golomb(0, 0, 0).number(0, 1).number(0, 2)
    picture.golomb(0, 0, 0).number(0b100, 3)
    return sequence.unit(7) + picture.unit(8)


def _slice(grey: int, frame_number: int, *, field: str, idr: bool, idr_number: int) -> bytes:
    """A picture of one slice (7.3.3, 7.3.4): ``field`` is t (top), b (bottom) or f (a frame)."""
    writer = _Writer().golomb(0, 7, 0).number(frame_number % 16, 4)
    writer.number({"f": 0b0, "t": 0b10, "b": 0b11}[field], 1 if field == "f" else 2)
    if idr:
        writer.golomb(idr_number).number(0b00, 2)
    else:
        writer.number(0, 1)
    writer.golomb(0, 1)
    for _ in range(4 if field == "f" else 2):
        writer.golomb(25).align()
        writer.bits += f"{grey:08b}" * 256 + f"{128:08b}" * 128
    return writer.unit(5 if idr else 1)


def packets(pattern: Sequence[str]) -> list[bytes]:
    """A packet for each item of ``pattern``, which names the pictures in it, such as "tb", "t", "b" or "f".

    A field that follows one of the other parity is the second of its frame. Frame n has the grey 20 + 2 n.
    """
    found, number, first = [], -1, ""
    for item in pattern:
        data = b"\0\0\0\1\x09\x10"  # an access unit delimiter
        for field in item:
            second = first != "" and field != "f" and field != first
            if not second:
                number += 1
            idr = number == 0 and not second
            if idr:
                data += parameters()
            data += _slice(20 + 2 * number, number, field=field, idr=idr, idr_number=0)
            first = "" if second or field == "f" else field
        found.append(data)
    return found
