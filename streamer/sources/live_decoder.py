"""Decoding the pictures of a live stream as its packets come."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.video.aftermath import Aftermath
from streamer.video.pictures_due import PicturesDue
from streamer.video.sent import Sent, SentPackets

_COUNTED = "mpegts"
"""The format whose packets are counted, so that FFmpeg finds out when some are missing, and flags a packet."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, or why there is none where one was due.

    A picture ``after_damage`` may show damage: it refers to a picture that was damaged or did not come, or is damaged
    itself.
    """

    what: VideoFrame | str
    after_damage: bool = False

    @property
    def picture(self) -> VideoFrame | None:
        """The picture, if FFmpeg does not call it corrupt."""
        return self.what if isinstance(self.what, VideoFrame) and not self.what.is_corrupt else None


def live_pictures(packets: Iterable[Packet[VideoStream]], video: VideoStream) -> Generator[Decoded, None, None]:
    """Pictures as they come, and a reason for each packet that should have given one and did not.

    A reason comes before the next picture. Reasons before the first picture are no frames: decoding began behind the
    pictures that those packets refer to. They are reported so that the wait for a first picture ends. Raises what
    reading the packets raises.
    """
    decoder = _Decoder(video)
    for packet in packets:
        # An empty packet would end the decoding.
        if packet.size:
            yield from decoder.decode(packet)
    yield from decoder.rest()


class _Decoder:
    """Decodes a stream packet by packet, and accounts for each."""

    def __init__(self, video: VideoStream) -> None:
        self._context = video.codec_context
        self._packets = SentPackets(video.codec_context)
        self._due = PicturesDue(video)
        self._aftermath = Aftermath(video.codec_context)
        # Each segment of a playlist counts anew (RFC 8216, 3), for which FFmpeg flags packets.
        self._counted = video.container.format.name == _COUNTED
        self._flagged = False

    def decode(self, packet: Packet[VideoStream]) -> Iterator[Decoded]:
        """The pictures and reasons that follow from this packet."""
        sent = self._packets.mark(packet)
        self._due.sent(sent, packet)
        self._aftermath.sent(sent, packet)
        if self._counted:
            # A parser cuts the packets: the damaged one stands behind the one with the flag.
            if self._flagged:
                self._aftermath.hurt(sent.number)
            self._flagged = packet.is_corrupt
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError as error:
            sent.why = str(error.strerror)
            self._aftermath.hurt(sent.number)
            frames = []
        yield from self._came(frames)
        yield from self._lost(self._due.overdue())

    def rest(self) -> Iterator[Decoded]:
        """The pictures and reasons that the decoder held back until the last packet."""
        with suppress(av.FFmpegError):
            yield from self._came(self._context.decode(None))
        yield from self._lost(self._due.rest())

    def _came(self, frames: Iterable[VideoFrame]) -> Iterator[Decoded]:
        for frame in frames:
            sent = self._packets.of(frame)
            yield from self._lost(self._due.came(sent))
            yield Decoded(frame, self._aftermath.holds(sent, frame, damaged=frame.is_corrupt))

    def _lost(self, lost: Iterable[Sent]) -> Iterator[Decoded]:
        for sent in lost:
            if self._due.began:
                self._aftermath.hurt(sent.number)
            yield Decoded(sent.why)
