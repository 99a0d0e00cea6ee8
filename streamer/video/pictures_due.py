"""Which packets that a decoder was given should have shown a picture by now, and did not."""

from __future__ import annotations

from typing import cast

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.pictures import picture_count
from streamer.video.sent import Sent

_HELD, _HELD_IN_ORDER = 32, 2
"""Packets after which a picture has come, if it comes: where pictures stand out of order, 16 may wait for one that is
shown after 16 others; else some decoders take another packet or two."""
_HOLDING_ONE = ("mpeg1video", "mpeg2video", "mpeg4")
"""Codecs of which FFmpeg holds back one picture at most, the last one that others may refer to."""


class PicturesDue:
    """The packets of a stream whose pictures are to come; ``began`` says that the first one has.

    Packets that show none by rights are not among them (`picture_count`), nor those that belong before the first
    picture: decoding began behind what they refer to.
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
        """A packet is about to be decoded: notes whether a picture is due for it."""
        one.place = self._place(packet)
        shows = self._count is None or self._count(packet)
        if shows and not packet.is_discard:
            self._due.append(one)

    def came(self, one: Sent) -> list[Sent]:
        """The picture of a packet has come: those before it whose pictures are lost."""
        if one in self._due:
            self._due.remove(one)
        elif one.told and self.began:
            self._too_many += 1
        lost = self._before(one)
        if one.place is not None:
            self._shown = one.place if self._shown is None else max(one.place, self._shown)
        if not self.began:
            self.began = True
            if self._holds_one:
                self._due = self._due[-1:]  # the one for which it was let go
            return []
        return self._told(lost)

    def overdue(self) -> list[Sent]:
        """Those whose pictures would have come by now, once the pictures of the last packet have."""
        if len(self._due) < 2:
            return []
        if self._holds_one and self.began:
            return self._let_go(self._due[1:])
        oldest = self._due[-1].number - (_HELD if self._context.has_b_frames else _HELD_IN_ORDER)
        return self._let_go([one for one in self._due if one.number < oldest])

    def rest(self) -> list[Sent]:
        """Those whose pictures have not come when all have that the decoder had."""
        return self._let_go(list(self._due))

    def _place(self, packet: Packet[VideoStream]) -> tuple[int, int] | None:
        """Its time, behind those before a jump of the clock; None of one that is earlier than what was shown."""
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
        """Those that are due before it; nothing is to come before the first picture."""
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

    def _let_go(self, late: list[Sent]) -> list[Sent]:
        for one in late:
            self._due.remove(one)
        return self._told(late)

    def _told(self, lost: list[Sent]) -> list[Sent]:
        """In the order of presentation, as far as it is known; without as many as have been told wrongly before."""
        lost.sort(key=lambda one: one.place or (self._jumps, 0))
        wrong = min(self._too_many, len(lost))
        self._too_many -= wrong
        for one in lost[wrong:]:
            one.told = True
        return lost[wrong:]
