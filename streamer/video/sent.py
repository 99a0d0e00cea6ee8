"""The packets that a decoder was given, known again when their pictures come out, whatever their times say."""

from __future__ import annotations

from dataclasses import dataclass

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

NO_PICTURE = "its data gave no picture"


@dataclass(slots=True, eq=False)
class Sent:
    """A packet: its ``number`` in the order in which they were sent in, and whether it is said to be a key frame.

    ``place`` is that of its picture among those shown: its time, after the number of jumps of the stream's clock
    before it; None where that is not known. ``why`` is what is said if its picture does not come, and ``told`` that
    it has been.
    """

    number: int
    key: bool
    place: tuple[int, int] | None = None
    why: str = NO_PICTURE
    told: bool = False


class SentPackets:
    """Marks the packets of a decoder: it hands each mark on with the picture that begins there (``opaque``)."""

    def __init__(self, context: VideoCodecContext) -> None:
        context.copy_opaque = True
        self._number = 0

    @property
    def last(self) -> int:
        """The number of the last packet."""
        return self._number - 1

    def mark(self, packet: Packet[VideoStream]) -> Sent:
        """A packet that is about to be sent in."""
        # Each has an object of its own: PyAV finds them by their addresses.
        sent = Sent(self._number, packet.is_keyframe)
        packet.opaque = sent
        self._number += 1
        return sent

    def of(self, frame: VideoFrame) -> Sent:
        """The packet of a picture; the last one, where the decoder does not hand it on."""
        sent = frame.opaque
        return sent if isinstance(sent, Sent) else Sent(self.last, frame.key_frame)
