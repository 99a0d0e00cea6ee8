"""The pictures of a live stream, as its packets come."""

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
"""The format whose packets are counted, so that FFmpeg knows when some are missing, and calls a packet corrupt."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, or why there is none where one was due.

    A picture ``after_damage`` may show it: what it refers to was damaged or did not come, or it is so itself.
    """

    what: VideoFrame | str
    after_damage: bool = False

    @property
    def picture(self) -> VideoFrame | None:
        """The picture, if it is whole as far as FFmpeg knows."""
        return self.what if isinstance(self.what, VideoFrame) and not self.what.is_corrupt else None


def live_pictures(packets: Iterable[Packet[VideoStream]], video: VideoStream) -> Generator[Decoded, None, None]:
    """Pictures as they come, and of each packet that shows none and should, why, at the latest before the next one.

    Reasons before the first picture are no frames: decoding began behind what they refer to. They come so that nobody
    waits for it for ever. Raises what reading the packets does.
    """
    decoder = _Decoder(video)
    for packet in packets:
        # An empty packet in the middle would end the decoding there.
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
        # Each segment of a playlist counts anew (RFC 8216, 3), and its packets are called corrupt for that.
        self._counted = video.container.format.name == _COUNTED
        self._flagged = False

    def decode(self, packet: Packet[VideoStream]) -> Iterator[Decoded]:
        """What comes when this packet is sent in."""
        sent = self._packets.mark(packet)
        self._due.sent(sent, packet)
        self._aftermath.sent(sent, packet)
        if self._counted:
            # A parser cuts the packets, and puts the flag on the one before that in which some are missing.
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
        """What the decoder had held back when no more packets come."""
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
