"""The order statistics that stand for a percentile and for its upper bound at 99 % confidence.

MLPerf LoadGen's rule: the bound is the order statistic with k frames above it, where k is the largest number for
which the chance of k or fewer frames above the true percentile is at most 1 %.
"""

from __future__ import annotations

import math

import numpy as np

FRAMES_NEEDED = {"p50": 11, "p90": 64, "p95": 130, "p99": 662, "p999": 6636}
"""The least number of frames for which a percentile is shown, by the contract."""
PER_THOUSAND = {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "p999": 999}
RISK = 0.01


def percentile_rank(n: int, name: str) -> int:
    """The rank, from 1, of the percentile among ``n`` values by the nearest-rank rule."""
    return max(1, math.ceil(n * PER_THOUSAND[name] / 1000))


def bound_rank(n: int, name: str) -> int:
    """The rank, from 1, of the percentile's upper bound among ``n`` values; ``n`` is at least FRAMES_NEEDED."""
    q = 1 - PER_THOUSAND[name] / 1000
    # Each term of the binomial distribution follows from the one before. They are summed around the mean: the terms
    # beyond twelve standard deviations add nothing.
    reach = 12 * math.sqrt(n * q * (1 - q)) + 12
    least, most = max(0, math.floor(n * q - reach)), min(n, math.ceil(n * q + reach))
    k = np.arange(least, most, dtype=np.float64)
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k) / (k + 1) * (q / (1 - q))))])
    terms = np.exp(logs - logs.max())
    chance = np.cumsum(terms) / terms.sum()
    above = least + int(np.searchsorted(chance, RISK, side="right")) - 1
    return n - above
