"""Does a figure grow over a part of a soak, how sure is that, and does it go on?

Windows that follow one another are alike, and a rule that takes them for independent finds growth in any slow wave.
So they are taken together in twelve stretches, the mean of each, which lie further apart the longer the soak lasts.
The rate is the median of the slopes between any two stretches (Theil 1950, Sen 1968), of which single odd windows
move hardly any; its interval at 99 % comes from how often a series without growth has so many pairs in order (Kendall
1938), counted exactly. A jump is no growth: where a step from one stretch to the next lies far from the others it is
taken out, and what is left must grow as surely. `benchmarks/soak_power.py` shows how often all that misleads.
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
"""Windows, behind those that are left out because something may still warm up in them."""
PIECES, PIECE = 8, 4
"""Growth within pieces is looked for in so many of them, of so many windows or more."""
JUMP = 3.0
"""A step so many times as far from the median step as most are is a jump, in standard deviations of a normal one."""
MAD_TO_DEVIATION = 1.4826

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Growth:
    """What a figure did over ``windows`` windows of a part, from ``start_s`` to ``end_s`` of the soak.

    ``rate`` is its growth a minute, with the interval from ``low`` to ``high`` at 99 % confidence, and ``middle`` how
    high the line of this rate lies in the middle of the time. ``steady_low`` is the low end without jumps, which came
    to ``jumped`` in all. ``late`` is the rate in the second half, with jumps or without, whichever is less, and
    ``within`` the median of the rates within pieces, in few of which there is a jump.
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
        """How long it was looked at."""
        return (self.end_s - self.start_s) / 60

    @property
    def line(self) -> tuple[float, float]:
        """The values at the start and at the end of the line."""
        return self.middle - self.rate * self.minutes / 2, self.middle + self.rate * self.minutes / 2

    def surely_above(self, rate: float) -> bool:
        """It grows by more than that a minute, and not by jumps alone."""
        return min(self.low, self.steady_low) > rate


def growths(
    rows: Sequence[WindowRow], value: Callable[[WindowRow], float | None], *, warm_up: float = 0
) -> list[Growth]:
    """The growth of a figure in each part that has enough windows in which it is known.

    The first window of each is left out, and of the others the share ``warm_up``.
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
    """The fewest windows of a part of which growth is judged."""
    return next(n + 1 for n in itertools.count(FEWEST) if n - int(warm_up * n) >= FEWEST)


def longest_part(rows: Sequence[WindowRow]) -> int:
    """How many of these windows the part with most of them has."""
    return max(Counter(row.part for row in rows).values(), default=0)


def _growth(part: int, minutes: Numbers, values: Numbers) -> Growth:
    at, means = (np.array([piece.mean() for piece in np.array_split(each, STRETCHES)]) for each in (minutes, values))
    without = _without_jumps(at, means)
    slopes, steady, late = _slopes(at, means), _slopes(at, without), slice(STRETCHES // 2, None)
    rate, allowed = float(np.median(slopes)), discordant(STRETCHES)
    pieces = min(PIECES, len(values) // PIECE)
    within = [
        np.median(_slopes(when, piece))
        for when, piece in zip(np.array_split(minutes, pieces), np.array_split(values, pieces), strict=True)
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
    """Those between any two values, ascending."""
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
    """How many pairs of ``n`` values may be out of order where growth is sure: chance has so few in RISK / 2."""
    orders = np.ones(1)
    for length in range(2, n + 1):
        orders = np.convolve(orders, np.ones(length))
    return int(np.count_nonzero(np.cumsum(orders) <= RISK / 2 * math.factorial(n))) - 1
