"""The rate at which a live source's frames come: measured before the run, and watched in it.

What a source announces is only announced: a camera may say 25 frames a second and send 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

INTERVALS = 10
"""So many between frames are measured, whatever they are."""
MOST_US = 5_000_000
"""It takes no longer than this, but for the one interval that there must be."""
CLOSE = 0.005
"""Arrivals that tell the rate less closely than this, as a share of it, are measured for longer,"""
CLOSE_BY_US = 1_000_000
"""but no longer than this where they tell it as closely as it is to be said:"""
SAID = 0.007
"""several frames at once, as of a camera that sends fragments, tell it only after many of them;"""
SURE_BY_US = 2_500_000
"""nor than this where own times seem to go by a little faster or slower than they come."""
BARELY = 0.1
"""Own times that are off by less may be so for frames that were late."""
STANDARD_ERRORS = 2
"""So far off, where arrivals tell it less closely than they should, own times may go by as frames come."""
SAME = 0.01
"""A rate that is so near to the one announced, or to a whole one, is that: arrivals tell it no closer."""
TOLD = 0.05
"""From this share of the rate on, another one is worth a doubt."""
BLOCK, BLOCK_US = 25, 1_250_000
"""The rate in a run is looked at over so many frames that take so long; fewer, at its end, tell nothing."""
WAITED_US = 4_000
"""What had to be waited for is new: nothing takes so long of what the server, the network or FFmpeg had kept,"""
WAITED_SHARE = 0.2
"""nor does it take such a share of the longest wait: what comes in a burst tells nothing but with its first frame."""
NEVER_WAITED, HARDLY_WAITED = 0.05, 0.2
"""Frames that are waited for less than this share of the time come faster than they are decoded; than the second one,
where their own times go by faster than that."""
NOT_READ_US = 200_000
"""Who comes back for the next frame after this has not read meanwhile, and finds what was kept."""


@dataclass(frozen=True, slots=True)
class ArrivalRate:
    """Frames per second as they came, and whether the source's own times ``hold``: they go by as the frames come.

    Where nothing was ever ``waited`` for, the rate is that of the decoder. One was waited for at most
    ``longest_wait_us``.
    """

    rate: Fraction
    own_times_hold: bool
    waited: bool = True
    longest_wait_us: int = 0


class RateMeter:
    """Measures the rate of frames that are added as they come; each has its own time in seconds, if it has one.

    Only those that were waited for tell when they were sent: what had been kept, and what comes in a burst behind its
    first frame, is counted, and its arrival is not looked at.
    """

    def __init__(self) -> None:
        self._own: list[Fraction | None] = []
        self._arrived: list[int] = []
        self._waited: list[int] = []

    def add(self, own: Fraction | None, arrived_us: int, waited_us: int) -> None:
        """A frame has come, and was waited for so long."""
        self._own.append(own)
        self._arrived.append(arrived_us)
        self._waited.append(waited_us)

    @property
    def enough(self) -> bool:
        """It has been measured for long enough."""
        intervals = len(self._arrived) - 1
        if intervals < 1:
            return False
        took_us = self._arrived[-1] - self._arrived[0]
        if intervals < INTERVALS or took_us >= MOST_US or len(self._told) < 2:
            return took_us >= MOST_US
        error, slope = self._accuracy
        if slope is not None and abs(slope - 1) < BARELY:
            return error <= CLOSE or took_us >= SURE_BY_US
        return error <= CLOSE or (error <= SAID and took_us >= CLOSE_BY_US)

    def measured(self, announced: Fraction | None) -> ArrivalRate | None:
        """The rate; None when not two frames have come, or all at once."""
        if len(self._arrived) < 2 or self._arrived[-1] == self._arrived[0]:
            return None
        longest_us = max(self._waited[1:])
        own = self._own_times
        if own is not None and self._holds(own):
            rate = (len(own) - 1) / float(own[-1] - own[0])
            return ArrivalRate(named_rate(rate, announced), True, True, longest_us)
        numbers, times = self._told_of(np.arange(len(self._arrived)))
        rate = 1 / _slope(numbers, times)[0]
        faster = own is not None and (len(own) - 1) / (own[-1] - own[0]) > rate
        share = sum(self._waited[1:]) * 1e-6 / (times[-1] - times[0])
        waited = share >= (HARDLY_WAITED if faster else NEVER_WAITED)
        return ArrivalRate(named_rate(rate, announced), False, waited, longest_us)

    @property
    def _told(self) -> np.ndarray:
        """The numbers of those that were waited for; of all where not two were."""
        waited = np.asarray(self._waited)
        (told,) = np.nonzero(waited >= max(WAITED_US, WAITED_SHARE * int(waited[1:].max(initial=0))))
        return told

    def _told_of(self, of_frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is given of each frame, and when it came in seconds, of those that tell."""
        told = self._told if len(self._told) > 1 else np.arange(len(self._arrived))
        return of_frames[told], (np.asarray(self._arrived)[told] - self._arrived[0]) / 1e6

    def _holds(self, own: np.ndarray) -> bool:
        """Whether own times go by as the arrivals do, as closely as these tell."""
        if len(self._told) < 2 and sum(self._waited[1:]) >= NEVER_WAITED * (self._arrived[-1] - self._arrived[0]):
            return True  # a single burst says nothing about them
        slope, error = _slope(*self._told_of(own))
        return abs(slope - 1) <= max(SAME, min(STANDARD_ERRORS * error, BARELY))

    @property
    def _own_times(self) -> np.ndarray | None:
        """Their own times in seconds; None where one has none, or they do not rise."""
        if any(time is None for time in self._own):
            return None
        times = np.asarray([float(time - (self._own[0] or 0)) for time in self._own if time is not None])
        return times if bool((np.diff(times) > 0).all()) else None

    @property
    def _accuracy(self) -> tuple[float, float | None]:
        """How closely the rate is known, as a share, and how long own times take to come, in times themselves.

        Those that hold tell it exactly.
        """
        own = self._own_times
        if own is None:
            slope, error = _slope(*self._told_of(np.arange(len(self._arrived))))
            return error / slope, None
        slope, error = _slope(*self._told_of(own))
        if self._holds(own):
            return 0.0, slope
        return (1.0 if abs(slope - 1) < BARELY else error / slope), slope


@dataclass(slots=True)
class _Sum:
    """So many intervals between frames, and how long they took, in microseconds."""

    intervals: int = 0
    took_us: float = 0.0

    def add(self, intervals: int, interval_us: float) -> None:
        self.intervals += intervals
        self.took_us += intervals * interval_us


class RateWatch:
    """Looks whether frames go on to come at the ``rate`` that was measured; ``doubts`` says when they do not.

    The last frame of those has come at ``measured_us``. Of each block of frames the one counts that was the least
    late by that rate: a silence of the network, and the burst after it, do not change the rate.
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

    def asked(self, now_us: int) -> None:
        """The next frame is asked for."""
        if self._last_us is not None and now_us - self._last_us > NOT_READ_US + self._period_us:
            self.paused()
            self._kept = True

    def came(self, arrived_us: int, waited_us: int) -> None:
        """A frame has come, and was waited for so long: what had been kept while nobody asked is not counted."""
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
        """What comes next has not come one interval after what came last: nobody read, or it is connected anew."""
        self._end_block()
        self._last_us = self._before = None
        self._number = 0

    @property
    def doubts(self) -> list[str]:
        """A sentence with both rates, if they differ."""
        other = self._other
        if not other.intervals:
            return []
        before, then = f"{float(self._rate):.4g} fps", f"{other.intervals * 1e6 / other.took_us:.4g} fps"
        return [
            f"frames came at {before} before the run, and at {then} for {other.took_us / 1e6:.0f} s of it: "
            f"deadline, ages and video keep {before}"
        ]

    def _end_block(self) -> None:
        found = self._looked_at()
        differs = 0 if found is None else self._differs(found[2])
        # The first of several holds frames of before the change too; one alone is of a machine that is busy.
        if found is not None and differs and differs == self._differed:
            self._other.add(found[1] - found[0], found[2])
        self._differed = differs
        if self._late_us:
            self._before = self._least(0, len(self._late_us))
        self._late_us = []

    def _looked_at(self) -> tuple[int, int, float] | None:
        """From which frame to which, and the interval between them in microseconds; None of too few."""
        count = len(self._late_us)
        if count < BLOCK:
            return None
        first, early = self._before or self._least(0, count // 2)
        last, late = self._least(0 if self._before else count // 2, count)
        if last - first < BLOCK // 2:
            return None
        return first, last, self._period_us + (late - early) / (last - first)

    def _least(self, begin: int, end: int) -> tuple[int, float]:
        """The frame that was the least late of these of the block, by its number, and how late that was."""
        late = self._late_us[begin:end]
        place = late.index(min(late))
        return self._number - len(self._late_us) + begin + place, late[place]

    def _differs(self, interval_us: float) -> int:
        """1 for another rate that is quicker, -1 for one that is slower, else 0."""
        share = self._period_us / interval_us - 1
        return 0 if abs(share) <= TOLD else 1 if share > 0 else -1


def named_rate(rate: float, announced: Fraction | None) -> Fraction:
    """The rate as it is called: the announced one or a whole one if it is that, else in hundredths."""
    whole = Fraction(max(1, round(rate)))
    for known in (announced, whole):
        if known is not None and abs(rate / float(known) - 1) <= SAME:
            return known
    return Fraction(max(1, round(rate * 100)), 100)


def rate_doubts(shown: str, announced: Fraction | None, measured: ArrivalRate | None, rate: Fraction) -> list[str]:
    """That a source announces another rate than its frames came at, or that none could be measured."""
    if measured is None:
        why = "is what it announces" if announced else "is taken for it"
        return [f"the frame rate of {shown} could not be measured: {float(rate):.4g} {why}"]
    if not measured.waited:
        said = "" if announced is None else f", which announces {float(announced):.4g} fps,"
        return [
            f"{shown}{said} comes faster than it is decoded here, at {float(rate):.4g} fps: its frames are old when "
            "they come, and the rate is the decoder's"
        ]
    if announced is None or abs(announced / rate - 1) <= TOLD:
        return []
    return [
        f"{shown} announces {float(announced):.4g} fps, and its frames came at {float(rate):.4g} fps: deadline, ages "
        "and video follow what came"
    ]


def _slope(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Of the line through the points, and its standard error, infinite through two points.

    The slope is Theil's and Sen's, the median of those through each two points: a few that come late do not turn it.
    """
    early, late = np.triu_indices(len(x), 1)
    slope = float(np.median((y[late] - y[early]) / (x[late] - x[early])))
    if len(x) < 3:
        return slope, float("inf")
    off = y - slope * x
    return slope, float(np.sqrt(off.var() * len(x) / (len(x) - 2)) / (x.std() * np.sqrt(len(x))))
