"""The frames of a served file, or of a playlist: they come as fast as they are read, and are paced here.

Players pace them too: a camera behind a playlist gives some seconds of video at once, and then nothing for as long.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from streamer.sources.arrival_rate import INTERVALS, ArrivalRate, named_rate
from streamer.sources.connection import STOPPED_GROWING, Came, Connection
from streamer.sources.live import NOMINAL_RATE

LONGEST_S = Fraction(2)
"""Seconds; an interval between own times that is longer than this and than 10 periods is a jump of the clock."""

AGAIN_S = 300
"""Seconds; a frame of which the time is further back than this is no repetition: the stream has begun anew."""
NEW_FROM_US = 500_000
"""A segment that is listed already comes sooner than this."""


class ServedFrames:
    """Reads a connection, and holds each frame back until it is due: by its own time, counted from the one before.

    A frame without a time, or whose time has jumped, is due a period after the one before. A late frame has ``moved``
    all later ones. Raises SourceError as the connection does.
    """

    def __init__(self, connection: Connection, now_us: Callable[[], int]) -> None:
        self.connection = connection
        self._now_us = now_us
        self._kept: deque[Came | None] = deque()
        self._period = 1 / (connection.announced_rate or NOMINAL_RATE)
        self._before: Fraction | None = None
        self._due_us = 0
        self.moved = False

    def begin(self, rate: Fraction | None = None, after: Fraction | None = None) -> Came:
        """The first picture with an own time later than ``after``, up to which an earlier connection was read.

        Without ``after`` it is the first picture. ``rate`` is in frames per second.
        """
        if rate is not None:
            self._period = 1 / rate
        came = self.connection.first()
        while came.picture is None or self._is_old(came, after):
            again = self.connection.read()
            if again is None:
                raise self.connection.failed(STOPPED_GROWING)
            came = again
        self._due_us, self._before = came.at_us, came.own
        return came

    def _is_old(self, came: Came, after: Fraction | None) -> bool:
        """Whether a playlist lists the frame again. One that was waited for is new: the stream has begun anew."""
        if after is None or came.own is None or came.waited_us >= NEW_FROM_US:
            return False
        return after - AGAIN_S < came.own <= after

    def measure(self, came: Came) -> tuple[Came, ArrivalRate | None]:
        """The frame ``came``, and the rate by the own times of the frames from it on, which are read ahead.

        The rate is None where own times are missing or do not rise.
        """
        own = [came.own]
        while len(own) <= INTERVALS and (not self._kept or self._kept[-1] is not None):
            self._kept.append(self.connection.read())
            if (last := self._kept[-1]) is not None:
                own.append(last.own)
        times = [one for one in own if one is not None]
        if len(times) < max(2, len(own)) or any(early >= late for early, late in pairwise(times)):
            return came, None
        rate = named_rate(float((len(times) - 1) / (times[-1] - times[0])), self.connection.announced_rate)
        self._period = 1 / rate
        return came, ArrivalRate(rate, own_times_hold=True)

    def read(self) -> Came | None:
        """The next picture, or why there is none, once it is due, and arrives; None at an announced end. Blocks."""
        came = self._kept.popleft() if self._kept else self.connection.read()
        return None if came is None else self._held(came)

    def _held(self, came: Came) -> Came:
        now = requested_us = self._now_us()
        due_us = self._due_us + round(self._interval(came.own) * 1_000_000)
        if due_us > now:
            time.sleep((due_us - now) / 1_000_000)
            now = self._now_us()
        # Counted from the instant at which it was due: each sleep ends a little late.
        self.moved = now >= due_us + self._period * 1_000_000
        self._due_us = now if self.moved else due_us
        self._before = came.own
        return replace(came, at_us=now, waited_us=now - requested_us)

    def _interval(self, own: Fraction | None) -> Fraction:
        if self._before is None or own is None or not 0 < own - self._before <= max(LONGEST_S, 10 * self._period):
            return self._period
        return own - self._before
