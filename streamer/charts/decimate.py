"""Fewer points for the same chart: pure functions that keep the extremes, which a reader looks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streamer.stats.percentiles import PERCENTILES, bound_rank, frames_needed, nearest_rank

Values = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Envelope:
    """The smallest, the median and the largest value in each equal slice of time; empty slices are left out.

    ``slice`` holds the slices' numbers, which count from 0 at ``start``; ``width`` is the length of one. ``low``,
    ``middle`` and ``high`` have a value per slice.
    """

    start: float
    width: float
    slice: Values
    low: Values
    middle: Values
    high: Values

    def outline(self, values: Values) -> tuple[Floats, Floats]:
        """``low``, ``middle`` or ``high`` as the x and y of steps, a slice wide each; NaN where slices are empty."""
        left = self.start + self.slice * self.width
        x, y = np.column_stack((left, left + self.width)).ravel(), np.repeat(values.astype(np.float64), 2)
        (gaps,) = np.nonzero(np.diff(self.slice) > 1)
        return np.insert(x, 2 * gaps + 2, np.nan), np.insert(y, 2 * gaps + 2, np.nan)


def envelope(at: Values, values: Values, slices: int) -> Envelope:
    """The envelope of ``values`` at the times ``at`` (ascending, one or more), in ``slices`` slices of time."""
    start, width = int(at[0]), max(int(at[-1] - at[0]), 1) / slices
    number = np.minimum((at - start) / width, slices - 1).astype(np.int64)
    ordered = values[np.lexsort((values, number))]
    filled, first, count = np.unique(number, return_index=True, return_counts=True)
    last = first + count - 1
    return Envelope(start, width, filled, ordered[first], ordered[(first + last) // 2], ordered[last])


@dataclass(frozen=True, slots=True)
class Curve:
    """A distribution up to the highest percentile that may be shown.

    ``at`` is 1 / (1 - p) where each of ``us`` begins to hold, as steps; ``percentiles`` are those shown, with their
    value and their upper bound at 99 % confidence. Times are whole microseconds.
    """

    at: Floats
    us: Values
    percentiles: dict[str, tuple[int, int]]


def curve(values: Values, points: int) -> Curve | None:
    """The distribution of ``values`` in about ``points`` points; None when there are too few values for p50."""
    n = len(values)
    shown = {name: p for name, p in PERCENTILES.items() if n >= frames_needed(p)}
    if not shown:
        return None
    ordered = np.sort(values)
    highest = max(shown.values())
    top = nearest_rank(n, highest)
    # Evenly spaced where they are drawn, on the logarithmic axis.
    ranks = np.unique(n + 1 - np.geomspace(n, n + 1 - top, points).round().astype(np.int64))
    return Curve(
        np.append(n / (n + 1 - ranks), 1 / (1 - highest)),
        ordered[np.append(ranks, top) - 1],
        {
            name: (int(ordered[nearest_rank(n, p) - 1]), int(ordered[bound_rank(n, p) - 1]))
            for name, p in shown.items()
        },
    )


def distinct_slices(at: Values, slices: int) -> Floats:
    """The starts of those of the equal slices, from 0 to the latest of ``at`` (one or more), that are not empty."""
    width = max(int(at.max()), 1) / slices
    filled = np.unique(np.minimum(at / width, slices - 1).astype(np.int64))
    return filled.astype(np.float64) * width
