"""The rate at which a live source's frames come: measured before the run, and watched during the run.

The announced rate is not relied on: a camera may announce 25 frames a second and send 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

INTERVALS = 10
"""The fewest intervals between frames that are measured."""
MOST_US = 5_000_000
"""The measurement ends after this time, but not before one interval."""
CLOSE = 0.005
"""The measurement goes on until the rate's standard error, as a share of the rate, is not above this."""
CLOSE_BY_US = 1_000_000
"""From this time on a standard error of `ACCEPTED` is enough."""
ACCEPTED = 0.007
"""A camera that sends several frames at once, as in fragments, reaches `CLOSE` only after many of them."""
SURE_BY_US = 2_500_000
"""The measurement ends at this time where own times run a little faster or slower than the arrivals."""
BARELY = 0.1
"""Late frames may explain a smaller difference between own times and arrivals."""
STANDARD_ERRORS = 2
"""Own times hold where they differ from the arrivals by no more standard errors than this, and less than `BARELY`."""
SAME = 0.01
"""A rate this near to the announced rate, or to a whole number, takes its value: arrivals are no more accurate."""
DOUBTED = 0.05
"""A difference above this share of the rate raises a doubt."""
BLOCK, BLOCK_US = 25, 1_250_000
"""The rate during a run is checked over blocks of so many frames and so long; a shorter rest is not checked."""
WAITED_US = 4_000
"""A frame that was waited for as long is new: one that the server, the network or FFmpeg had kept comes sooner."""
WAITED_SHARE = 0.2
"""So is one with this share of the longest wait: in a burst only the first frame's arrival counts."""
NEVER_WAITED, HARDLY_WAITED = 0.05, 0.2
"""A source comes faster than it is decoded where waits are less than the first share of the time, or less than the
second where its own times run faster than the arrivals."""
NOT_READ_US = 200_000
"""A reader that returns later than this did not read meanwhile: frames were kept for it."""


@dataclass(frozen=True, slots=True)
class ArrivalRate:
    """The measured frames per second.

    ``own_times_hold`` says that the source's own times run as the frames arrive. Where frames were never ``waited``
    for, the rate is the decoder's. ``longest_wait_us`` is the longest wait for a frame, in microseconds.
    """

    rate: Fraction
    own_times_hold: bool
    waited: bool = True
    longest_wait_us: int = 0


class RateMeter:
    """Measures the rate of frames that are added as they come.

    Only a frame that was waited for shows when it was sent. A kept frame, and one in a burst behind its first, is
    counted, but its arrival is not used.
    """

    def __init__(self) -> None:
        self._own: list[Fraction | None] = []
        self._arrived: list[int] = []
        self._waited: list[int] = []

    def add(self, own: Fraction | None, arrived_us: int, waited_us: int) -> None:
        """Adds a frame: its ``own`` time in seconds, if it has one, its arrival, and the wait for it."""
        self._own.append(own)
        self._arrived.append(arrived_us)
        self._waited.append(waited_us)

    @property
    def enough(self) -> bool:
        """Whether the measurement may end."""
        intervals = len(self._arrived) - 1
        if intervals < 1:
            return False
        took_us = self._arrived[-1] - self._arrived[0]
        if intervals < INTERVALS or took_us >= MOST_US or len(self._waited_for) < 2:
            return took_us >= MOST_US
        error, slope = self._accuracy
        if slope is not None and abs(slope - 1) < BARELY:
            return error <= CLOSE or took_us >= SURE_BY_US
        return error <= CLOSE or (error <= ACCEPTED and took_us >= CLOSE_BY_US)

    def measured(self, announced: Fraction | None) -> ArrivalRate | None:
        """The rate; None where fewer than two frames have come, or all at the same instant."""
        if len(self._arrived) < 2 or self._arrived[-1] == self._arrived[0]:
            return None
        longest_us = max(self._waited[1:])
        own = self._own_times
        if own is not None and self._holds(own):
            rate = (len(own) - 1) / float(own[-1] - own[0])
            return ArrivalRate(named_rate(rate, announced), True, True, longest_us)
        numbers, times = self._with_arrivals(np.arange(len(self._arrived)))
        rate = 1 / _slope(numbers, times)[0]
        faster = own is not None and (len(own) - 1) / (own[-1] - own[0]) > rate
        share = sum(self._waited[1:]) * 1e-6 / (times[-1] - times[0])
        waited = share >= (HARDLY_WAITED if faster else NEVER_WAITED)
        return ArrivalRate(named_rate(rate, announced), False, waited, longest_us)

    @property
    def _waited_for(self) -> np.ndarray:
        """The numbers of the frames that were waited for."""
        waited = np.asarray(self._waited)
        (numbers,) = np.nonzero(waited >= max(WAITED_US, WAITED_SHARE * int(waited[1:].max(initial=0))))
        return numbers

    def _with_arrivals(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The ``values`` and arrivals in seconds of the frames that were waited for; of all, where those are < 2."""
        numbers = self._waited_for if len(self._waited_for) > 1 else np.arange(len(self._arrived))
        return values[numbers], (np.asarray(self._arrived)[numbers] - self._arrived[0]) / 1e6

    def _holds(self, own: np.ndarray) -> bool:
        """Whether own times run as the arrivals do, within the accuracy of these."""
        waited_us, took_us = sum(self._waited[1:]), self._arrived[-1] - self._arrived[0]
        if len(self._waited_for) < 2 and waited_us >= NEVER_WAITED * took_us:
            return True  # a single burst does not show how fast they run
        slope, error = _slope(*self._with_arrivals(own))
        return abs(slope - 1) <= max(SAME, min(STANDARD_ERRORS * error, BARELY))

    @property
    def _own_times(self) -> np.ndarray | None:
        """The frames' own times in seconds; None where one is missing, or they do not rise."""
        if any(time is None for time in self._own):
            return None
        times = np.asarray([float(time - (self._own[0] or 0)) for time in self._own if time is not None])
        return times if bool((np.diff(times) > 0).all()) else None

    @property
    def _accuracy(self) -> tuple[float, float | None]:
        """The rate's standard error as a share of it, and the slope of arrivals over own times, if there are any.

        The error is 0 where own times hold.
        """
        own = self._own_times
        if own is None:
            slope, error = _slope(*self._with_arrivals(np.arange(len(self._arrived))))
            return error / slope, None
        slope, error = _slope(*self._with_arrivals(own))
        if self._holds(own):
            return 0.0, slope
        return (1.0 if abs(slope - 1) < BARELY else error / slope), slope


@dataclass(slots=True)
class _Sum:
    """A number of intervals between frames, and their total in microseconds."""

    intervals: int = 0
    took_us: float = 0.0

    def add(self, intervals: int, interval_us: float) -> None:
        self.intervals += intervals
        self.took_us += intervals * interval_us


class RateWatch:
    """Checks whether frames go on to come at the measured ``rate``; ``doubts`` says when they do not.

    The last frame of the measurement came at ``measured_us``. In each block only the frame counts that is the least
    late by that rate: an outage of the network, and the burst after it, do not change the rate.
    """

    def __init__(self, rate: Fraction, measured_us: int) -> None:
        self._rate = rate
        self._period_us = 1e6 / float(rate)
        self._kept = False
        self._last_us: int | None = measured_us
        self._begin_us = self._block_us = 0
        self._number = 0
        self._late_us: list[float] = []
        self._before: tuple[int, float] | None = None
        self._other = _Sum()
        self._differed = 0

    def requested(self, now_us: int) -> None:
        """Call when the next frame is requested."""
        if self._last_us is not None and now_us - self._last_us > NOT_READ_US + self._period_us:
            self.paused()
            self._kept = True

    def came(self, arrived_us: int, waited_us: int) -> None:
        """Adds a frame; one that was kept while nobody read is not counted."""
        self._kept = self._kept and waited_us < max(WAITED_US, self._period_us / 2)
        if self._kept:
            return
        self._last_us = arrived_us
        if not self._number:
            self._begin_us = self._block_us = arrived_us
        self._late_us.append(arrived_us - self._begin_us - self._number * self._period_us)
        self._number += 1
        if len(self._late_us) >= BLOCK and arrived_us - self._block_us >= BLOCK_US:
            self._end_block()
            self._block_us = arrived_us

    def paused(self) -> None:
        """Call when the next frame does not follow the last one: nobody read, or the source was connected anew."""
        self._end_block()
        self._last_us = self._before = None
        self._number = 0

    @property
    def doubts(self) -> list[str]:
        """A sentence with both rates if they differ."""
        other = self._other
        if not other.intervals:
            return []
        before, then = f"{float(self._rate):.4g} fps", f"{other.intervals * 1e6 / other.took_us:.4g} fps"
        return [
            f"frames came at {before} before the run, and at {then} for {other.took_us / 1e6:.0f} s of it: "
            f"deadline, ages and video keep {before}"
        ]

    def _end_block(self) -> None:
        found = self._measured()
        differs = 0 if found is None else self._differs(found[2])
        # A change needs two blocks: the first also has frames from before it, and a busy machine may delay one block.
        if found is not None and differs and differs == self._differed:
            self._other.add(found[1] - found[0], found[2])
        self._differed = differs
        if self._late_us:
            self._before = self._least(0, len(self._late_us))
        self._late_us = []

    def _measured(self) -> tuple[int, int, float] | None:
        """The first and last frame, and the interval between frames in microseconds; None where they are too few."""
        count = len(self._late_us)
        if count < BLOCK:
            return None
        first, early = self._before or self._least(0, count // 2)
        last, late = self._least(0 if self._before else count // 2, count)
        if last - first < BLOCK // 2:
            return None
        return first, last, self._period_us + (late - early) / (last - first)

    def _least(self, begin: int, end: int) -> tuple[int, float]:
        """The number of the least late frame in this part of the block, and how late it was in microseconds."""
        late = self._late_us[begin:end]
        place = late.index(min(late))
        return self._number - len(self._late_us) + begin + place, late[place]

    def _differs(self, interval_us: float) -> int:
        """1 where the rate is higher than before, -1 where it is lower, 0 where it is the same."""
        share = self._period_us / interval_us - 1
        return 0 if abs(share) <= DOUBTED else 1 if share > 0 else -1


def named_rate(rate: float, announced: Fraction | None) -> Fraction:
    """The announced rate, or else the whole number, within `SAME` of ``rate``; else ``rate`` in hundredths."""
    whole = Fraction(max(1, round(rate)))
    for known in (announced, whole):
        if known is not None and abs(rate / float(known) - 1) <= SAME:
            return known
    return Fraction(max(1, round(rate * 100)), 100)


def rate_doubts(shown: str, announced: Fraction | None, measured: ArrivalRate | None, rate: Fraction) -> list[str]:
    """A sentence where the source ``shown`` announces another rate than was measured, or where none was."""
    if measured is None:
        why = "is what it announces" if announced else "is assumed"
        return [f"the frame rate of {shown} could not be measured: {float(rate):.4g} {why}"]
    if not measured.waited:
        announces = "" if announced is None else f", which announces {float(announced):.4g} fps,"
        return [
            f"{shown}{announces} comes faster than it is decoded here, at {float(rate):.4g} fps: its frames are old "
            "when they come, and the rate is the decoder's"
        ]
    if announced is None or abs(announced / rate - 1) <= DOUBTED:
        return []
    return [
        f"{shown} announces {float(announced):.4g} fps, and its frames came at {float(rate):.4g} fps: deadline, ages "
        "and video follow what came"
    ]


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The slope of the line through the points, and its standard error, which is infinite for two points.

    The slope is Theil and Sen's (Sen, 1968), the median over all pairs of points: a few late frames do not turn it.
    """
    early, late = np.triu_indices(len(x), 1)
    slope = float(np.median((y[late] - y[early]) / (x[late] - x[early])))
    if len(x) < 3:
        return slope, float("inf")
    off = y - slope * x
    return slope, float(np.sqrt(off.var() * len(x) / (len(x) - 2)) / (x.std() * np.sqrt(len(x))))
