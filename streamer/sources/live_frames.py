"""The frames of a stream that comes at its own pace, from the first one that is new."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from streamer.errors import NoSource
from streamer.sources.arrival_rate import WAITED_US, ArrivalRate, RateMeter
from streamer.sources.connection import Came, Connection

LONGEST_S = 1
"""An interval between own times that is longer may be a jump of the clock."""
GUESSED_US = 1_000_000
"""One whose frames have no times, and come faster than before, is not let go for longer than this."""
RELEASED_US = 10_000_000
"""A stream that is never waited for, since decoding it takes longer than it comes, is taken as it is by then."""


class LiveFrames:
    """Reads a connection whose frames come when there are any. Raises SourceError as the connection does."""

    def __init__(self, connection: Connection, now_us: Callable[[], int]) -> None:
        self.connection = connection
        self._now_us = now_us

    def begin(self, rate: Fraction | None = None) -> Came:
        """The first picture that is new: what had been kept for us is let go.

        What is new has been waited for, at least for half of its period: of what was kept a slow network takes a
        while too. The period is that of the ``rate``, else by the frames' own times or what is announced.
        """
        came, before = self.connection.first(), None
        start_us = self._now_us()
        while came.picture is None or came.waited_us < self._new_from_us(rate, before, came.own):
            # By the rate of an earlier connection it is only guessed what is new: this one's may be another.
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
        """The rate from the frame ``came`` on, and the picture that came last: those before it are let go."""
        meter = RateMeter()
        meter.add(came.own, came.at_us, came.waited_us)
        while not meter.enough or came.picture is None:
            came = self._next()
            meter.add(came.own, came.at_us, came.waited_us)
        return came, meter.measured(self.connection.announced_rate)

    def read(self) -> Came | None:
        """What comes next; None at an end that was announced. Blocks."""
        return self.connection.read()

    def _next(self) -> Came:
        came = self.connection.read()
        if came is None:
            self.connection.close()
            raise NoSource(f"{self.connection.shown} ended before a frame of it was new: give the file itself")
        return came
