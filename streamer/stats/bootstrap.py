"""The bootstrap: the draws, the percentiles of each draw, and the interval that follows.

A draw holds how often each unit (a frame, or a round of frames) was drawn. Values are sorted once. The percentile of
a draw is a nearest rank among them, where each value counts as often as its unit was drawn. Draws are seeded, so that
the same values always give the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int32]
"""How often each unit was drawn, (draws, units)."""
Numbers = npt.NDArray[np.float64]
"""A number for each value or draw, (n,)."""

RISK = 0.01
QUANTILE = NormalDist().inv_cdf(1 - RISK / 2)
"""The normal distribution's two-sided quantile for RISK, in standard deviations."""
MOST_DRAWS, FEWEST_DRAWS = 5_000, 1_000
FRAMES_DRAWN = 20_000_000
"""Frames drawn in all. Long runs get fewer draws: 5,000 up to 4,000 frames, 1,000 from 20,000 on."""
CHUNK = 1_000_000
"""The most counts in memory at once."""


def rounds_drawn(rounds: int, frames: int) -> Iterator[Counts]:
    """Yields draws of ``rounds`` rounds from as many, with ``frames`` frames in all; (draws, rounds) at a time."""
    random = np.random.default_rng(1)
    for rows in _chunks(frames):
        yield random.multinomial(rounds, np.full(rounds, 1 / rounds), size=rows).astype(np.int32)


def blocks_drawn(frames: int, block: int, seed: int) -> Iterator[Counts]:
    """Yields draws of blocks of ``block`` consecutive frames, (draws, frames) at a time.

    A draw has as many blocks as cover ``frames`` frames. They are the moving blocks of Künsch (1989, The Jackknife
    and the Bootstrap for General Stationary Observations, Annals of Statistics 17), which keep the autocorrelation.
    Blocks continue from the last frame to the first, after Politis and Romano (1992, A Circular Block-Resampling
    Procedure), so that frames at the ends are drawn as often as others.
    """
    random = np.random.default_rng(seed)
    for rows in _chunks(frames):
        first = random.integers(0, frames, (rows, -(-frames // block))) + frames * np.arange(rows)[:, None]
        begun = np.bincount(first.ravel(), minlength=rows * frames).reshape(rows, frames).astype(np.int32)
        # A frame is drawn as often as blocks begin with it or with one of the block - 1 before it.
        before = np.hstack([np.zeros((rows, 1), np.int32), begun[:, frames - block + 1 :], begun])
        until = np.cumsum(before, axis=1, dtype=np.int32)
        yield until[:, block:] - until[:, :-block]


def _chunks(frames: int) -> Iterator[int]:
    """The number of draws in each chunk."""
    left = min(max(FRAMES_DRAWN // frames, FEWEST_DRAWS), MOST_DRAWS)
    while left:
        rows = min(left, max(1, CHUNK // frames))
        left -= rows
        yield rows


class Ranked:
    """Sorted values; ``units``, (values,), has the unit of each."""

    def __init__(self, values: Numbers, units: npt.NDArray[np.int64]) -> None:
        order = np.argsort(values, kind="stable")
        self._values = values[order]
        self._units = units[order]

    def percentile(self, counts: Counts, p: float) -> Numbers:
        """Percentile ``p`` of each draw, (draws,), by nearest rank as in percentiles.nearest_rank."""
        reached = self._reached(counts)
        return self._at(reached, -(-reached[:, -1].astype(np.int64) * round(p * 1000) // 1000))

    def middle(self, counts: Counts) -> Numbers:
        """The median of each draw, (draws,); the geometric mean of the two values in the middle of an even number.

        So the reciprocals of the values have the reciprocal median.
        """
        reached = self._reached(counts)
        return np.sqrt(self._at(reached, (reached[:, -1] + 1) // 2) * self._at(reached, reached[:, -1] // 2 + 1))

    def _reached(self, counts: Counts) -> Counts:
        """How many values of each draw are up to each value, (draws, values)."""
        return np.cumsum(counts[:, self._units], axis=1, dtype=np.int32)

    def _at(self, reached: Counts, rank: npt.NDArray[np.integer]) -> Numbers:
        found: Numbers = self._values[(reached < rank[:, None]).sum(axis=1)]
        return found


def interval(drawn: Numbers, blocks: float) -> tuple[float, float]:
    """The interval at 99 % confidence of a figure whose draws of ``blocks`` blocks are ``drawn``, (draws,).

    It is Hesterberg's expanded percentile interval (2015, What Teachers Should Know About the Bootstrap, The American
    Statistician 69). Plain percentiles are too narrow by sqrt((n - 1) / n), and they use the normal distribution
    where few blocks require Student's t. The expanded ones lie further out by both factors.
    """
    ordered = np.sort(drawn)
    widened = math.sqrt(blocks / (blocks - 1)) * student_t(blocks - 1)
    outside = int(len(ordered) * NormalDist().cdf(-widened))
    return float(ordered[outside]), float(ordered[-1 - outside])


def student_t(freedom: float) -> float:
    """The two-sided quantile of Student's t for RISK; exact to 0.002 from 6 degrees of freedom on.

    The expansion is that of Abramowitz and Stegun, 26.7.5.
    """
    z = QUANTILE
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92_160 * freedom**4)
    )
