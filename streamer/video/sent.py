"""The packets sent to a decoder, which are found again by their pictures, whatever the times of these."""

from __future__ import annotations

from dataclasses import dataclass

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

NO_PICTURE = "its data gave no picture"


@dataclass(slots=True, eq=False)
class Sent:
    """A packet: its ``number`` in the order in which packets were sent, and whether it is marked as a key frame.

    ``place`` is that of its picture in the order of presentation: the number of jumps of the stream's clock before
    it, and its time in ticks; None where that is not known. ``why`` is the reason to report if its picture does not
    come, and ``reported`` says that it was.
    """

    number: int
    key: bool
    place: tuple[int, int] | None = None
    why: str = NO_PICTURE
    reported: bool = False


class SentPackets:
    """Marks the packets of a decoder, which hands each mark on with the picture that begins there (``opaque``)."""

    def __init__(self, context: VideoCodecContext) -> None:
        context.copy_opaque = True
        self._number = 0

    @property
    def last(self) -> int:
        """The number of the last packet."""
        return self._number - 1

    def mark(self, packet: Packet[VideoStream]) -> Sent:
        """Marks a packet that is about to be sent."""
        # Each packet has an object of its own: PyAV finds them by their addresses.
        sent = Sent(self._number, packet.is_keyframe)
        packet.opaque = sent
        self._number += 1
        return sent

    def of(self, frame: VideoFrame) -> Sent:
        """The packet of a picture; the last packet where the decoder hands no mark on."""
        sent = frame.opaque
        return sent if isinstance(sent, Sent) else Sent(self.last, frame.key_frame)
