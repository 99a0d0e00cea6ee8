"""H.264 coded by fields: the packets that begin a picture, and those that hold only the second field of one.

All references are to ITU-T H.264. Fields are paired as FFmpeg's decoder pairs them, since its pictures come out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from streamer.video.bits import Bits
from streamer.video.nal_units import after_start_codes, length_size, payload, units

_SLICE, _IDR_SLICE, _SPS, _PPS = 1, 5, 7, 8
_HEADER = 24
"""The bytes of a slice that hold the part of its header that is read."""

_WITH_CHROMA = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
"""Profiles whose sequence parameters have chroma and bit depth (7.3.2.1.1)."""


@dataclass(frozen=True, slots=True)
class _Sequence:
    """The sequence parameters with which a slice header is read."""

    frame_number_bits: int
    separate_planes: bool
    frames_only: bool


@dataclass(frozen=True, slots=True)
class _Slice:
    """A slice that begins a frame, or one of its fields."""

    field: bool
    bottom: bool
    frame_number: int
    reference: bool

    def completes(self, first: _Slice) -> bool:
        """Whether this is the second field of the frame that ``first`` began."""
        same = (self.frame_number, self.reference) == (first.frame_number, first.reference)
        # The second field of an IDR picture may be a P field: both are references.
        return self.field and self.bottom != first.bottom and same


class FieldPairs:
    """Counts the pictures that begin in each packet, in the order of the file.

    ``extradata`` are the parameters that the container or FFmpeg's parser holds. ``needed`` says whether the stream
    may have fields: without them each packet is a picture.
    """

    def __init__(self, extradata: bytes) -> None:
        self._length_size = length_size("h264", extradata)
        self._sequences: dict[int, _Sequence] = {}
        self._sequence_of: dict[int, int] = {}
        self._first: _Slice | None = None
        parameters = _recorded(extradata) if self._length_size else after_start_codes(extradata)
        for unit in parameters:
            self._slice(unit)

    @property
    def needed(self) -> bool:
        return any(not sequence.frames_only for sequence in self._sequences.values())

    @property
    def in_band(self) -> bool:
        """Whether parameters come with the pictures, as in a byte stream (annex B)."""
        return not self._length_size

    def learn(self, head: bytes) -> None:
        """Reads the parameters at the beginning of a packet, whose pictures are not counted."""
        for unit in units(head, self._length_size):
            if unit and unit[0] & 31 in (_SPS, _PPS):
                self._slice(unit)

    def __call__(self, packet: bytes) -> int:
        begun = begins = 0
        for unit in units(packet, self._length_size):
            found = self._slice(unit)
            if found is None:
                continue
            begins += 1
            if self._first is not None and found.completes(self._first):
                self._first = None
                continue
            self._first = found if found.field else None
            begun += 1
        # Where no picture begins, the packet is damaged or shows none: the decoder will say which.
        return begun if begins else 1

    def _slice(self, unit: bytes) -> _Slice | None:
        """The slice that begins a picture or a field in this unit, if one does; parameters are kept."""
        kind = unit[0] & 31 if unit else 0
        with suppress(ValueError):  # A damaged unit is left to the decoder.
            if kind == _SPS:
                number, sequence = _sequence(Bits(payload(unit, 1)))
                self._sequences[number] = sequence
            elif kind == _PPS:
                bits = Bits(payload(unit[:_HEADER], 1))
                self._sequence_of[bits.exp_golomb()] = bits.exp_golomb()
            elif kind in (_SLICE, _IDR_SLICE):
                return self._begun(bool(unit[0] & 0x60), Bits(payload(unit[:_HEADER], 1)))
        return None

    def _begun(self, reference: bool, bits: Bits) -> _Slice | None:
        """The slice header (7.3.3) up to its field flags; None for a slice that goes on with a picture."""
        first_macroblock, _kind, parameters = bits.exp_golomb(), bits.exp_golomb(), bits.exp_golomb()
        sequence = self._sequences.get(self._sequence_of.get(parameters, -1))
        if first_macroblock or sequence is None:
            return None
        if sequence.separate_planes and bits.number(2):
            return None
        frame_number = bits.number(sequence.frame_number_bits)
        field = not sequence.frames_only and bits.flag()
        return _Slice(field, field and bits.flag(), frame_number, reference)


def _sequence(bits: Bits) -> tuple[int, _Sequence]:
    """The number and the parameters of a sequence parameter set (7.3.2.1.1)."""
    profile = bits.number(8)
    bits.number(16)
    number = bits.exp_golomb()
    separate = False
    if profile in _WITH_CHROMA:
        chroma = bits.exp_golomb()
        separate = chroma == 3 and bits.flag()
        bits.exp_golomb(), bits.exp_golomb(), bits.flag()
        if bits.flag():
            _skip_scaling(bits, 12 if chroma == 3 else 8)
    frame_number_bits = bits.exp_golomb() + 4
    order = bits.exp_golomb()
    if order == 0:
        bits.exp_golomb()
    elif order == 1:
        bits.flag(), bits.signed_exp_golomb(), bits.signed_exp_golomb()
        for _ in range(bits.exp_golomb()):
            bits.signed_exp_golomb()
    bits.exp_golomb(), bits.flag(), bits.exp_golomb(), bits.exp_golomb()
    return number, _Sequence(frame_number_bits, separate, bits.flag())


def _skip_scaling(bits: Bits, lists: int) -> None:
    """Skips the scaling lists (7.3.2.1.1.1)."""
    for place in range(lists):
        if not bits.flag():
            continue
        scale = 8
        for _ in range(16 if place < 6 else 64):
            scale = (scale + bits.signed_exp_golomb()) % 256
            if scale == 0:
                break


def _recorded(record: bytes) -> Iterator[bytes]:
    """The parameter sets of a configuration record (ISO/IEC 14496-15, 5.3.3.1)."""
    at = 5
    for mask in (0x1F, 0xFF):
        count = record[at] & mask if at < len(record) else 0
        at += 1
        for _ in range(count):
            begin = at + 2
            at = begin + int.from_bytes(record[at:begin])
            yield record[begin:at]
