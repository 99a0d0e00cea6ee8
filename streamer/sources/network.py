"""A network stream: RTSP, or video over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from streamer.address import without_credentials
from streamer.errors import SourceError
from streamer.frame import Frame, Image
from streamer.schedule.schedule import MOST_DENOMINATOR
from streamer.sources import live
from streamer.sources.access import Access
from streamer.sources.arrival_rate import ArrivalRate, RateWatch, rate_doubts
from streamer.sources.base import SourceInfo, Unreadable
from streamer.sources.connecting import access_notes, loses_packets
from streamer.sources.connection import Came, Connection
from streamer.sources.live_frames import LiveFrames
from streamer.sources.rtp_losses import Losses
from streamer.sources.served_frames import ServedFrames
from streamer.video.changes import Changes
from streamer.video.coded import Orientation, Orientations
from streamer.video.picture_notes import field_doubt, has_guessed_colours, is_field, picture_notes
from streamer.video.rescaling import SizeChanges
from streamer.video.shape import ShapeChanges, sample_aspect_ratio


class StreamSource:
    """A video stream at an address; a served file, or a playlist, is paced by its own times.

    A frame has arrived when the decoder gives it; it is converted to BGR after that. All images have the size of the
    first. An address is used with its credentials, and shown without them.

    Raises SourceError, in ``read`` too, where a `Connection` raises it.
    """

    def __init__(self, uri: str, *, now_us: Callable[[], int], access: Access | None = None, stream: int = 0) -> None:
        self._uri = uri
        self._now_us = now_us
        self._access = access or Access()
        self._losses = Losses() if loses_packets(uri, self._access) else None
        self._stream = stream
        self._next = 0
        self._doubts: list[str] = []
        self._sizes = SizeChanges()
        self._reformatter = VideoReformatter()
        self._shapes = ShapeChanges()
        self._coded_size = (0, 0)
        self._guessed_colours = False
        self._orientations: Orientations | None = None
        self._codecs = Changes()
        self._last_own: Fraction | None = None
        reader = self._connected()
        came, measured = reader.measure(reader.begin())
        holds = measured.own_times_hold if measured else reader.connection.has_own_times
        rate = measured.rate if measured else reader.connection.announced_rate or live.NOMINAL_RATE
        self._timeline = live.Timeline(rate, own_times=holds)
        self._reader: LiveFrames | ServedFrames | None = reader
        self._first: Frame | None = self._frame(reader.connection, cast(VideoFrame, came.picture), came)
        self.info = self._describe(reader.connection, self._first, rate, measured)
        self._watch = RateWatch(self.info.rate, came.at_us)

    @property
    def doubts(self) -> list[str]:
        codecs = [f"the codec changes {self._codecs.text}"] if self._codecs.text else []
        orientations = [] if self._orientations is None else self._orientations.doubts
        return [
            *self._doubts,
            *(self._losses.doubts(without_credentials(self._uri)) if self._losses else ()),
            *self._watch.doubts,
            *codecs,
            *self._sizes.doubts,
            *orientations,
            *self._shapes.doubts,
            *self._timeline.doubts,
        ]

    def read(self) -> Frame | Unreadable | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._connect_anew() if self._reader is None else self._read(self._reader)

    def pts(self, index: int) -> Fraction | None:
        return None

    def close(self) -> None:
        self._first = None
        if self._reader is not None:
            self._reader.connection.close()

    def _connected(self) -> LiveFrames | ServedFrames:
        """The reader of a new connection."""
        connection = Connection(self._uri, self._now_us, self._access, self._losses)
        return (ServedFrames if connection.is_served else LiveFrames)(connection, self._now_us)

    def _is_complete(self) -> bool:
        """Whether the playlist is now marked as complete."""
        try:
            again = Connection(self._uri, self._now_us, self._access)
        except SourceError:
            return False
        again.close()
        return again.is_playlist and not again.is_live_playlist

    def _connect_anew(self) -> Frame:
        """The first new frame of a new connection."""
        reader = self._connected()
        if isinstance(reader, ServedFrames) and reader.connection.is_playlist:
            came = reader.begin(self.info.rate, self._last_own)
        else:
            came = reader.begin(self.info.rate)
        self._reader = reader
        self._timeline.connected()
        self._watch.paused()
        return self._frame(reader.connection, cast(VideoFrame, came.picture), came)

    def _read(self, reader: LiveFrames | ServedFrames) -> Frame | Unreadable | None:
        self._watch.requested(self._now_us())
        try:
            came = reader.read()
        except SourceError:
            self._reader = None
            if reader.connection.is_live_playlist and self._is_complete():
                return None
            raise
        if came is None:
            return None
        if isinstance(reader, ServedFrames) and reader.moved:
            self._timeline.connected()  # own times are late by as much
        self._last_own = came.own or self._last_own
        self._watch.came(came.at_us, came.waited_us)
        if came.picture is not None:
            return self._frame(reader.connection, came.picture, came)
        index = self._next
        self._next += 1
        if isinstance(came.what, str):
            return Unreadable(self._stream, index, self._timeline.lost(came.at_us), came.what, came.at_us)
        pts = self._timeline.pts(came.own, came.at_us)
        return Unreadable(self._stream, index, pts, "its data is damaged", came.at_us)

    def _frame(self, connection: Connection, picture: VideoFrame, came: Came) -> Frame:
        index = self._next
        self._next += 1
        pts = self._timeline.pts(came.own, came.at_us)
        if not any(self._coded_size):
            self._look_at_first(connection, picture, came.orientation)
        self._codecs.look(index, connection.video.codec_context.codec.canonical_name)
        self._shapes.look(index, picture, connection.video)
        return Frame(
            self._stream, index, pts, self._image(index, picture, came.orientation), came.at_us, came.after_damage
        )

    def _look_at_first(self, connection: Connection, first: VideoFrame, orientation: Orientation) -> None:
        width, height = self._coded_size = first.width, first.height
        self._orientations = Orientations(orientation)
        self._guessed_colours = has_guessed_colours(first)
        if is_field(first, connection.video.codec_context.codec.canonical_name):
            shown = without_credentials(self._uri)
            self._doubts.append(field_doubt(shown, width, height, "let the camera send progressive pictures"))

    def _image(self, index: int, frame: VideoFrame, orientation: Orientation) -> Image:
        assert self._orientations is not None
        self._sizes.look(index, frame.width, frame.height)
        converted = self._reformatter.reformat(frame, *self._coded_size, "bgr24", threads=1)
        image = np.ascontiguousarray(cast(Image, converted.to_ndarray()))
        return self._orientations.upright(index, orientation, image)

    def _describe(
        self, connection: Connection, first: Frame, rate: Fraction, measured: ArrivalRate | None
    ) -> SourceInfo:
        height, width = first.image.shape[:2]
        pixel = sample_aspect_ratio(connection.video)
        if self._orientations is not None and self._orientations.lies:
            pixel = 1 / pixel
        shown, announced = connection.shown, connection.announced_rate
        self._doubts += rate_doubts(shown, announced, measured, rate)
        notes = access_notes(self._uri, self._access)
        notes += picture_notes(shown, width, height, pixel, guessed_colours=self._guessed_colours)
        if not connection.has_own_times:
            notes.append(f"{shown} gives its frames no times: they are placed by their arrival")
        elif measured and not measured.own_times_hold:
            self._doubts.append(
                f"the times that {shown} gives its frames do not go by as these come: the instants at which they "
                "arrive are used instead"
            )
        return SourceInfo(
            uri=shown,
            width=width,
            height=height,
            rate=rate.limit_denominator(MOST_DENOMINATOR),
            frames=None,
            time_base=live.MICROSECOND,
            comment=connection.comment,
            live=True,
            paced=connection.is_served,
            longest_wait_us=measured.longest_wait_us if measured else 0,
            notes=tuple(notes),
            timeout_s=self._access.timeout_s,
            sample_aspect_ratio=pixel,
            announced_rate=announced,
        )
