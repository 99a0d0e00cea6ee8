"""A network stream: RTSP, or whatever video comes over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from streamer.address import without_credentials
from streamer.errors import SourceError
from streamer.frame import Frame, Image
from streamer.schedule.schedule import MOST_DENOMINATOR
from streamer.sources import live
from streamer.sources.base import SourceInfo, Unreadable
from streamer.sources.connection import Connection
from streamer.video.picture_notes import field_doubt, has_guessed_colours, is_field, picture_notes
from streamer.video.rescaling import SizeChanges
from streamer.video.shape import ShapeChanges, sample_aspect_ratio


class StreamSource:
    """A video stream at an address; a file served over HTTP ends, and comes as fast as it is read.

    A frame has arrived when the decoder has it; converting it to BGR comes after. All images have the size of the
    first. An address with credentials is used as it is and shown without them.

    Raises SourceError, in ``read`` too, for what a `Connection` raises it.
    """

    def __init__(self, uri: str, *, now_us: Callable[[], int], stream: int = 0) -> None:
        self._uri = uri
        self._now_us = now_us
        self._stream = stream
        self._timeline = live.Timeline()
        self._next = 0
        self._doubts: list[str] = []
        self._sizes = SizeChanges()
        self._reformatter = VideoReformatter()
        self._shapes = ShapeChanges()
        self._coded_size = (0, 0)
        self._turned = self._guessed_colours = False
        self._connection: Connection | None = None
        connection, first = self._connected()
        self._first: Frame | None = first
        self.info = self._describe(connection, first)

    @property
    def doubts(self) -> list[str]:
        return [*self._doubts, *self._sizes.doubts, *self._shapes.doubts, *self._timeline.doubts]

    def read(self) -> Frame | Unreadable | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._connect_anew() if self._connection is None else self._read(self._connection)

    def pts(self, index: int) -> Fraction | None:
        return None

    def close(self) -> None:
        self._first = None
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> tuple[Connection, Frame]:
        """A new connection, and the first frame that came over it."""
        connection = Connection(self._uri, self._now_us)
        frame = self._frame(connection, *connection.first())
        self._connection = connection
        return connection, frame

    def _connect_anew(self) -> Frame:
        """The newest frame of a new connection: what the server had kept is let go, as it is before a run."""
        begin_us = self._now_us()
        self._timeline.connected()
        connection, frame = self._connected()
        period_us = 1_000_000 / self.info.rate
        for _ in range(ceil((self._now_us() - begin_us) / period_us)):
            start_us = self._now_us()
            item = self._read(connection)
            frame = item if isinstance(item, Frame) else frame
            if item is None or self._now_us() - start_us > period_us / 2:
                break  # one that had to be waited for was not kept
        return frame

    def _read(self, connection: Connection) -> Frame | Unreadable | None:
        try:
            arrival, arrived_us = connection.read()
        except SourceError:
            self._connection = None
            raise
        return None if arrival is None else self._item(connection, arrival, arrived_us)

    def _item(self, connection: Connection, arrival: VideoFrame | str, arrived_us: int) -> Frame | Unreadable:
        if isinstance(arrival, VideoFrame) and not arrival.is_corrupt:
            return self._frame(connection, arrival, arrived_us)
        index = self._next
        self._next += 1
        if isinstance(arrival, str):
            pts, why = self._timeline.lost(arrived_us), arrival
        else:
            pts, why = self._timeline.pts(connection.time_of(arrival), arrived_us), "its data is damaged"
        return Unreadable(self._stream, index, pts, why, arrived_us)

    def _frame(self, connection: Connection, arrival: VideoFrame, arrived_us: int) -> Frame:
        index = self._next
        self._next += 1
        pts = self._timeline.pts(connection.time_of(arrival), arrived_us)
        if not any(self._coded_size):
            self._look_at_first(connection, arrival)
        self._shapes.look(index, arrival, connection.video)
        return Frame(self._stream, index, pts, self._image(index, arrival), arrived_us)

    def _look_at_first(self, connection: Connection, first: VideoFrame) -> None:
        width, height = self._coded_size = first.width, first.height
        self._turned = first.rotation % 180 != 0
        self._guessed_colours = has_guessed_colours(first)
        if is_field(first, connection.video.codec_context.codec.canonical_name):
            shown = without_credentials(self._uri)
            self._doubts.append(field_doubt(shown, width, height, "let the camera send progressive pictures"))

    def _image(self, index: int, frame: VideoFrame) -> Image:
        size = frame.width, frame.height
        if size != self._coded_size:
            self._sizes.count(index, *size)
        converted = self._reformatter.reformat(frame, *self._coded_size, "bgr24", threads=1)
        return np.ascontiguousarray(np.rot90(cast(Image, converted.to_ndarray()), frame.rotation // 90))

    def _describe(self, connection: Connection, first: Frame) -> SourceInfo:
        height, width = first.image.shape[:2]
        pixel = sample_aspect_ratio(connection.video)
        if self._turned:
            pixel = 1 / pixel
        shown = without_credentials(self._uri)
        if connection.rate is None:
            self._doubts.append(f"{shown} does not say its frame rate: {live.NOMINAL_RATE} is taken for it")
        return SourceInfo(
            uri=shown,
            width=width,
            height=height,
            rate=(connection.rate or live.NOMINAL_RATE).limit_denominator(MOST_DENOMINATOR),
            frames=None,
            time_base=live.MICROSECOND,
            comment=connection.comment,
            live=True,
            notes=tuple(picture_notes(shown, width, height, pixel, guessed_colours=self._guessed_colours)),
            sample_aspect_ratio=pixel,
        )
