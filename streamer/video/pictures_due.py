"""The packets sent to a decoder that should have shown a picture by now, and did not."""

from __future__ import annotations

from typing import cast

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.pictures import picture_count
from streamer.video.sent import Sent

_HELD, _HELD_IN_ORDER = 32, 2
"""The most packets before a picture comes: where pictures stand out of order, 16 may wait for one that is shown after
16 others; else some decoders need another packet or two."""
_HOLDING_ONE = ("mpeg1video", "mpeg2video", "mpeg4")
"""Codecs for which FFmpeg holds back one picture at most, the last one that others may refer to."""


class PicturesDue:
    """The packets of a stream whose pictures are due; ``began`` says that the first picture has come.

    Packets that are not to show one are left out (`picture_count`), as are those before the first picture: decoding
    began behind the pictures that they refer to.
    """

    def __init__(self, video: VideoStream) -> None:
        context = self._context = video.codec_context
        self._count = picture_count(context, closely=True)
        container = cast(InputContainer, video.container)
        # Times may ignore that pictures stand out of order: an AVI has none of its own.
        timed = container.format.name != "avi" and not pyav.has_no_times(container)
        self._holds_one = context.codec.canonical_name in _HOLDING_ONE
        self._ordered = timed and not self._holds_one
        self._due: list[Sent] = []
        self._jumps = 0
        self._decode_tick: int | None = None
        self._shown: tuple[int, int] | None = None
        self.began = False
        self._too_many = 0

    def sent(self, one: Sent, packet: Packet[VideoStream]) -> None:
        """Call when a packet is about to be decoded: a picture may be due for it."""
        one.place = self._place(packet)
        shows = self._count is None or self._count(packet)
        if shows and not packet.is_discard:
            self._due.append(one)

    def came(self, one: Sent) -> list[Sent]:
        """Call when the picture of a packet has come; returns the packets before it whose pictures are lost."""
        if one in self._due:
            self._due.remove(one)
        elif one.reported and self.began:
            self._too_many += 1
        lost = self._before(one)
        if one.place is not None:
            self._shown = one.place if self._shown is None else max(one.place, self._shown)
        if not self.began:
            self.began = True
            if self._holds_one:
                self._due = self._due[-1:]  # the packet with which the decoder released it
            return []
        return self._reported(lost)

    def overdue(self) -> list[Sent]:
        """The packets whose pictures would have come by now; call after the pictures of the last packet."""
        if len(self._due) < 2:
            return []
        if self._holds_one and self.began:
            return self._given_up(self._due[1:])
        oldest = self._due[-1].number - (_HELD if self._context.has_b_frames else _HELD_IN_ORDER)
        return self._given_up([one for one in self._due if one.number < oldest])

    def rest(self) -> list[Sent]:
        """The packets whose pictures have not come when the decoder is empty."""
        return self._given_up(list(self._due))

    def _place(self, packet: Packet[VideoStream]) -> tuple[int, int] | None:
        """The picture's time, behind the times before a jump of the clock; None if it is earlier than one shown."""
        tick, decode_tick = packet.pts, packet.dts
        if decode_tick is not None:
            self._jumps += self._decode_tick is not None and decode_tick < self._decode_tick
            self._decode_tick = decode_tick
        if tick is None:
            return None
        if self._shown is not None and (self._jumps, tick) <= self._shown:
            if decode_tick is not None:
                return None
            self._jumps += 1
        return self._jumps, tick

    def _before(self, one: Sent) -> list[Sent]:
        """Removes and returns the packets that are due before this one, all of them before the first picture."""
        in_order = not self._context.has_b_frames or not self.began
        earlier = [
            other
            for other in self._due
            if (in_order and other.number < one.number)
            or (self._ordered and one.place is not None and other.place is not None and other.place < one.place)
        ]
        for other in earlier:
            self._due.remove(other)
        return earlier

    def _given_up(self, late: list[Sent]) -> list[Sent]:
        for one in late:
            self._due.remove(one)
        return self._reported(late)

    def _reported(self, lost: list[Sent]) -> list[Sent]:
        """The lost packets in the order of presentation, if it is known, less as many as were reported wrongly."""
        lost.sort(key=lambda one: one.place or (self._jumps, 0))
        wrong = min(self._too_many, len(lost))
        self._too_many -= wrong
        for one in lost[wrong:]:
            one.reported = True
        return lost[wrong:]
