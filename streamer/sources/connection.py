"""A connection to a network stream: what comes over it, and why it fails."""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator
from contextlib import suppress
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.address import kind_of, without_credentials
from streamer.errors import SourceError
from streamer.sources import live
from streamer.vendors import pyav

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
PLAYLISTS = ("hls",)
"""Formats in which the size of what was opened is not that of the video."""
HUNG_UP = "hung up: the connection was closed; check the camera and the network"
UNDECODABLE = "gives no picture that can be decoded: check the camera's codec"


class Connection:
    """Connected when made, and closed by itself when it fails; ``video`` is the stream that is decoded.

    Raises SourceError, in ``read`` too, when nobody answers within ``live.TIMEOUT_S``, the connection is refused or
    lost, there is nothing at the address, user or password are wrong, or what comes is no video, or none that can be
    decoded; a stream that announces no end is lost when it ends.
    """

    def __init__(self, uri: str, now_us: Callable[[], int]) -> None:
        self._shown = without_credentials(uri)
        self._now_us = now_us
        self._came = False
        kind = kind_of(uri)
        start_us = now_us()
        try:
            self._container = pyav.open_input(
                # FFmpeg knows its protocols in lower case only.
                kind + uri[len(kind) :],
                options=RTSP if kind.startswith("rtsp") else {},
                timeout=(live.TIMEOUT_S, live.TIMEOUT_S),
            )
        except av.FFmpegError as error:
            # Without its cause: FFmpeg's own error holds the address with the credentials.
            raise self._failed(self._why(error, start_us)) from None
        try:
            self.video = self._only_video()
        except SourceError:
            self._container.close()
            raise
        self._arrivals = _decoded(self._container, self.video)
        self._announces_end = _announces_end(self._container)

    @property
    def comment(self) -> str:
        """What the stream says about itself."""
        return pyav.comment(self._container)

    @property
    def rate(self) -> Fraction | None:
        """Frames per second, None when it does not say."""
        for said in (self.video.average_rate, self.video.guessed_rate):
            rate = pyav.exact(said)
            if rate is not None and 0 < rate <= MOST_RATE:
                return rate
        return None

    def time_of(self, frame: VideoFrame) -> Fraction | None:
        """The frame's own time, in seconds from an arbitrary start."""
        # Not the frame's own time base: the last frames, which the decoder had held back, come without one.
        return None if frame.pts is None else frame.pts * pyav.time_base(self.video)

    def read(self) -> tuple[VideoFrame | str | None, int]:
        """The next frame, or why one cannot be decoded, and when it came; None at an end that was announced."""
        start_us = self._now_us()
        why = ""
        arrival: VideoFrame | str | None = None
        try:
            arrival = next(self._arrivals, None)
        except av.FFmpegError as error:
            why = self._why(error, start_us)
        arrived_us = self._now_us()
        if not why and self._timed_out(arrived_us - start_us):
            why = _nothing_came()  # but for what FFmpeg still had, which it gives when its time is up
        if not why and arrival is None and not self._announces_end:
            why = HUNG_UP
        if why:
            self.close()
            raise self._failed(why)
        self._came = True
        return arrival, arrived_us

    def first(self) -> tuple[VideoFrame, int]:
        """The first good frame: what comes before it, in the middle of a group of pictures, cannot be decoded."""
        start_us = self._now_us()
        while self._now_us() - start_us < FIRST_PICTURE_US:
            arrival, arrived_us = self.read()
            if isinstance(arrival, VideoFrame) and not arrival.is_corrupt:
                return arrival, arrived_us
            if arrival is None:
                break
        self.close()
        raise SourceError(f"{self._shown} {UNDECODABLE}")

    def close(self) -> None:
        """Lets go of it; may be called again."""
        self._arrivals.close()
        self._container.close()

    def _only_video(self) -> VideoStream:
        """The first video, without what else comes with it."""
        container = self._container
        # FFmpeg plays text, as an old terminal would.
        if not container.streams.video or container.format.name == "tty":
            raise SourceError(f"{self._shown} is no video: check the address")
        video = container.streams.video[0]
        if video.codec_context is None:
            raise SourceError(f"{self._shown} {UNDECODABLE}")
        for other in container.streams:
            if other is not video:
                other.discard = av.stream.Discard.all
        pyav.prepare(video.codec_context)
        return video

    def _failed(self, why: str) -> SourceError:
        return SourceError(f"{self._shown}: {why}")

    def _timed_out(self, took_us: int) -> bool:
        return took_us >= live.TIMEOUT_S * 1_000_000

    def _why(self, error: av.FFmpegError, start_us: int) -> str:
        """What went wrong, told apart, with its mend; the text is FFmpeg's, which holds no address."""
        # When its time is up, FFmpeg's RTSP says that it found invalid data.
        timed_out = self._timed_out(self._now_us() - start_us)
        match error:
            case _ if timed_out or isinstance(error, (av.ExitError, av.TimeoutError)):
                return _nothing_came()
            case av.ConnectionRefusedError():
                return "connection refused: check that it is switched on, and the port"
            case av.ConnectionResetError() | av.BrokenPipeError():
                return HUNG_UP
            case av.OSError(errno=errno.EIO) if self._came:  # HTTP's word for an end that was not announced
                return HUNG_UP
            case av.HTTPNotFoundError():
                return "not found (404): check the path"
            case av.HTTPUnauthorizedError():
                return "authentication failed (401): check user and password"
            case av.HTTPForbiddenError():
                return "authentication failed (403): this user may not see it"
            case av.InvalidDataError() if not self._came:
                return "is not a video that can be read: check the address"
            case av.OSError() if not self._came:
                return f"cannot be reached ({error.strerror}): check the name in the address, and the network"
            case _:
                return f"cannot be read ({error.strerror}): check the address and the network"


def _nothing_came() -> str:
    return f"timed out: nothing came for {live.TIMEOUT_S:g} s: check the camera and the network"


def _announces_end(container: InputContainer) -> bool:
    """It is a file that is served, not a camera."""
    sized = pyav.size(container) is not None and container.format.name not in PLAYLISTS
    return container.duration is not None or sized


def _decoded(container: InputContainer, video: VideoStream) -> Generator[VideoFrame | str, None, None]:
    """Frames as they come; of a packet that the decoder refuses, why."""
    context = video.codec_context
    for packet in pyav.demux(container, video):
        # An empty packet in the middle would end the decoding there.
        if packet.size:
            try:
                yield from context.decode(packet)
            except av.FFmpegError as error:
                yield str(error.strerror)
    with suppress(av.FFmpegError):
        yield from context.decode(None)
