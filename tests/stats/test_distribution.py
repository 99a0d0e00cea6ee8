"""Values of a figure: exact up to a number, within HdrHistogram's resolution beyond."""

from __future__ import annotations

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from streamer.stats.distribution import MOST_EXACT, MOST_US, Distribution, bucket_of, highest_in

VALUES = st.one_of(st.integers(0, 5_000), st.integers(0, MOST_US))


def of(values: list[int]) -> Distribution:
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    return distribution


@given(VALUES)
def test_the_buckets_are_those_of_hdrhistogram(value: int) -> None:
    theirs = HdrHistogram(1, MOST_US, 3).get_highest_equivalent_value(value)
    assert int(highest_in(bucket_of(np.array([value])))[0]) == theirs


@given(st.lists(VALUES, min_size=1, max_size=3_000))
def test_order_statistics_are_exact_and_estimates_within_a_thousandth(values: list[int]) -> None:
    ordered, ranks = sorted(values), [1, (len(values) + 1) // 2, len(values)]
    distribution = of(values)
    assert distribution.order_statistics(ranks) == [ordered[rank - 1] for rank in ranks]
    for estimate, rank in zip(distribution.estimates(ranks), ranks, strict=True):
        assert ordered[rank - 1] <= estimate <= ordered[rank - 1] * 1.001
    assert (distribution.n, distribution.max, distribution.mean) == (
        len(values), max(values), sum(values) / len(values),
    )  # fmt: skip


def test_beyond_the_limit_values_are_counted_and_nothing_is_lost() -> None:
    values = np.random.default_rng(3).lognormal(10, 1, MOST_EXACT + 5_000).astype(int)
    distribution = of(values.tolist())
    assert not distribution.exact
    ordered = np.sort(values)
    for rank in (1, 50_000, 104_000, 105_000):
        (found,) = distribution.order_statistics([rank])
        assert ordered[rank - 1] <= found <= ordered[rank - 1] * 1.001
    assert distribution.mean == values.sum() / len(values)
    assert distribution.max == ordered[-1]
    assert distribution.buckets()[1].sum() == len(values)


@pytest.mark.parametrize("sizes", [(10, 20), (0, 7), (2_000, 3_000), (MOST_EXACT, 1)])
def test_two_halves_come_to_the_whole(sizes: tuple[int, int]) -> None:
    values = np.random.default_rng(5).integers(0, 90_000, sum(sizes)).tolist()
    first, second, whole = of(values[: sizes[0]]), of(values[sizes[0] :]), of(values)
    first.merge(second)
    ranks = [1, len(values) // 2 + 1, len(values)]
    assert first.order_statistics(ranks) == whole.order_statistics(ranks)
    assert (first.n, first.mean, first.max, first.exact) == (whole.n, whole.mean, whole.max, whole.exact)
