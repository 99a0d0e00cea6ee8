"""Recovery points: pictures without a key frame among them from which on a stream can be decoded again.

Cameras that refresh a part of each picture (intra refresh) send a message with the first of a round, which says with
which picture all is refreshed. References are to ITU-T H.264 (D.2.8) and H.265 (D.3.8).
"""

from __future__ import annotations

from contextlib import suppress

from streamer.video.bits import Bits
from streamer.video.nal_units import length_size, payload, units

CODECS = ("h264", "hevc")
_RECOVERY_POINT = 6
"""The kind of the message, in both."""


class RecoveryPoints:
    """Finds the recovery points of a stream of ``codec``, in the packets that it is given one after the other."""

    def __init__(self, codec: str, extradata: bytes) -> None:
        self._hevc = codec == "hevc"
        self._length_size = length_size(codec, extradata)
        self._round: tuple[int, int] | None = None
        self._over: tuple[int, int] | None = None

    def sent(self, number: int, head: bytes) -> None:
        """The beginning of the next packet, and its number."""
        count, is_reference = self._read(head)
        if self._round is not None and is_reference:
            self._count_down(number, *self._round)
        if self._round is None and count is not None:
            self._round = (number, count + 1)
            self._count_down(number, *self._round)

    def reached(self, number: int, *, or_before: bool) -> int | None:
        """The packet with which the round began that is over with the picture of this one; None if none is.

        What was damaged before that one harms no longer. The picture may be one ``or_before`` that did not come.
        """
        if self._over is None or not (self._over[0] == number or (or_before and self._over[0] < number)):
            return None
        return self._over[1]

    def forget(self) -> None:
        """Rounds that are under way are of no interest any more."""
        self._round = self._over = None

    def _count_down(self, number: int, begin: int, left: int) -> None:
        """One picture less is to come of a round."""
        self._round = (begin, left - 1) if left > 1 else None
        if self._round is None:
            self._over = (number, begin)

    def _read(self, head: bytes) -> tuple[int | None, bool]:
        """How many pictures after this one all is refreshed, if it says so, and whether others may refer to it."""
        count, is_reference = None, False
        for unit in units(head, self._length_size):
            kind = (unit[0] >> 1 & 0x3F if self._hevc else unit[0] & 31) if unit else 0
            if kind == (39 if self._hevc else 6):
                count = _count(payload(unit, 2 if self._hevc else 1), self._hevc) if count is None else count
            elif kind < 32 if self._hevc else kind in (1, 2, 5):
                # HEVC counts in the order of presentation, H.264 pictures to which others refer.
                is_reference |= self._hevc or bool(unit[0] & 0x60)
        return count, is_reference


def _count(messages: bytes, signed: bool) -> int | None:
    """Of a recovery point among the messages of a unit, how many pictures later all is refreshed."""
    at = 0
    while at + 2 < len(messages):
        numbers = []
        for _ in range(2):  # kind and size, each as many 255s and a rest
            number = 0
            while at < len(messages) and messages[at] == 0xFF:
                number, at = number + 255, at + 1
            numbers.append(number + (messages[at] if at < len(messages) else 0))
            at += 1
        kind, size = numbers
        if kind == _RECOVERY_POINT:
            with suppress(ValueError):  # It is damaged.
                bits = Bits(messages[at : at + size])
                return bits.signed_exp_golomb() if signed else bits.exp_golomb()
        at += size
    return None
