"""Gaps in the times of a file: when frames are due with them and without, and what is waited for."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streamer.schedule.arrivals import Bursty
from streamer.schedule.file_gaps import FileGap, FileGaps, in_words
from streamer.schedule.schedule import Schedule

TICK = 40_000
TWO = (FileGap(2, 5_000_000, TICK), FileGap(4, 20_040_000, TICK))


def test_each_frame_behind_a_gap_is_as_much_sooner_as_the_gap_is_longer_than_a_usual_interval() -> None:
    gaps = FileGaps(TWO, skipped=True)
    assert [gaps.skipped_us(index) for index in range(6)] == [0, 0, 4_960_000, 4_960_000, 24_960_000, 24_960_000]
    assert [gaps.before(index) for index in range(6)] == [None] * 6, "nothing is waited for"


def test_gaps_that_are_not_skipped_are_waited_for() -> None:
    gaps = FileGaps(TWO)
    assert [gaps.skipped_us(index) for index in range(6)] == [0] * 6
    assert [gaps.before(index) for index in range(6)] == [None, None, TWO[0], None, TWO[1], None]


def test_a_file_that_starts_again_has_its_gaps_again_and_one_before_its_first_frame() -> None:
    at_the_end = FileGap(5, 3_000_000, TICK)
    gaps = FileGaps((*TWO, at_the_end), loops_after=5)
    whole = 4_960_000 + 20_000_000 + 2_960_000
    assert [gaps.excess_us(index) for index in (0, 4, 5, 6, 7, 10)] == [
        *(0, whole - 2_960_000, whole, whole, whole + 4_960_000, 2 * whole),
    ]
    assert [gaps.before(index) for index in (0, 2, 5, 7, 10)] == [None, TWO[0], at_the_end, TWO[0], at_the_end]


def test_an_interval_that_is_shorter_than_a_usual_one_is_not_made_longer() -> None:
    assert FileGap(2, TICK - 1, TICK).excess_us == 0


@pytest.mark.parametrize("phase_us", [0, 13_000])
def test_the_due_instants_and_the_video_follow_from_the_times_as_they_are_recorded(phase_us: int) -> None:
    third = Fraction(1, 3)
    schedule = Schedule("source", Fraction(25), phase_us=phase_us, gaps=FileGaps(TWO, skipped=True))
    assert schedule.due_us(5, 25 + third) == 25_333_333 - 24_960_000 + phase_us
    media = schedule.media_time(5, 25 + third)
    assert media == Fraction(373_333, 1_000_000)
    assert (media / schedule.video_tick(Fraction(1, 90_000))).denominator == 1


def test_with_a_pace_of_its_own_or_without_skipping_nothing_changes() -> None:
    base = Fraction(1, 90_000)
    waiting = Schedule("source", Fraction(25), gaps=FileGaps(TWO))
    assert (waiting.media_time(5, Fraction(25, 3)), waiting.video_tick(base)) == (Fraction(25, 3), base)
    paced = Schedule(Fraction(10), Fraction(25), gaps=FileGaps(TWO, skipped=True))
    assert (paced.due_us(5, Fraction(25)), paced.video_tick(base)) == (500_000, Fraction(1, 10))


def test_bursts_are_those_of_the_time_without_the_gap() -> None:
    schedule = Schedule("source", Fraction(25), Bursty(), gaps=FileGaps(TWO, skipped=True))
    assert schedule.due_us(5, Fraction("26.56")) == 2_000_000, "at 1.6 s of the run the camera is silent"


@pytest.mark.parametrize(
    ("gaps", "text"),
    [
        ([(50, 20.04)], "a gap of 20.0 s after frame 49"),
        ([(2, 5.0), (4, 20.0)], "2 gaps, 25.0 s in all, the first 5.0 s after frame 1"),
        ([(9, 19_800.0)], "a gap of 19,800 s (5.5 h) after frame 8"),
    ],
)
def test_gaps_in_words(gaps: list[tuple[int, float]], text: str) -> None:
    assert in_words(gaps) == text
