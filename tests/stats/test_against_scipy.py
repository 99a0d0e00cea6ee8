"""Our binomial bounds, Student's t, Theil-Sen rates and Kendall counts beside scipy's."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stats.bootstrap import QUANTILE, RISK, interval, student_t
from streamer.stats.percentiles import PERCENTILES, allowed_above, bound_rank, frames_needed
from streamer.stats.speed_ratio import ROUNDS_NEEDED
from streamer.studies.soak import trend
from streamer.verification import percentile_rule

scipy = pytest.importorskip("scipy.stats", reason="scipy is not installed: pip install 'streamer[test]'")

ROUNDING = 1e-6
"""The accepted difference between two ways of summing a probability, as a share of it."""
LONGEST = 5_000_000
"""Frames: two days at 30 fps."""


@given(st.integers(1, LONGEST), st.sampled_from([*PERCENTILES.values()]))
def test_as_many_frames_may_lie_above_a_bound_as_the_binomial_distribution_allows(n: int, p: float) -> None:
    above = allowed_above(n, p)
    assert scipy.binom.cdf(above, n, 1 - p) <= RISK * (1 + ROUNDING)
    assert scipy.binom.cdf(above + 1, n, 1 - p) > RISK * (1 - ROUNDING)


@given(st.integers(0, LONGEST), st.sampled_from([*PERCENTILES]))
def test_verify_has_the_bound_of_the_binomial_distribution_too(more: int, name: str) -> None:
    n = percentile_rule.FRAMES_NEEDED[name] + more
    above = n - percentile_rule.bound_rank(n, name)
    assert scipy.binom.cdf(above, n, 1 - PERCENTILES[name]) <= RISK * (1 + ROUNDING)
    assert scipy.binom.cdf(above + 1, n, 1 - PERCENTILES[name]) > RISK * (1 - ROUNDING)
    assert percentile_rule.bound_rank(n, name) == bound_rank(n, PERCENTILES[name])


@pytest.mark.parametrize("name", [*PERCENTILES])
def test_a_percentile_needs_the_fewest_frames_of_which_one_may_lie_above_its_bound(name: str) -> None:
    n, q = frames_needed(PERCENTILES[name]), 1 - PERCENTILES[name]
    assert scipy.binom.cdf(1, n, q) <= RISK < scipy.binom.cdf(1, n - 1, q)
    assert n == percentile_rule.FRAMES_NEEDED[name]


def test_the_fewest_rounds_favour_one_engine_by_chance_as_rarely_as_documented() -> None:
    leans = (scipy.binomtest(n, n).pvalue <= RISK for n in count(1))
    assert 1 + next(n for n, seldom in enumerate(leans) if seldom) == ROUNDS_NEEDED


@given(st.floats(6, 1e6))
def test_students_t_is_exact_to_two_thousandths_from_six_degrees_of_freedom_on(freedom: float) -> None:
    assert student_t(freedom) == pytest.approx(scipy.t.ppf(1 - RISK / 2, freedom), abs=0.002)


def test_constants_of_the_normal_distribution_are_its_own() -> None:
    assert pytest.approx(scipy.norm.ppf(1 - RISK / 2), rel=1e-12) == QUANTILE
    assert pytest.approx(1 / scipy.norm.ppf(0.75), abs=5e-5) == trend.MAD_TO_DEVIATION


@given(st.integers(8, 2_000), st.integers(1_000, 5_000), st.integers(0, 2**32 - 1))
def test_an_interval_is_the_expanded_percentile_interval_to_within_one_draw(
    blocks: int, draws: int, seed: int
) -> None:
    drawn = np.random.default_rng(seed).normal(size=draws)
    widened = np.sqrt(blocks / (blocks - 1)) * scipy.t.ppf(1 - RISK / 2, blocks - 1)
    outside = int(draws * scipy.norm.cdf(-widened))
    ordered = np.sort(drawn)
    low, high = interval(drawn, blocks)
    assert ordered[max(0, outside - 1)] <= low <= ordered[outside + 1]
    assert ordered[-2 - outside] <= high <= ordered[min(-outside, -1)]


@given(st.integers(trend.FEWEST, 300), st.floats(-5, 5), st.floats(0.01, 10), st.integers(0, 2**32 - 1))
def test_a_rate_is_the_theil_sen_slope_of_the_stretches(windows: int, rate: float, noise: float, seed: int) -> None:
    minutes = np.arange(1, windows + 1, dtype=np.float64)
    values = 100 + rate * minutes + np.random.default_rng(seed).normal(scale=noise, size=windows)
    at, means = (
        np.array([stretch.mean() for stretch in np.array_split(each, trend.STRETCHES)]) for each in (minutes, values)
    )
    line = scipy.theilslopes(means, at, 1 - RISK, method="joint")
    growth = trend._growth(0, minutes, values)
    assert growth.rate == pytest.approx(line.slope, rel=1e-9, abs=1e-9)
    assert growth.middle == pytest.approx(line.intercept + line.slope * (1 + windows) / 2, rel=1e-9)
    # scipy takes the normal distribution for Kendall's, which is counted here: the ends are next to each other.
    slopes = np.sort([(means[j] - means[i]) / (at[j] - at[i]) for j in range(len(at)) for i in range(j)])
    for ours, theirs in ((growth.low, line.low_slope), (growth.high, line.high_slope)):
        assert abs(np.abs(slopes - ours).argmin() - np.abs(slopes - theirs).argmin()) <= 1


@pytest.mark.parametrize("n", range(2, 31))
def test_so_many_pairs_may_be_out_of_order_as_kendalls_exact_test_allows(n: int) -> None:
    sure = [pairs for pairs in range(n * (n - 1) // 4 + 1) if kendall_p(n, pairs) <= RISK]
    assert trend.discordant(n) == max(sure, default=-1)


def kendall_p(n: int, pairs: int) -> float:
    """The two-sided chance of an order of ``n`` values in which so many pairs, or fewer, are out of order."""
    order = list(range(n))
    for place in range(n):  # a value that is moved before so many smaller ones is out of order with each
        moved = min(pairs, n - 1 - place)
        order.insert(place, order.pop(place + moved))
        pairs -= moved
    return float(scipy.kendalltau(range(n), order, method="exact").pvalue)
