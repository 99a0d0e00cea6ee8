"""What the bootstrap draws, and the percentiles and intervals that it makes of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.stats.bootstrap import Counts, Ranked, blocks_drawn, interval, rounds_drawn, student_t
from streamer.stats.percentiles import nearest_rank


def all_of(frames: int, block: int, seed: int = 1) -> Counts:
    return np.concatenate(list(blocks_drawn(frames, block, seed)))


def test_a_draw_of_rounds_has_as_many_rounds_and_each_comes_up_once_on_average() -> None:
    drawn = np.concatenate(list(rounds_drawn(24, 720)))
    assert len(drawn) == 5_000
    assert set(drawn.sum(axis=1)) == {24}
    assert drawn.mean(axis=0) == pytest.approx(1, abs=0.06)


def test_blocks_are_consecutive_frames_and_go_on_from_the_last_to_the_first() -> None:
    drawn = all_of(40, 40)
    assert (drawn == 1).all()
    one_block = all_of(20, 10)
    assert set(one_block.sum(axis=1)) == {20}
    # Two blocks of ten: each begins where the count rises, and ends where it falls.
    rises = np.maximum(one_block - np.roll(one_block, 1, axis=1), 0).sum(axis=1)
    assert set(rises) <= {0, 1, 2}
    assert (one_block[:, 0] * one_block[:, -1]).any()


def test_frames_at_the_ends_come_up_as_often_as_others() -> None:
    assert all_of(100, 10).mean(axis=0) == pytest.approx(1, abs=0.06)


def test_draws_that_end_in_part_of_a_block_hold_all_of_it() -> None:
    assert set(all_of(25, 10).sum(axis=1)) == {30}


def test_other_seeds_draw_other_blocks_and_long_runs_are_drawn_less_often() -> None:
    assert (all_of(50, 5, 1) == all_of(50, 5, 1)).all()
    assert (all_of(50, 5, 1) != all_of(50, 5, 2)).any()
    assert sum(len(rows) for rows in blocks_drawn(10_000, 30, 1)) == 2_000
    assert sum(len(rows) for rows in rounds_drawn(10, 30_000)) == 1_000


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 4)), min_size=1, max_size=40),
    st.lists(st.integers(1, 5), min_size=5, max_size=5),
    st.sampled_from([0.5, 0.9, 0.95]),
)
def test_a_percentile_of_a_draw_is_that_of_its_values_written_out(
    values: list[tuple[int, int]], counts: list[int], p: float
) -> None:
    ranked = Ranked(np.array([value for value, _ in values], np.float64), np.array([unit for _, unit in values]))
    written = sorted(value for value, unit in values for _ in range(counts[unit]))
    drawn = np.array([counts], np.int32)
    assert ranked.percentile(drawn, p).tolist() == [written[nearest_rank(len(written), p) - 1]]
    middle = written[(len(written) - 1) // 2] * written[len(written) // 2]
    assert ranked.middle(drawn).tolist() == pytest.approx([middle**0.5])


@pytest.mark.parametrize(("freedom", "t"), [(7, 3.499), (11, 3.106), (23, 2.807), (60, 2.660), (1e9, 2.576)])
def test_students_t_is_that_of_the_tables(freedom: float, t: float) -> None:
    assert student_t(freedom) == pytest.approx(t, abs=0.001)


def test_fewer_blocks_make_a_wider_interval_and_many_that_of_plain_percentiles() -> None:
    drawn = np.random.default_rng(1).permutation(np.arange(10_000.0))
    assert interval(drawn, 1e6) == pytest.approx((50, 9_949), abs=1)
    few, more = interval(drawn, 8), interval(drawn, 24)
    assert 0 <= few[0] < more[0] < 40
    assert few[0] + few[1] == more[0] + more[1] == 9_999
