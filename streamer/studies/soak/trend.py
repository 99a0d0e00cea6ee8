"""The growth of a figure over a part of a soak: its rate, how sure that is, and whether it goes on.

Windows are autocorrelated: a rule that assumes independence finds growth in any slow wave. So the windows of a part
are averaged in twelve stretches, which are longer the longer the soak lasts. The rate is the median of the slopes
between any two stretches (Theil 1950, Sen 1968); single odd windows hardly move it. Its 99 % interval comes from how
often a series without growth has so many pairs in order (Kendall 1938), counted exactly. A jump is no growth: a step
between neighbouring stretches that lies far from the other steps is removed, and the rest must grow as surely.
`benchmarks/soak_power.py` measures how often the whole rule misleads.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
import numpy.typing as npt

from streamer.stats.bootstrap import RISK
from streamer.studies.soak.windows_csv import WindowRow

STRETCHES = 12
FEWEST = 16
"""Windows that a part needs after its warm-up."""
SECTIONS, SECTION_WINDOWS = 8, 4
"""Growth within sections: the most sections of a part, and the fewest windows of a section."""
JUMP = 3.0
"""A step further from the median step than this is a jump; in standard deviations of the steps."""
MAD_TO_DEVIATION = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth of a figure over ``windows`` windows of a part, from ``start_s`` to ``end_s`` of the soak.

    ``rate`` is the growth a minute, and ``low`` to ``high`` its 99 % interval. ``middle`` is the value of the line of
    this rate in the middle of the time. ``steady_low`` is the low end without jumps, which add up to ``jumped``.
    ``late`` is the rate in the second half, with jumps or without, whichever is less. ``within`` is the median of the
    rates within sections, few of which have a jump.
    """

    part: int
    windows: int
    start_s: float
    end_s: float
    middle: float
    rate: float
    low: float
    high: float
    steady_low: float
    jumped: float
    late: float
    within: float

    @property
    def minutes(self) -> float:
        """The length of these windows."""
        return (self.end_s - self.start_s) / 60

    @property
    def line(self) -> tuple[float, float]:
        """The values at the start and at the end of the line."""
        return self.middle - self.rate * self.minutes / 2, self.middle + self.rate * self.minutes / 2

    def surely_above(self, rate: float) -> bool:
        """Whether the growth a minute is surely more than ``rate``, also without jumps."""
        return min(self.low, self.steady_low) > rate


def growths(
    rows: Sequence[WindowRow], value: Callable[[WindowRow], float | None], *, warm_up: float = 0
) -> list[Growth]:
    """The growth of a figure in each part that has `FEWEST` windows with it after the warm-up.

    The warm-up is the first window of a part, and the share ``warm_up`` of the others.
    """
    found = []
    for part, of_part in groupby(rows, key=lambda row: row.part):
        known = [(row.end_s, number) for row in list(of_part)[1:] if (number := value(row)) is not None]
        settled = known[int(warm_up * len(known)) :]
        if len(settled) >= FEWEST:
            at_s, values = np.array(settled, np.float64).T
            found.append(_growth(part, at_s / 60, values))
    return found


def windows_needed(warm_up: float = 0) -> int:
    """The fewest windows of a part whose growth is assessed."""
    return next(n + 1 for n in itertools.count(FEWEST) if n - int(warm_up * n) >= FEWEST)


def longest_part(rows: Sequence[WindowRow]) -> int:
    """The number of windows of the part that has most of these."""
    return max(Counter(row.part for row in rows).values(), default=0)


def _growth(part: int, minutes: Numbers, values: Numbers) -> Growth:
    at, means = (np.array([one.mean() for one in np.array_split(each, STRETCHES)]) for each in (minutes, values))
    without = _without_jumps(at, means)
    slopes, steady, late = _slopes(at, means), _slopes(at, without), slice(STRETCHES // 2, None)
    rate, allowed = float(np.median(slopes)), discordant(STRETCHES)
    sections = min(SECTIONS, len(values) // SECTION_WINDOWS)
    within = [
        np.median(_slopes(when, section))
        for when, section in zip(np.array_split(minutes, sections), np.array_split(values, sections), strict=True)
    ]
    return Growth(
        part=part,
        windows=len(values),
        start_s=float(60 * minutes[0]),
        end_s=float(60 * minutes[-1]),
        middle=float(np.median(means - rate * (at - (minutes[0] + minutes[-1]) / 2))),
        rate=rate,
        low=float(slopes[allowed]),
        high=float(slopes[-1 - allowed]),
        steady_low=float(steady[allowed]),
        jumped=float(means[-1] - without[-1]),
        late=float(min(np.median(_slopes(at[late], each[late])) for each in (means, without))),
        within=float(np.median(within)),
    )


def _slopes(at: Numbers, values: Numbers) -> Numbers:
    """The slopes between any two values, ascending."""
    one, other = np.triu_indices(len(at), 1)
    return np.sort((values[other] - values[one]) / (at[other] - at[one]))


def _without_jumps(at: Numbers, values: Numbers) -> Numbers:
    """The values with each jump made a step like the others."""
    steps = np.diff(values) / np.diff(at)
    usual = np.median(steps)
    deviation = MAD_TO_DEVIATION * np.median(np.abs(steps - usual))
    kept = np.where(np.abs(steps - usual) > JUMP * deviation, usual, steps)
    return np.concatenate((values[:1], values[0] + np.cumsum(kept * np.diff(at))))


@lru_cache
def discordant(n: int) -> int:
    """The most pairs of ``n`` values that may be out of order where growth is sure.

    A random order has so few with a probability of ``RISK / 2`` or less (Kendall 1938).
    """
    orders = np.ones(1)
    for length in range(2, n + 1):
        orders = np.convolve(orders, np.ones(length))
    return int(np.count_nonzero(np.cumsum(orders) <= RISK / 2 * math.factorial(n))) - 1
