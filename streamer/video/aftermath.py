"""Which pictures come after damage: what follows it refers to it, until a picture does that refers to none before.

That is a key frame as FFmpeg marks it (IDR pictures and recovery points of H.264 at which all is refreshed at once,
IRAP pictures of HEVC, I pictures of MPEG), or the picture with which a round of intra refresh is over.
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
"""Codecs of which FFmpeg paints what it lacks when decoding begins behind a key frame, and does not mark it."""
_KEPT = 32
"""More than the key frames that a decoder holds back."""


class Aftermath:
    """Follows damage through the pictures of a decoder.

    Pictures come in the order of presentation, so that those behind a key frame refer to none before it.
    """

    def __init__(self, context: VideoCodecContext) -> None:
        codec = context.codec.canonical_name
        self._points = RecoveryPoints(codec, context.extradata or b"") if codec in CODECS else None
        self._since: list[int] = [-1] if codec in _PAINTING else []
        self._last_key = -1
        self._began = codec in _PAINTING

    @property
    def lasts(self) -> bool:
        """There was damage, and no end of it since; that decoding began behind a key frame is none."""
        return any(one >= 0 for one in self._since)

    def sent(self, sent: Sent, packet: Packet[VideoStream]) -> None:
        """A packet is about to be decoded."""
        if sent.key:
            self._last_key = sent.number
        if self._since and self._points is not None:
            self._points.sent(sent.number, bytes(memoryview(packet)[:HEAD]))

    def hurt(self, number: int) -> None:
        """The packet of this number is damaged, or gave no picture."""
        # Behind the last key frame the first tells all.
        if not any(self._last_key < one <= number for one in self._since):
            self._since.append(number)
            # Of those before the key frames that are still to come one tells all.
            del self._since[1:-_KEPT]

    def holds(self, sent: Sent, frame: VideoFrame, *, damaged: bool) -> bool:
        """Whether the picture, the next one in the order of presentation, may show damage; it does if ``damaged``."""
        begins, self._began = not self._began, True
        if begins and self._last_key < 0:
            # Decoding begins without a key frame: what came before could not be decoded by rights.
            self._since.clear()
        if damaged:
            self.hurt(sent.number)
        if not self._since:
            return False
        # A packet of H.264 is called a key frame, too, when it begins a round of intra refresh.
        if frame.key_frame or (sent.key and self._points is None):
            # One that is damaged itself ends nothing of its own, whether or not FFmpeg has marked it.
            self._end(sent.number)
        elif self._points is not None and (begin := self._points.reached(sent.number, or_before=begins)) is not None:
            self._end(begin)
        return any(one <= sent.number for one in self._since)

    def _end(self, before: int) -> None:
        """Damage of packets before this one is over."""
        self._since = [one for one in self._since if one >= before]
        if not self._since and self._points is not None:
            self._points.forget()
