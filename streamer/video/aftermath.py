"""The pictures that come after damage: those behind it refer to it, up to a picture that refers to none before it.

Such a picture is a key frame as FFmpeg marks it (IDR pictures and recovery points of H.264 at which all is refreshed
at once, IRAP pictures of HEVC, I pictures of MPEG), or the picture that completes a round of intra refresh.
"""

from __future__ import annotations

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.video.nal_units import HEAD
from streamer.video.recovery import CODECS, RecoveryPoints
from streamer.video.sent import Sent

_PAINTING = ("mpeg4", "h263", "flv1")
"""Codecs for which FFmpeg paints missing references, unmarked, when decoding begins behind a key frame."""
_KEPT = 32
"""More than the number of key frames that a decoder holds back."""


class Aftermath:
    """Follows damage through the pictures of a decoder, which come in the order of presentation.

    In that order pictures behind a key frame refer to none before it.
    """

    def __init__(self, context: VideoCodecContext) -> None:
        codec = context.codec.canonical_name
        self._points = RecoveryPoints(codec, context.extradata or b"") if codec in CODECS else None
        self._since: list[int] = [-1] if codec in _PAINTING else []
        self._last_key = -1
        self._began = codec in _PAINTING

    @property
    def lasts(self) -> bool:
        """Whether damage has not ended; a beginning behind a key frame is no damage."""
        return any(one >= 0 for one in self._since)

    def sent(self, sent: Sent, packet: Packet[VideoStream]) -> None:
        """Call when a packet is about to be decoded."""
        if sent.key:
            self._last_key = sent.number
        if self._since and self._points is not None:
            self._points.sent(sent.number, bytes(memoryview(packet)[:HEAD]))

    def hurt(self, number: int) -> None:
        """Call when the packet of this number is damaged, or gave no picture."""
        # Behind the last key frame the first damage is enough.
        if not any(self._last_key < one <= number for one in self._since):
            self._since.append(number)
            # So is one before the key frames that are still to come.
            del self._since[1:-_KEPT]

    def holds(self, sent: Sent, frame: VideoFrame, *, damaged: bool) -> bool:
        """Whether the next picture in the order of presentation may show damage; always where it is ``damaged``."""
        begins, self._began = not self._began, True
        if begins and self._last_key < 0:
            # Decoding begins without a key frame: the packets before this could not be decoded.
            self._since.clear()
        if damaged:
            self.hurt(sent.number)
        if not self._since:
            return False
        # A packet of H.264 is also called a key frame when it begins a round of intra refresh.
        if frame.key_frame or (sent.key and self._points is None):
            # A damaged key frame ends earlier damage, not its own, whether or not FFmpeg has marked it.
            self._end(sent.number)
        elif self._points is not None and (begin := self._points.reached(sent.number, or_before=begins)) is not None:
            self._end(begin)
        return any(one <= sent.number for one in self._since)

    def _end(self, before: int) -> None:
        """Ends the damage of packets before this one."""
        self._since = [one for one in self._since if one >= before]
        if not self._since and self._points is not None:
            self._points.forget()
