"""The frames of a stream that comes at its own pace, from the first new one on."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from streamer.errors import NoSource
from streamer.sources.arrival_rate import WAITED_US, ArrivalRate, RateMeter
from streamer.sources.connection import Came, Connection

LONGEST_S = 1
"""Seconds; a longer interval between own times may be a jump of the clock."""
GUESSED_US = 1_000_000
"""Frames without own times are discarded for no longer than this when they come faster than before."""
RELEASED_US = 10_000_000
"""Frames are discarded for no longer than this where none is ever waited for, since decoding is slower than that."""


class LiveFrames:
    """Reads a connection whose frames come at their own pace. Raises SourceError as the connection does."""

    def __init__(self, connection: Connection, now_us: Callable[[], int]) -> None:
        self.connection = connection
        self._now_us = now_us

    def begin(self, rate: Fraction | None = None) -> Came:
        """The first new picture; those that the server had kept are discarded.

        A new picture is one that was waited for at least half a period: over a slow network a kept one takes a while
        too. The period is the frames' own interval, else that of ``rate`` or of the announced rate.
        """
        came, before = self.connection.first(), None
        start_us = self._now_us()
        while came.picture is None or came.waited_us < self._new_from_us(rate, before, came.own):
            # This connection's rate may differ from that of the one before: which picture is new is only a guess.
            guessed = rate is not None and came.own is None
            if came.picture is not None and self._now_us() - start_us >= (GUESSED_US if guessed else RELEASED_US):
                break
            before = came.own
            came = self._next()
        return came

    def _new_from_us(self, rate: Fraction | None, before: Fraction | None, own: Fraction | None) -> float:
        if before is not None and own is not None and 0 < own - before < LONGEST_S:
            return float((own - before) * 500_000)
        rate = rate or self.connection.announced_rate
        return WAITED_US if rate is None else max(WAITED_US, float(500_000 / rate))

    def measure(self, came: Came) -> tuple[Came, ArrivalRate | None]:
        """The rate from the frame ``came`` on, and the picture that came last; those before it are discarded."""
        meter = RateMeter()
        meter.add(came.own, came.at_us, came.waited_us)
        while not meter.enough or came.picture is None:
            came = self._next()
            meter.add(came.own, came.at_us, came.waited_us)
        return came, meter.measured(self.connection.announced_rate)

    def read(self) -> Came | None:
        """The next picture, or why there is none; None at an announced end. Blocks."""
        return self.connection.read()

    def _next(self) -> Came:
        came = self.connection.read()
        if came is None:
            self.connection.close()
            raise NoSource(f"{self.connection.shown} ended before a frame of it was new: give the file itself")
        return came
