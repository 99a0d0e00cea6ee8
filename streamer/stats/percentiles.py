"""Percentiles with their confidence: exact order statistics, shown only when there are enough frames.

The rule is MLPerf LoadGen's. With ``t`` frames allowed above percentile ``p``, the least number of frames is the
smallest ``n`` with F(t; n, 1 - p) <= 0.01, where F is the binomial distribution function. For t = 1 that is 11 frames
for p50, 64 for p90, 130 for p95, 662 for p99 and 6,636 for p99.9. The upper bound of a percentile, at 99 %
confidence, is the order statistic that has ``t`` frames above it.
"""

from __future__ import annotations

import math
from functools import lru_cache

from streamer.errors import UsageError

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
RISK = 0.01


@lru_cache(maxsize=4096)
def allowed_above(n: int, p: float) -> int:
    """How many of ``n`` frames may lie above the bound of percentile ``p``: the largest t with F(t; n, 1-p) <= 0.01.

    It is -1 when not even t = 0 satisfies the rule.
    """
    # Terms more than twelve standard deviations below the mean add nothing: a run of millions is summed as quickly.
    start = max(0, math.floor(n * (1 - p) - 12 * math.sqrt(n * p * (1 - p)) - 12))
    above, log_q, log_p = start - 1, math.log(1 - p), math.log(p)
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
    """The least number of frames for which percentile ``p`` is shown: one frame may lie above its bound."""
    low, high = 1, 2
    while allowed_above(high, p) < 1:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if allowed_above(middle, p) >= 1 else (middle, high)
    return high


def nearest_rank(n: int, p: float) -> int:
    """The rank, from 1, of percentile ``p`` among ``n`` values, by the nearest-rank rule: ceil(p n), at least 1."""
    # In thousandths, since 0.95 x 100 is 95.00000000000001 in floating point.
    return max(-(-n * round(p * 1000) // 1000), 1)


def bound_rank(n: int, p: float) -> int:
    """The rank, from 1, of the upper bound of percentile ``p`` at 99 % confidence."""
    return n - allowed_above(n, p)


def parse_percentile(text: str) -> str:
    """The name of a percentile as people write it: p99.9 is p999. Raises UsageError."""
    name = text.strip().lower().replace(".", "")
    if name not in PERCENTILES:
        raise UsageError(
            f"{text!r} is no percentile that is shown: give one of {', '.join(map(spoken, PERCENTILES))}"
        )
    return name


def spoken(percentile: str) -> str:
    """A percentile's name as people write it: p99.9 for p999."""
    return "p99.9" if percentile == "p999" else percentile
