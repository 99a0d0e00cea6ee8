"""What live sources, cameras and network streams, have in common.

A live source is not played at a pace: its frames are due when they arrive, and what happened before, in the sensor,
its encoder or the network, is not seen. ``read`` blocks until the next frame is there and stamps it then. There is no
thread and no slot for the newest frame here: the pipeline reads without a pause on a worker of its own and offers
each frame to the policy link, which drops by the run's policy, so that a frame that nobody had time for has its row
in the ledger. A slot that is overwritten would lose it unseen.
"""

from __future__ import annotations

from fractions import Fraction

TIMEOUT_S = 5.0
"""Seconds without a sign of life after which a live source counts as failed, when connecting and when reading."""
NOMINAL_RATE = Fraction(30)
"""Frames per second of a live source that does not say."""
MICROSECOND = Fraction(1, 1_000_000)
"""The time base of live sources, in seconds."""


class Timeline:
    """The presentation times of frames that arrive: their own, or by their arrival once those make no sense.

    ``doubts`` then says so. Times are whole microseconds since the first frame, and rise.
    """

    def __init__(self) -> None:
        self.doubts: list[str] = []
        self._last: Fraction | None = None
        self._arrived_us = 0
        self._trusted = True
        self._shift: Fraction | None = None

    def connected(self) -> None:
        """The source has begun anew, and with it its own times: the next frame is placed by its arrival."""
        self._shift = None

    def pts(self, own: Fraction | None, arrived_us: int) -> Fraction:
        """Seconds since the first frame; ``own`` is the stream's time in seconds, from an arbitrary start."""
        if self._trusted and self._shift is not None:
            time = None if own is None else round((own + self._shift) / MICROSECOND) * MICROSECOND
            if time is not None and time > (self._last or 0):
                return self._noted(time, arrived_us)
            trouble = "are missing" if time is None else "do not rise"
            self.doubts.append(f"frame times {trouble}: the instants at which frames arrive are used instead")
            self._trusted = False
        time = self._by_arrival(arrived_us)
        self._trusted = self._trusted and own is not None
        if self._shift is None and own is not None:
            self._shift = time - own
        return time

    def lost(self, arrived_us: int) -> Fraction:
        """The time of a frame that could not be decoded, so that its own is not known: before the next one's own."""
        if self._last is None or self._shift is None or not self._trusted:
            return self._by_arrival(arrived_us)
        return self._noted(self._last + MICROSECOND, arrived_us)

    def _by_arrival(self, arrived_us: int) -> Fraction:
        if self._last is None:
            return self._noted(Fraction(0), arrived_us)
        return self._noted(self._last + max(1, arrived_us - self._arrived_us) * MICROSECOND, arrived_us)

    def _noted(self, time: Fraction, arrived_us: int) -> Fraction:
        self._last, self._arrived_us = time, arrived_us
        return time
