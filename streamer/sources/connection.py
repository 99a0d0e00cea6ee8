"""A connection to a network stream: its pictures, and why it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.address import without_credentials
from streamer.errors import NoSource, SourceError
from streamer.sources.access import Access
from streamer.sources.connecting import (
    HUNG_UP,
    UNDECODABLE,
    in_words,
    is_for_good,
    nothing_came,
    only_video,
    open_stream,
    unrecognised,
    why_not_opened,
)
from streamer.sources.live_decoder import Decoded, live_pictures
from streamer.sources.rtp_losses import Losses
from streamer.vendors import pyav
from streamer.video.coded import DeclaredOrientation, Orientation

MOST_RATE = 1000
"""Frames per second; a higher declared rate is that of the stream's clock."""
PLAYLISTS = ("hls",)
"""Formats of which the file that was opened is not the video itself."""
NEAR_ITS_END = 2
"""The most frame periods between the last frame and the announced end."""
STOPPED_GROWING = "the playlist stopped growing: check the camera and the network"
SEGMENTS_MISSING = "ended before its playlist does: segments of it are missing; check the server"
MOST_MISSING_S = 1
"""Seconds; the lengths in a playlist may be rounded."""
STILL = "is a still image: give the address of the camera's video, as in rtsp://, or motion JPEG over http://"


class _Silence(Exception):
    """Nothing came for too long."""


@dataclass(frozen=True, slots=True)
class Came:
    """A picture that has come at ``at_us``, or why a packet gave none.

    ``own`` is its own time in seconds, from an arbitrary start. ``waited_us`` is the wait for it, in microseconds: a
    picture that had been kept comes at once. ``after_damage`` is as in `Decoded`. ``orientation`` is the one that the
    connection declared last.
    """

    what: VideoFrame | str
    own: Fraction | None
    at_us: int
    waited_us: int
    after_damage: bool
    orientation: Orientation

    @property
    def picture(self) -> VideoFrame | None:
        """The picture, if FFmpeg does not call it corrupt."""
        return self.what if isinstance(self.what, VideoFrame) and not self.what.is_corrupt else None


class Connection:
    """A connection that is open when made, and closes itself when it fails; ``video`` is the stream that is decoded.

    ``shown`` is its address without credentials. Unless it ``has_own_times``, its format has none, and FFmpeg makes
    them up. ``losses`` counts lost packets. ``now_us`` reads the monotonic clock in microseconds.

    Raises SourceError, in ``read`` too, when nothing comes within the time-out of ``access``, the connection is
    refused or lost, the address holds nothing, user or password are wrong, or the data is no video that can be
    decoded. A stream that ends without having announced it is lost.
    """

    def __init__(self, uri: str, now_us: Callable[[], int], access: Access, losses: Losses | None = None) -> None:
        self._uri = uri
        self.shown = without_credentials(uri)
        self._now_us = now_us
        self._access = access
        self._losses = losses
        self._pictures_came = 0
        self._waited_us = 0
        self._requested_us = now_us()
        try:
            self._container = open_stream(uri, access)
        except av.FFmpegError as error:
            # Without its cause: FFmpeg's own error holds the address with the credentials.
            took_s = (now_us() - self._requested_us) / 1_000_000
            why = why_not_opened(error, uri, access, took_s)
            raise (self.useless(why) if is_for_good(error, access, took_s) else self.failed(why)) from None
        if now_us() - self._requested_us >= access.patience_s * 1_000_000:
            # FFmpeg was interrupted while probing: it gives the streams it has found, and reads no more.
            self._container.close()
            raise self.failed(unrecognised(access))
        video = only_video(self._container)
        if video is None or video.codec_context is None:
            self._container.close()
            what = "is no video: check the address" if video is None else UNDECODABLE
            raise NoSource(f"{self.shown} {what}")
        self.video = video
        self._pictures = live_pictures(self._packets(), self.video)
        # Read now: a closed container has no properties.
        self.has_own_times = not pyav.has_no_times(self._container)
        self.is_playlist = self._container.format.name in PLAYLISTS
        self._length = self._container.duration
        self._sized = pyav.size(self._container) is not None
        self._orientation = DeclaredOrientation()
        self._first_own: Fraction | None = None
        self._last_own: Fraction | None = None

    @property
    def comment(self) -> str:
        """The stream's own description."""
        return pyav.comment(self._container)

    @property
    def announced_rate(self) -> Fraction | None:
        """The declared frames per second; None where there is no such declaration."""
        declared = [pyav.exact(self.video.codec_context.framerate)]
        if pyav.says_its_rate(self._container):
            declared.append(pyav.exact(self.video.average_rate))
        for rate in declared:
            if rate is not None and 0 < rate <= MOST_RATE:
                return rate
        return None

    @property
    def is_served(self) -> bool:
        """Whether it is a file, or a playlist's segments, which come as fast as they are read."""
        return self.is_playlist or self._sized

    @property
    def is_live_playlist(self) -> bool:
        """Whether it is a playlist that is not marked as complete."""
        return self.is_playlist and self._length is None

    def read(self) -> Came | None:
        """The next picture, or why there is none; None at an announced end. Blocks. Raises SourceError."""
        why, for_good = "", False
        decoded: Decoded | None = None
        self._waited_us = 0
        try:
            decoded = next(self._pictures, None)
        except _Silence:
            why = nothing_came(self._access)
        except av.FFmpegError as error:
            why = self._why(error)
            for_good = isinstance(error, av.InvalidDataError) and not self._pictures_came
        if not why and decoded is None:
            why = self._why_it_ended()
        if why:
            self.close()
            raise self.useless(why) if for_good or why == STILL else self.failed(why)
        if decoded is None:
            return None
        if isinstance(decoded.what, VideoFrame):
            self._pictures_came += 1
            self._orientation.update(decoded.what)
        own, waited_us = self._own_time(decoded.what), self._waited_us
        return Came(decoded.what, own, self._now_us(), waited_us, decoded.after_damage, self._orientation.newest)

    def first(self) -> Came:
        """The first good picture; those before it, in the middle of a group of pictures, cannot be decoded.

        Raises NoSource where none comes within `Access.patience_s`.
        """
        start_us = self._now_us()
        while self._now_us() - start_us < self._access.patience_s * 1_000_000:
            came = self.read()
            if came is None:
                break
            if came.picture is not None:
                return came
        self.close()
        raise NoSource(f"{self.shown} {UNDECODABLE}")

    def close(self) -> None:
        """Closes the connection; may be called again."""
        self._pictures.close()
        self._container.close()

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """The packets as they come; each one ends a silence, with or without a picture in it."""
        packets = pyav.demux(self._container, self.video)
        while True:
            self._requested_us = self._now_us()
            with self._losses.counted() if self._losses else nullcontext():
                packet = next(packets, None)
            waited_us = self._now_us() - self._requested_us
            self._waited_us += waited_us
            if packet is None:
                return
            # On a time-out FFmpeg gives the packets that it still had.
            if self._timed_out(waited_us):
                raise _Silence
            yield packet

    def _own_time(self, what: VideoFrame | str) -> Fraction | None:
        # Not the frame's own time base: the last frames, which the decoder had held back, come without one.
        if isinstance(what, str) or what.pts is None or not self.has_own_times:
            return None
        own = what.pts * pyav.time_base(self.video)
        self._first_own = own if self._first_own is None else self._first_own
        self._last_own = own
        return own

    def _why_it_ended(self) -> str:
        """Why an end is a failure; empty where it was announced."""
        if not self.has_own_times and self._pictures_came == 1:
            return STILL
        if self.is_live_playlist:
            return STOPPED_GROWING
        missing_s, rate = self._missing_s, self.announced_rate
        if self.is_playlist:
            return SEGMENTS_MISSING if missing_s is not None and missing_s > MOST_MISSING_S else ""
        # A stream that goes on beyond its announced end is endless: only its first part had a length.
        reached = missing_s is not None and rate is not None and abs(missing_s) <= NEAR_ITS_END / rate
        return "" if self._sized or reached else HUNG_UP

    @property
    def _missing_s(self) -> Fraction | None:
        """Seconds of the announced length that have not come; None where that is not known."""
        length, rate = self._length, self.announced_rate
        if length is None or rate is None or self._first_own is None or self._last_own is None:
            return None
        return Fraction(length, av.time_base) - (self._last_own - self._first_own + 1 / rate)

    def useless(self, why: str) -> NoSource:
        """The error for a source that every attempt would find unusable."""
        return NoSource(f"{self.shown}: {why}")

    def failed(self, why: str) -> SourceError:
        """The error for a failure after which another attempt may succeed."""
        return SourceError(f"{self.shown}: {why}")

    def _timed_out(self, took_us: int) -> bool:
        return took_us >= self._access.timeout_s * 1_000_000

    def _why(self, error: av.FFmpegError) -> str:
        timed_out = self._timed_out(self._now_us() - self._requested_us)
        if isinstance(error, av.InvalidDataError) and not (timed_out or self._pictures_came):
            return why_not_opened(error, self._uri, self._access, 0)
        return in_words(error, self._access, timed_out=timed_out, came=self._pictures_came > 0)
