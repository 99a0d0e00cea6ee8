"""Which order statistics stand for a percentile and for its upper bound at 99 % confidence.

MLPerf LoadGen's rule: so many frames may lie above the bound that as few, or fewer, would turn up by chance above
the true percentile in one run of a hundred.
"""

from __future__ import annotations

import math

import numpy as np

FRAMES_NEEDED = {"p50": 11, "p90": 64, "p95": 130, "p99": 662, "p999": 6636}
"""The fewest frames for which a percentile is shown, by the contract."""
PER_THOUSAND = {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "p999": 999}
RISK = 0.01


def percentile_rank(n: int, name: str) -> int:
    """The rank, from 1, of the smallest of ``n`` values that the percentile's share of them do not exceed."""
    return max(1, math.ceil(n * PER_THOUSAND[name] / 1000))


def bound_rank(n: int, name: str) -> int:
    """The rank, from 1, of the percentile's upper bound among ``n`` values, enough for it to be shown."""
    q = 1 - PER_THOUSAND[name] / 1000
    # The terms of the binomial distribution from each other, around its mean: beyond twelve standard deviations
    # nothing is left to add.
    reach = 12 * math.sqrt(n * q * (1 - q)) + 12
    least, most = max(0, math.floor(n * q - reach)), min(n, math.ceil(n * q + reach))
    k = np.arange(least, most, dtype=np.float64)
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k) / (k + 1) * (q / (1 - q))))])
    terms = np.exp(logs - logs.max())
    chance = np.cumsum(terms) / terms.sum()
    above = least + int(np.searchsorted(chance, RISK, side="right")) - 1
    return n - above
