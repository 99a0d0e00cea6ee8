"""The times of frames from live sources: cameras and network streams.

A live source comes at its own pace: its frames are due when they arrive. Delays before that, in the sensor, its
encoder or the network, are not seen. ``read`` blocks until the next frame has come, and stamps its arrival. There is
no thread here, and no slot for the newest frame: the pipeline reads without a pause on a worker of its own and offers
each frame to the policy link, which drops by the run's policy. A dropped frame so has its row in the ledger; a slot
that is overwritten would lose it unseen.
"""

from __future__ import annotations

from fractions import Fraction

NOMINAL_RATE = Fraction(30)
"""Frames per second of a live source that announces no rate, and whose rate could not be measured."""
MICROSECOND = Fraction(1, 1_000_000)
"""The time base of live sources, in seconds."""
JUMP_S = 1
"""Seconds; a frame's time has jumped when it is ahead of its arrival by more than this."""
BEHIND_S = 2
"""Seconds; times have fallen behind when they stay so far behind the arrivals for so long: a burst after an outage of
the network makes up for it sooner."""


class Timeline:
    """The presentation times of frames that arrive: their own times, or their arrivals once those make no sense.

    ``doubts`` then says so. Times are whole microseconds since the first frame, and rise. Without ``own_times`` they
    are the arrivals from the first frame on. Own times begin at a connection's first arrival. Where that was late,
    they are moved by a later frame that comes early by half a period of the nominal ``rate`` or more.
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
        """Why the times are arrivals, where own times were expected."""
        if self._trusted and self._untimed:
            return [*self._doubts, f"{self._untimed} frames came without a time: they are placed by their arrival"]
        return self._doubts

    def connected(self) -> None:
        """Call when the source has begun anew, and its own times with it: the next frame's time is its arrival."""
        self._shift = None

    def pts(self, own: Fraction | None, arrived_us: int) -> Fraction:
        """Seconds since the first frame; ``own`` is the frame's own time in seconds, from an arbitrary start."""
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
        """The time of a frame that was not decoded, and has no own time: just after the last frame's time."""
        if self._last is None or self._shift is None or not self._trusted:
            return self._by_arrival(arrived_us)
        return self._noted(self._last + MICROSECOND, arrived_us)

    def _trouble(self, time: Fraction | None, arrived_us: int) -> str:
        """Why a frame's own time is missing or makes no sense; empty where it is good."""
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
        """The own time of a frame, moved back where it is ahead of the arrival by more than half a period."""
        assert self._last is not None
        assert self._shift is not None
        arrival = (arrived_us - self._begin_us) * MICROSECOND
        if time <= arrival + self._early:
            return time
        self._shift -= time - arrival
        return max(arrival, self._last + MICROSECOND)

    def _by_arrival(self, arrived_us: int, *, anew: bool = False) -> Fraction:
        """The time since the first arrival; since the last one where own times ran ahead of it, unless ``anew``."""
        if self._last is None:
            self._begin_us = arrived_us
            return self._noted(Fraction(0), arrived_us)
        since_last = 1 if anew else max(1, arrived_us - self._arrived_us)
        since_first = (arrived_us - self._begin_us) * MICROSECOND
        return self._noted(max(self._last + since_last * MICROSECOND, since_first), arrived_us)

    def _noted(self, time: Fraction, arrived_us: int) -> Fraction:
        self._last, self._arrived_us = time, arrived_us
        return time
