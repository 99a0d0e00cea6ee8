"""A few wrong frame times are mended between their neighbours; where many are wrong, none is trusted."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.video.mending import MOST_WRONG, mended
from streamer.video.rate import usual_rate
from streamer.video.reader import VideoReader
from tests.videos import number_of, write_video

EVEN = list(range(0, 4000, 40))


def with_wrong(place: int, tick: int) -> list[int]:
    return [*EVEN[:place], tick, *EVEN[place + 1 :]]


@pytest.mark.parametrize(
    ("ticks", "replaced"),
    [
        pytest.param(EVEN, [], id="none"),
        pytest.param(with_wrong(60, EVEN[59]), [EVEN[59]], id="repeated"),
        pytest.param(with_wrong(60, 20), [20], id="backward"),
        pytest.param(with_wrong(60, 9_999), [9_999], id="far ahead"),
        pytest.param(with_wrong(60, EVEN[90]), [EVEN[90]], id="that of a later one"),
        pytest.param(with_wrong(0, 5_000), [5_000], id="the first"),
        pytest.param(with_wrong(99, 0), [0], id="the last"),
    ],
)
def test_one_wrong_time_is_put_where_it_belongs(ticks: list[int], replaced: list[int]) -> None:
    found = mended(ticks)
    assert found is not None
    assert found[0] == EVEN
    assert len(found[1]) == len(replaced)


def test_either_of_two_equal_times_may_be_the_wrong_one() -> None:
    found = mended([0, 40, 40, 120])
    assert found is not None
    assert found[0] == [0, 40, 80, 120]


def test_many_wrong_times_are_not_mended_and_neither_are_those_without_room() -> None:
    assert mended([*range(20), *range(20)]) is None
    assert mended([5, 5, 5]) is None
    assert mended([*range(50), 49, *range(50, 99)]) is None, "between 49 and 50 there is no room"


@given(st.lists(st.integers(0, 10_000), max_size=200))
def test_mended_times_rise_and_keep_all_but_a_few(ticks: list[int]) -> None:
    found = mended(ticks)
    if found is None:
        return
    whole, replaced = found
    assert len(whole) == len(ticks)
    assert all(earlier < later for earlier, later in pairwise(whole))
    assert sum(a != b for a, b in zip(whole, ticks, strict=True)) <= len(replaced) <= max(1, len(ticks) // MOST_WRONG)


def test_the_usual_rate_leaves_out_gaps_and_is_never_that_of_a_tick() -> None:
    base = Fraction(1, 1000)
    paused = [*range(0, 2000, 40), *range(22_000, 24_000, 40)]
    assert usual_rate(paused, base, (Fraction(1000),)) == 25
    slow = [0, 3_000, 6_000, 9_000]
    assert usual_rate(slow, base, ()) == Fraction(1, 3), "a time lapse has no gaps"
    rounded = [0, 33, 67, 100, 133, 167, 200]
    assert usual_rate(rounded, base, (Fraction(30),)) == 30
    assert usual_rate([], base, (Fraction(1000), Fraction(12))) == 12


@pytest.mark.parametrize("name", ["rep.mkv", "rep.flv"])
def test_a_file_with_a_repeated_time_plays_at_its_own_times(name: str, tmp_path: Path) -> None:
    # For pictures that are shown out of order, the order of the file would be no help.
    options = {"bf": "0"}
    path = write_video(tmp_path / name, 60, ticks=[*range(0, 30), 29, *range(31, 60)], options=options)
    with VideoReader(path) as reader:
        found = [reader.read() for _ in range(60)]
        assert reader.read() is None
    assert [number_of(one.image) for one in found if one is not None and one.image is not None] == list(range(60))
    times = [one.pts for one in found if one is not None]
    assert times == pytest.approx([number / 25 for number in range(60)], abs=0.001)
    assert reader.info.rate == 25
    assert reader.doubts == ["1 of 60 frame times are repeated: mended between those beside them"]


def test_a_pause_is_kept_known_and_not_in_the_rate(tmp_path: Path) -> None:
    ticks = [*range(50), *range(550, 600)]
    with VideoReader(write_video(tmp_path / "gap.mkv", 100, ticks=ticks)) as reader:
        assert reader.info.rate == 25
        assert reader.schedule.pts(50) == 22
        assert reader.gaps == (50,)
        assert reader.doubts == []
