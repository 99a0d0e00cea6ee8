"""What live sources, cameras and network streams, have in common.

A live source is not played at a pace: its frames are due when they arrive, and what happened before, in the sensor,
its encoder or the network, is not seen. ``read`` blocks until the next frame is there and stamps it then. There is no
thread and no slot for the newest frame here: the pipeline reads without a pause on a worker of its own and offers
each frame to the policy link, which drops by the run's policy, so that a frame that nobody had time for has its row
in the ledger. A slot that is overwritten would lose it unseen.
"""

from __future__ import annotations

from fractions import Fraction

NOMINAL_RATE = Fraction(30)
"""Frames per second of a live source that does not say, and of which not two frames have come."""
MICROSECOND = Fraction(1, 1_000_000)
"""The time base of live sources, in seconds."""
JUMP_S = 1
"""A frame's time that is ahead of its arrival by more than this has jumped."""
BEHIND_S = 2
"""Times that stay behind the arrivals by this, for as long, have lost it: a burst after a silence makes up for it."""


class Timeline:
    """The presentation times of frames that arrive: their own, or by their arrival once those make no sense.

    ``doubts`` then says so. Times are whole microseconds since the first frame, and rise. Without ``own_times`` they
    go by arrival from the first frame on. Own times are placed by the first arrival of a connection: where that was
    late, by those that come earlier, once they do by half the period of the nominal ``rate``.
    """

    def __init__(self, rate: Fraction, *, own_times: bool = True) -> None:
        self._early = 1 / (2 * rate)
        self._doubts: list[str] = []
        self._last: Fraction | None = None
        self._begin_us = self._arrived_us = 0
        self._trusted = own_times
        self._untimed = 0
        self._shift: Fraction | None = None
        self._behind_us: int | None = None

    @property
    def doubts(self) -> list[str]:
        """Why times go by arrival, where they do against what was expected."""
        if self._trusted and self._untimed:
            return [*self._doubts, f"{self._untimed} frames came without a time: they are placed by their arrival"]
        return self._doubts

    def connected(self) -> None:
        """The source has begun anew, and with it its own times: the next frame is placed by its arrival."""
        self._shift = None

    def pts(self, own: Fraction | None, arrived_us: int) -> Fraction:
        """Seconds since the first frame; ``own`` is the stream's time in seconds, from an arbitrary start."""
        if self._trusted and self._shift is not None:
            time = None if own is None else round((own + self._shift) / MICROSECOND) * MICROSECOND
            trouble = self._trouble(time, arrived_us)
            if time is not None and not trouble:
                return self._noted(self._placed(time, arrived_us), arrived_us)
            self._doubts.append(f"frame times {trouble}: the instants at which frames arrive are used instead")
            self._trusted = False
        time = self._by_arrival(arrived_us, anew=self._trusted)
        if self._trusted and own is None:
            self._untimed += 1
        elif self._trusted and own is not None:
            self._shift, self._behind_us = time - own, None
        return time

    def lost(self, arrived_us: int) -> Fraction:
        """The time of a frame that could not be decoded, so that its own is not known: before the next one's own."""
        if self._last is None or self._shift is None or not self._trusted:
            return self._by_arrival(arrived_us)
        return self._noted(self._last + MICROSECOND, arrived_us)

    def _trouble(self, time: Fraction | None, arrived_us: int) -> str:
        """Why a frame's own time is not to be had, or makes no sense."""
        if time is None:
            return "are missing"
        assert self._last is not None
        if time <= self._last:
            return "do not rise"
        lag = (arrived_us - self._begin_us) * MICROSECOND - time
        if lag < -JUMP_S:
            return f"jump ahead by {float(-lag):,.1f} s"
        if lag <= BEHIND_S:
            self._behind_us = None
        elif self._behind_us is None:
            self._behind_us = arrived_us
        elif arrived_us - self._behind_us >= BEHIND_S * 1_000_000:
            return f"fall behind the arrivals by {float(lag):,.1f} s"
        return ""

    def _placed(self, time: Fraction, arrived_us: int) -> Fraction:
        """The own time of a frame; none is ahead of its arrival, but for what frames come late anyhow."""
        assert self._last is not None
        assert self._shift is not None
        arrival = (arrived_us - self._begin_us) * MICROSECOND
        if time <= arrival + self._early:
            return time
        self._shift -= time - arrival
        return max(arrival, self._last + MICROSECOND)

    def _by_arrival(self, arrived_us: int, *, anew: bool = False) -> Fraction:
        """Since the first arrival, or since the last if own times went ahead of that and it is not ``anew``."""
        if self._last is None:
            self._begin_us = arrived_us
            return self._noted(Fraction(0), arrived_us)
        since_last = 1 if anew else max(1, arrived_us - self._arrived_us)
        since_first = (arrived_us - self._begin_us) * MICROSECOND
        return self._noted(max(self._last + since_last * MICROSECOND, since_first), arrived_us)

    def _noted(self, time: Fraction, arrived_us: int) -> Fraction:
        self._last, self._arrived_us = time, arrived_us
        return time
