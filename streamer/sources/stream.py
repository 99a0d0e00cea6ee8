"""A network stream: RTSP, or whatever video comes over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from streamer.errors import SourceError
from streamer.frame import Frame, Image
from streamer.schedule import MOST_DENOMINATOR
from streamer.size_changes import SizeChanges
from streamer.source import SourceInfo, Unreadable
from streamer.sources import live
from streamer.sources.addresses import kind_of, without_credentials

FIRST_PICTURE_US = 20_000_000
"""How long a stream may go on without a picture that can be decoded, at its start: two long key frame intervals."""
MOST_RATE = 1000
"""Frames per second: what streams say beyond this are the ticks of their clock."""
RTSP = {
    # Over UDP lost packets tear pictures, and firewalls let nothing through.
    "rtsp_transport": "tcp",
    # What was read to find out about the stream is old by then. (A file over HTTP is to come from its first frame.)
    "fflags": "nobuffer",
}


class StreamSource:
    """A video stream at an address; a file served over HTTP ends, and comes as fast as it is read.

    A frame has arrived when the decoder has it; converting it to BGR comes after. All images have the size of the
    first. An address with credentials is used as it is and shown without them.

    Raises SourceError, in ``read`` too, when nobody answers within ``live.TIMEOUT_S``, the connection is refused,
    there is nothing at the address, user or password are wrong, or what comes is no video.
    """

    def __init__(self, uri: str, *, now_us: Callable[[], int], stream: int = 0) -> None:
        self._shown = without_credentials(uri)
        self._now_us = now_us
        self._stream = stream
        self._timeline = live.Timeline()
        self._next = 0
        self._doubts: list[str] = []
        self._sizes = SizeChanges()
        self._reformatter = VideoReformatter()
        self._coded_size: tuple[int, int] | None = None
        self._container, self._video = self._open(uri)
        self._arrivals = self._decode()
        self._first: Frame | None = None
        try:
            self._first = self._first_frame()
            self.info = self._describe(self._first)
        except BaseException:
            self.close()
            raise

    @property
    def doubts(self) -> list[str]:
        return [*self._doubts, *self._sizes.doubts, *self._timeline.doubts]

    def read(self) -> Frame | Unreadable | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        start_us = self._now_us()
        try:
            arrival = next(self._arrivals, None)
        except av.FFmpegError as error:
            # Without its cause: FFmpeg's own error holds the address with the credentials.
            raise self._failure(error, start_us) from None
        arrived_us = self._now_us()
        return None if arrival is None else self._item(arrival, arrived_us)

    def pts(self, index: int) -> Fraction | None:
        return None

    def close(self) -> None:
        self._arrivals = iter(())
        self._container.close()

    def _open(self, uri: str) -> tuple[InputContainer, VideoStream]:
        kind = kind_of(uri)
        start_us = self._now_us()
        try:
            container = av.open(
                # FFmpeg knows its protocols in lower case only.
                kind + uri[len(kind) :],
                options=RTSP if kind.startswith("rtsp") else {},
                timeout=(live.TIMEOUT_S, live.TIMEOUT_S),
                metadata_errors="replace",
            )
        except av.FFmpegError as error:
            raise self._failure(error, start_us) from None
        # FFmpeg plays text, as an old terminal would.
        if not container.streams.video or container.format.name == "tty":
            container.close()
            raise SourceError(f"{self._shown} is no video: check the address")
        video = container.streams.video[0]
        for other in container.streams:
            if other is not video:
                other.discard = av.stream.Discard.all
        # Slices, not frames: frame threads hold frames back, which would then seem to arrive later than they did.
        video.codec_context.thread_type = "SLICE"
        return container, video

    def _decode(self) -> Iterator[VideoFrame | str]:
        """Frames as they come; of a packet that the decoder refuses, why."""
        context = self._video.codec_context
        for packet in self._container.demux(self._video):
            # An empty packet in the middle would end the decoding there.
            if packet.size:
                try:
                    yield from context.decode(packet)
                except av.FFmpegError as error:
                    yield str(error.strerror)
        with suppress(av.FFmpegError):
            yield from context.decode(None)

    def _first_frame(self) -> Frame:
        """The first good frame: what comes before it, in the middle of a group of pictures, cannot be decoded."""
        start_us = self._now_us()
        while self._now_us() - start_us < FIRST_PICTURE_US and (item := self.read()) is not None:
            if isinstance(item, Frame):
                return item
            self._next = 0
            self._timeline = live.Timeline()
        raise SourceError(f"{self._shown} gives no picture that can be decoded: check the camera's codec")

    def _item(self, arrival: VideoFrame | str, arrived_us: int) -> Frame | Unreadable:
        index = self._next
        self._next += 1
        if isinstance(arrival, str):
            pts = self._timeline.lost(arrived_us)
            return Unreadable(self._stream, index, pts, f"frame {index} could not be decoded: {arrival}", arrived_us)
        # Not the frame's own time base: the last frames, which the decoder had held back, come without one.
        own = None if arrival.pts is None else arrival.pts * cast(Fraction, self._video.time_base)
        pts = self._timeline.pts(own, arrived_us)
        if arrival.is_corrupt:
            reason = f"frame {index} could not be decoded: its data is damaged"
            return Unreadable(self._stream, index, pts, reason, arrived_us)
        return Frame(self._stream, index, pts, self._image(index, arrival), arrived_us)

    def _image(self, index: int, frame: VideoFrame) -> Image:
        size = frame.width, frame.height
        if self._coded_size is None:
            self._coded_size = size
        if size != self._coded_size:
            self._sizes.count(index, *size)
        converted = self._reformatter.reformat(frame, *self._coded_size, "bgr24", threads=1)
        return np.ascontiguousarray(np.rot90(cast(Image, converted.to_ndarray()), frame.rotation // 90))

    def _describe(self, first: Frame) -> SourceInfo:
        height, width = first.image.shape[:2]
        return SourceInfo(
            uri=self._shown,
            width=width,
            height=height,
            rate=self._rate(),
            frames=None,
            time_base=live.MICROSECOND,
            comment=self._container.metadata.get("comment", ""),
            live=True,
        )

    def _rate(self) -> Fraction:
        for rate in (self._video.average_rate, self._video.guessed_rate):
            if rate and 0 < rate <= MOST_RATE:
                return rate.limit_denominator(MOST_DENOMINATOR)
        self._doubts.append(f"{self._shown} does not say its frame rate: {live.NOMINAL_RATE} is taken for it")
        return live.NOMINAL_RATE

    def _failure(self, error: av.FFmpegError, start_us: int) -> SourceError:
        """The error, told apart, with its mend; its text is FFmpeg's, which holds no address."""
        # When its time is up, FFmpeg's RTSP says that it found invalid data.
        timed_out = self._now_us() - start_us >= live.TIMEOUT_S * 1_000_000
        match error:
            case _ if timed_out or isinstance(error, (av.ExitError, av.TimeoutError)):
                what = f"timed out: nothing came for {live.TIMEOUT_S:g} s: check the camera and the network"
            case av.ConnectionRefusedError():
                what = "connection refused: check that it is switched on, and the port"
            case av.HTTPNotFoundError():
                what = "not found (404): check the path"
            case av.HTTPUnauthorizedError():
                what = "authentication failed (401): check user and password"
            case av.HTTPForbiddenError():
                what = "authentication failed (403): this user may not see it"
            case av.InvalidDataError() if not self._next:
                what = "is not a video that can be read: check the address"
            case _:
                what = f"cannot be read ({error.strerror}): check the address and the network"
        return SourceError(f"{self._shown}: {what}", frame=self._next or None)
