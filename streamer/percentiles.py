"""Percentiles with their confidence: exact order statistics, shown only when there are enough frames.

The rule is MLPerf LoadGen's: with ``t`` frames allowed above percentile ``p``, it takes the smallest ``n`` for which
F(t; n, 1 - p) <= 0.01, where F is the binomial distribution function. For t = 1 that is 11 frames for p50, 64 for
p90, 130 for p95, 662 for p99 and 6,636 for p99.9. The upper bound of a percentile, at 99 % confidence, is the order
statistic that has that many frames above it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
RISK = 0.01


@lru_cache(maxsize=4096)
def allowed_above(n: int, p: float) -> int:
    """How many of ``n`` frames may lie above the bound of percentile ``p``: the largest t with F(t; n, 1-p) <= 0.01.

    Minus one when not even t = 0 satisfies the rule.
    """
    above, log_q, log_p = -1, math.log(1 - p), math.log(p)
    total = 0.0
    while above < n:
        t = above + 1
        total += math.exp(
            math.lgamma(n + 1) - math.lgamma(t + 1) - math.lgamma(n - t + 1) + t * log_q + (n - t) * log_p
        )
        if total > RISK:
            break
        above = t
    return above


@lru_cache(maxsize=64)
def frames_needed(p: float) -> int:
    """The fewest frames for which percentile ``p`` is shown: one frame may lie above its bound."""
    low, high = 1, 2
    while allowed_above(high, p) < 1:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if allowed_above(middle, p) >= 1 else (middle, high)
    return high


def nearest_rank(ordered: npt.NDArray[np.int64], p: float) -> int:
    """Percentile ``p`` of values in ascending order: the smallest that at least p of them do not exceed."""
    # Computed in thousandths: 0.95 x 100 is 95.00000000000001 in floating point.
    rank = -(-len(ordered) * round(p * 1000) // 1000)
    return int(ordered[max(rank, 1) - 1])


def upper_bound(ordered: npt.NDArray[np.int64], p: float) -> int:
    """The bound that percentile ``p`` does not exceed with 99 % confidence."""
    return int(ordered[len(ordered) - 1 - allowed_above(len(ordered), p)])
