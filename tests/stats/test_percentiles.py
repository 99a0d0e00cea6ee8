"""Percentiles: nearest rank, the sample-size rule, upper bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stats.distribution import Distribution
from streamer.stats.percentiles import PERCENTILES, allowed_above, bound_rank, frames_needed, nearest_rank
from streamer.stats.summary import statistics


def of(values: Iterable[int]) -> Distribution:
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    return distribution


@pytest.mark.parametrize(("name", "frames"), [("p50", 11), ("p90", 64), ("p95", 130), ("p99", 662), ("p999", 6636)])
def test_a_percentile_needs_the_frames_of_loadgens_rule(name: str, frames: int) -> None:
    assert frames_needed(PERCENTILES[name]) == frames


def test_p99_is_withheld_when_there_are_too_few_frames() -> None:
    assert statistics(of(range(661)))["p99"] is None
    assert statistics(of(range(662)))["p99"] == 0.655


@given(st.integers(1, 400), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_allowed_above_agrees_with_the_binomial_sum(n: int, p: float) -> None:
    def chance(t: int) -> float:
        return sum(math.comb(n, k) * (1 - p) ** k * p ** (n - k) for k in range(t + 1))

    t = allowed_above(n, p)
    assert t < 0 or chance(t) <= 0.01 + 1e-9
    assert chance(t + 1) > 0.01 - 1e-9


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=300), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_nearest_rank_is_the_smallest_value_that_enough_do_not_exceed(values: list[int], p: float) -> None:
    ordered = np.array(sorted(values), np.int64)
    found = int(ordered[nearest_rank(len(ordered), p) - 1])
    enough = math.ceil(round(p * 1000) * len(values) / 1000)
    assert sum(value <= found for value in values) >= enough
    assert sum(value < found for value in values) < enough


def test_the_upper_bound_holds_in_99_of_100_samples() -> None:
    random = np.random.default_rng(7)
    true_p95 = -math.log(0.05)
    rank = bound_rank(500, 0.95)
    below = sum(np.sort(random.exponential(size=500))[rank - 1] < true_p95 for _ in range(2000))
    assert below / 2000 <= 0.013


def test_no_values_come_to_nothing() -> None:
    empty = statistics(of([]))
    assert (empty.n, empty.mean, empty.max, empty["p50"]) == (0, None, None, None)
