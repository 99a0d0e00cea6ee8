"""Recovery points: pictures other than key frames from which on a stream can be decoded again.

Cameras that refresh a part of each picture (intra refresh) send a message with the first picture of a round, which
says at which picture the round is complete. References are to ITU-T H.264 (D.2.8) and H.265 (D.3.8).
"""

from __future__ import annotations

from contextlib import suppress

from streamer.video.bits import Bits
from streamer.video.nal_units import length_size, payload, units

CODECS = ("h264", "hevc")
_RECOVERY_POINT = 6
"""The type of the message in both codecs."""


class RecoveryPoints:
    """Finds the recovery points of a stream of ``codec`` in its packets, one after the other."""

    def __init__(self, codec: str, extradata: bytes) -> None:
        self._hevc = codec == "hevc"
        self._length_size = length_size(codec, extradata)
        self._round: tuple[int, int] | None = None
        self._over: tuple[int, int] | None = None

    def sent(self, number: int, head: bytes) -> None:
        """Adds the beginning of the next packet, and its number."""
        count, is_reference = self._read(head)
        if self._round is not None and is_reference:
            self._count_down(number, *self._round)
        if self._round is None and count is not None:
            self._round = (number, count + 1)
            self._count_down(number, *self._round)

    def reached(self, number: int, *, or_before: bool) -> int | None:
        """The packet that began the round which the picture of packet ``number`` completes; None where there is none.

        Damage before the beginning of the round is over. With ``or_before`` the round may also be completed by an
        earlier picture that did not come.
        """
        if self._over is None or not (self._over[0] == number or (or_before and self._over[0] < number)):
            return None
        return self._over[1]

    def forget(self) -> None:
        """Drops the rounds that are under way."""
        self._round = self._over = None

    def _count_down(self, number: int, begin: int, left: int) -> None:
        """Counts a picture of the round, of which ``left`` were to come."""
        self._round = (begin, left - 1) if left > 1 else None
        if self._round is None:
            self._over = (number, begin)

    def _read(self, head: bytes) -> tuple[int | None, bool]:
        """The pictures to the end of the round that this one begins, or None, and whether others may refer to it."""
        count, is_reference = None, False
        for unit in units(head, self._length_size):
            kind = (unit[0] >> 1 & 0x3F if self._hevc else unit[0] & 31) if unit else 0
            if kind == (39 if self._hevc else 6):
                count = _count(payload(unit, 2 if self._hevc else 1), self._hevc) if count is None else count
            elif kind < 32 if self._hevc else kind in (1, 2, 5):
                # HEVC counts all pictures in the order of presentation, H.264 those to which others refer.
                is_reference |= self._hevc or bool(unit[0] & 0x60)
        return count, is_reference


def _count(messages: bytes, signed: bool) -> int | None:
    """The pictures up to the end of the round by the recovery point among a unit's messages; None without one."""
    at = 0
    while at + 2 < len(messages):
        numbers = []
        for _ in range(2):  # type and size, each a number of 255s and a rest
            number = 0
            while at < len(messages) and messages[at] == 0xFF:
                number, at = number + 255, at + 1
            numbers.append(number + (messages[at] if at < len(messages) else 0))
            at += 1
        kind, size = numbers
        if kind == _RECOVERY_POINT:
            with suppress(ValueError):  # The message is damaged.
                bits = Bits(messages[at : at + size])
                return bits.signed_exp_golomb() if signed else bits.exp_golomb()
        at += size
    return None
