"""The times of frames that arrive: their own, while those make sense, else their arrivals, without a jump."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.sources.live import MICROSECOND, Timeline

RATE = Fraction(25)
PERIOD_US = 40_000
HOUR = Fraction(3600)


def own_time(number: int) -> Fraction:
    """The own time of frame ``number``, at 25 a second."""
    return Fraction(number, 25)


def times_of(timeline: Timeline, own: list[Fraction | None]) -> list[Fraction]:
    """The times of frames that come 25 a second."""
    return [timeline.pts(time, number * PERIOD_US) for number, time in enumerate(own)]


def rising(times: list[Fraction]) -> bool:
    return all(earlier < later for earlier, later in pairwise(times))


def test_times_are_the_streams_own_from_its_first_frame_on() -> None:
    timeline = Timeline(RATE)
    tick = Fraction(1, 30)
    times = [timeline.pts(100 + index * tick, arrived_us=index * 33_000) for index in range(4)]
    assert times == [Fraction(us, 1_000_000) for us in (0, 33333, 66667, 100000)]
    assert timeline.doubts == []


@pytest.mark.parametrize(
    ("jump", "trouble"),
    [
        (None, "are missing"),
        (Fraction(0) - HOUR, "do not rise"),
        (Fraction(-1), "do not rise"),
        (HOUR, "jump ahead by 3,600.0 s"),
        (Fraction(60), "jump ahead by 60.0 s"),
        (Fraction(2**33, 90_000), "jump ahead by 95,443.7 s"),
    ],
)
def test_times_that_make_no_sense_are_replaced_by_arrivals_for_good(jump: Fraction | None, trouble: str) -> None:
    timeline = Timeline(RATE)
    own = [None if jump is None and number == 50 else own_time(number) for number in range(100)]
    moved = [time if time is None or number < 50 else time + (jump or 0) for number, time in enumerate(own)]
    times = times_of(timeline, moved)
    assert times == [own_time(number) for number in range(100)]
    assert timeline.doubts == [f"frame times {trouble}: the instants at which frames arrive are used instead"]


def test_a_silence_with_the_burst_after_it_keeps_own_times() -> None:
    timeline = Timeline(RATE)
    arrivals = [number * PERIOD_US for number in range(50)] + [150 * PERIOD_US + number for number in range(100)]
    times = [timeline.pts(own_time(number), us) for number, us in enumerate(arrivals)]
    times += [timeline.pts(own_time(number), number * PERIOD_US) for number in range(151, 200)]
    assert times == [own_time(number) for number in (*range(150), *range(151, 200))]
    assert timeline.doubts == []


def test_a_clock_that_stands_still_falls_behind_and_times_make_up_for_it() -> None:
    timeline = Timeline(RATE)
    times_of(timeline, [own_time(number) for number in range(50)])
    # For ten seconds nothing came, and the stream's clock goes on where it stood.
    later_us = 10_000_000
    times = [timeline.pts(own_time(number), later_us + number * PERIOD_US) for number in range(50, 100 + 60)]
    assert rising(times)
    assert times[-1] == own_time(99 + 60) + 10
    assert timeline.doubts == [
        "frame times fall behind the arrivals by 10.0 s: the instants at which frames arrive are used instead"
    ]


@pytest.mark.parametrize("late_us", [30_000, 90_000, 3_000_000])
def test_a_first_frame_that_was_late_does_not_put_the_others_ahead_of_their_arrival(late_us: int) -> None:
    timeline = Timeline(RATE)
    arrivals = [max(late_us + number, number * PERIOD_US) for number in range(200)]
    times = [timeline.pts(own_time(number), us) for number, us in enumerate(arrivals)]
    assert rising(times)
    assert abs(float(times[-1]) - (arrivals[-1] - late_us) / 1e6) <= PERIOD_US / 2e6
    assert {late - early for early, late in pairwise(times[80:])} == {Fraction(1, 25)}
    assert timeline.doubts == []


def test_each_connection_is_placed_by_its_first_arrival_and_the_times_do_not_run_ahead() -> None:
    timeline = Timeline(RATE)
    arrived_us, times = 0, []
    for connection in range(20):
        timeline.connected()
        # A tick each frame earlier than it comes: the stream's clock runs a little fast.
        for number in range(20):
            times.append(timeline.pts(1_000 * connection + own_time(number) * Fraction(101, 100), arrived_us))
            arrived_us += PERIOD_US
        arrived_us += 3_000_000
    assert rising(times)
    assert float(times[-1]) == pytest.approx((arrived_us - 3_040_000) / 1e6, abs=0.04)
    assert timeline.doubts == []


def test_without_times_of_their_own_frames_are_placed_by_their_arrival_and_there_is_no_doubt() -> None:
    timeline = Timeline(RATE, own_times=False)
    assert [timeline.pts(own, us) for own, us in ((None, 7), (Fraction(90), 40_007))] == [0, Fraction(4, 100)]
    assert timeline.doubts == []


def test_first_frames_without_a_time_do_not_end_the_use_of_own_times() -> None:
    timeline = Timeline(RATE)
    times = times_of(timeline, [None, None, *(own_time(number) + HOUR for number in range(2, 20))])
    assert times == [own_time(number) for number in range(20)]
    assert timeline.pts(HOUR + own_time(20), 20 * PERIOD_US + 9_999) == own_time(20)
    assert timeline.doubts == ["2 frames came without a time: they are placed by their arrival"]


def test_a_lost_frame_stands_between_its_neighbours() -> None:
    timeline = Timeline(RATE)
    times = [timeline.pts(Fraction(1), 0), timeline.lost(30_000), timeline.pts(Fraction(105, 100), 50_000)]
    assert times == [0, Fraction(1, 1_000_000), Fraction(5, 100)]
    assert timeline.doubts == []


@given(st.lists(st.tuples(st.integers(-10_000, 10_000_000), st.none() | st.integers(0, 2**33)), max_size=60))
def test_times_are_whole_microseconds_and_rise_whatever_comes(came: list[tuple[int, int | None]]) -> None:
    timeline, times, arrived_us = Timeline(RATE), [], 0
    for passed_us, ticks in came:
        arrived_us += max(0, passed_us)
        if passed_us < 0:
            timeline.connected()
        own = None if ticks is None else Fraction(ticks, 90_000)
        times.append(timeline.pts(own, arrived_us) if ticks != 0 else timeline.lost(arrived_us))
    assert rising(times)
    assert all(time % MICROSECOND == 0 for time in times)
