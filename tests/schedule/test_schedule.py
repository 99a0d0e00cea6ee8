"""When frames are due: absolute, and exact for rates that are no whole number."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streamer.errors import UsageError
from streamer.schedule.schedule import Schedule, parse_fps


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("source", "source"),
        ("max", "max"),
        ("30", Fraction(30)),
        ("0.5", Fraction(1, 2)),
        ("30000/1001", Fraction(30_000, 1001)),
        ("23.976023976", Fraction(24_000, 1001)),
    ],
)
def test_a_pace_is_read_exactly(text: str, pace: object) -> None:
    assert parse_fps(text) == pace


@pytest.mark.parametrize("text", ["0", "-3", "abc", "", "nan", "inf", "1/0", "1e9", "30 fps"])
def test_what_is_no_pace_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(UsageError, match="give 'source', 'max' or frames per second above 0"):
        parse_fps(text)


def test_an_hour_of_ntsc_has_no_drift() -> None:
    schedule = Schedule(Fraction(30_000, 1001), Fraction(25))
    assert schedule.due_us(107_892, Fraction(0)) == round(107_892 * 1001 / 30_000 * 1e6)
    assert schedule.due_us(30_000, Fraction(99)) == 1001 * 1_000_000


def test_the_sources_own_times_are_kept() -> None:
    schedule = Schedule("source", Fraction(30))
    assert schedule.due_us(7, Fraction(1, 3)) == 333_333
    assert schedule.media_time(7, Fraction(1, 3)) == Fraction(1, 3)
    assert not schedule.closed_loop


def test_a_closed_loop_keeps_the_sources_times_in_the_video() -> None:
    schedule = Schedule("max", Fraction(30))
    assert schedule.closed_loop
    assert schedule.media_time(7, Fraction(1, 3)) == Fraction(1, 3)
