"""A camera attached to this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import cast

from streamer.errors import SourceError
from streamer.frame import Frame, Image
from streamer.schedule.schedule import MOST_DENOMINATOR, MOST_FPS
from streamer.sources.arrival_rate import ArrivalRate, RateMeter, RateWatch, rate_doubts
from streamer.sources.base import SourceInfo, Unreadable
from streamer.sources.live import MICROSECOND, NOMINAL_RATE, Timeline
from streamer.vendors.opencv import cv2, opencv_quiet
from streamer.video.rescaling import SizeChanges


class CameraSource:
    """Camera ``number`` as OpenCV counts them, in the size and at the rate that it chooses itself.

    A frame has arrived when the driver hands it over; it is converted to BGR after that. Raises SourceError, in
    ``read`` too, when the camera cannot be opened or gives no picture.
    """

    def __init__(self, number: int, *, now_us: Callable[[], int], timeout_s: float, stream: int = 0) -> None:
        self._number = number
        self._name = f"camera:{number}"
        self._now_us = now_us
        self._stream = stream
        self._timeline = Timeline(NOMINAL_RATE, own_times=False)
        self._next = 0
        self._doubts: list[str] = []
        self._sizes = SizeChanges()
        self._capture = self._opened()
        self._first: Frame | None = None
        first = self._read()
        if not isinstance(first, Frame):
            self.close()
            raise SourceError(f"{self._name} gives no picture: unplug it and plug it in again")
        height, width = first.image.shape[:2]
        announced, measured = self._announced(), self._measure(first)
        rate = measured.rate if measured else announced or NOMINAL_RATE
        self._doubts += rate_doubts(self._name, announced, measured, rate)
        self._watch = RateWatch(rate, self._now_us())
        self._sizes.look(first.index, width, height)
        self.info = SourceInfo(
            uri=self._name,
            width=width,
            height=height,
            rate=rate.limit_denominator(MOST_DENOMINATOR),
            frames=None,
            time_base=MICROSECOND,
            comment="",
            live=True,
            announced_rate=announced,
            timeout_s=timeout_s,
        )

    @property
    def doubts(self) -> list[str]:
        return [*self._doubts, *self._watch.doubts, *self._sizes.doubts]

    def read(self) -> Frame | Unreadable:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if not self._capture.isOpened():
            self._capture = self._opened()
            self._watch.paused()
        requested_us = self._now_us()
        self._watch.requested(requested_us)
        item = self._read()
        arrived_us = item.arrived_us or 0
        self._watch.came(arrived_us, arrived_us - requested_us)
        size = self.info.width, self.info.height
        if isinstance(item, Frame):
            self._sizes.look(item.index, *item.image.shape[1::-1])
        if isinstance(item, Frame) and item.image.shape[1::-1] != size:
            return replace(item, image=cast(Image, cv2.resize(item.image, size)))
        return item

    def pts(self, index: int) -> Fraction | None:
        return None

    def close(self) -> None:
        self._capture.release()

    def _opened(self) -> cv2.VideoCapture:
        with opencv_quiet():
            capture = cv2.VideoCapture(self._number)
        if not capture.isOpened():
            raise SourceError(
                f"{self._name} cannot be opened: check that it is plugged in, that no other program has it, and that "
                "you may use it"
            )
        return capture

    def _read(self) -> Frame | Unreadable:
        with opencv_quiet():
            grabbed = self._capture.grab()
            arrived_us = self._now_us()
            decoded, image = self._capture.retrieve() if grabbed else (False, None)
        if not grabbed:
            self.close()
            raise SourceError(f"{self._name} delivers no more frames: check its cable")
        index, pts = self._next, self._timeline.pts(None, arrived_us)
        self._next += 1
        if not decoded:
            return Unreadable(self._stream, index, pts, "OpenCV made no picture of it", arrived_us)
        return Frame(self._stream, index, pts, cast(Image, image), arrived_us)

    def _measure(self, first: Frame) -> ArrivalRate | None:
        """The rate at which frames come; the last frame of the measurement is the first to be read."""
        meter, item = RateMeter(), first
        meter.add(None, first.arrived_us or 0, 0)
        while not meter.enough:
            requested_us = self._now_us()
            came = self._read()
            arrived_us = came.arrived_us or 0
            meter.add(None, arrived_us, arrived_us - requested_us)
            item = came if isinstance(came, Frame) else item
        self._first = item
        return meter.measured(self._announced())

    def _announced(self) -> Fraction | None:
        rate = Fraction(self._capture.get(cv2.CAP_PROP_FPS)).limit_denominator(MOST_DENOMINATOR)
        return rate if 0 < rate <= MOST_FPS else None
