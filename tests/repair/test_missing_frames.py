"""Frames of a killed run without a row: which numbers they have, and when they were due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from streamer.ledger.record import FrameRecord
from streamer.repair.missing_frames import Due, rounds_of, unaccounted
from streamer.schedule.file_gaps import FileGap, FileGaps
from streamer.schedule.schedule import Limits, Schedule

TICK = 40_000
PACED = Due(Schedule(Fraction(25), Fraction(25)), Fraction(TICK), rounds=False, limits=Limits(), promised=None)


def records(numbers: Sequence[int], phase: int = 0) -> list[FrameRecord]:
    return [FrameRecord(0, number, number * TICK, number * TICK + phase) for number in numbers]


def found(due: Due, numbers: Sequence[int], end_us: int, phase: int = 0) -> list[tuple[int, int, int]]:
    """Number, presentation time and due instant of those missing."""
    missing = unaccounted(0, records(numbers, phase), due, end_us)
    return [(record.frame, record.pts, record.scheduled) for record in missing]


def test_numbers_left_out_below_the_highest_are_missing() -> None:
    assert found(PACED, [0, 1, 4, 2], end_us=4 * TICK) == [(3, 3 * TICK, 3 * TICK)]
    assert found(PACED, [2], end_us=2 * TICK) == [(0, 0, 0), (1, TICK, TICK)]


def test_frames_that_were_due_by_the_end_are_missing_too() -> None:
    assert [number for number, *_ in found(PACED, [0, 1], end_us=5 * TICK)] == [2, 3, 4, 5]
    assert [number for number, *_ in found(PACED, [0, 1], end_us=5 * TICK - 1)] == [2, 3, 4]
    assert [number for number, *_ in found(PACED, [], end_us=TICK)] == [0, 1]


def test_no_frames_are_missing_that_the_run_was_not_to_have() -> None:
    for due in (
        replace(PACED, limits=Limits(frames=3)),
        replace(PACED, limits=Limits(duration_us=3 * TICK)),
        replace(PACED, promised=3),
    ):
        assert [number for number, *_ in found(due, [0, 1], end_us=9 * TICK)] == [2]


def test_a_stream_is_due_in_its_own_phase() -> None:
    due = replace(PACED, schedule=Schedule(Fraction(25), Fraction(25), phase_us=13_000))
    assert found(due, [0, 2], 2 * TICK + 13_000, phase=13_000) == [(1, TICK, TICK + 13_000)]


def test_by_timestamps_a_frame_comes_between_its_neighbours_and_then_a_period_after_the_last() -> None:
    due = replace(PACED, schedule=Schedule("source", Fraction(25)))
    known = [FrameRecord(0, 0, 0, 0), FrameRecord(0, 3, 90_000, 90_000)]
    missing = unaccounted(0, known, due, 130_000)
    assert [(record.frame, record.pts, record.scheduled) for record in missing] == [
        *((1, 30_000, 30_000), (2, 60_000, 60_000), (4, 130_000, 130_000)),
    ]


@pytest.mark.parametrize("skipped", [False, True])
def test_a_gap_in_the_times_of_the_file_is_one_of_those_that_are_missing_too(skipped: bool) -> None:
    gaps = FileGaps((FileGap(4, 20_000_000 + TICK, TICK),), skipped=skipped)
    due = replace(PACED, schedule=Schedule("source", Fraction(25), gaps=gaps), gaps=gaps)
    waited_us = 0 if skipped else 20_000_000
    known = [FrameRecord(0, number, number * TICK, number * TICK) for number in (0, 1)]
    first, second = (2 * TICK, 2 * TICK), (3 * TICK, 3 * TICK)
    after = (20_000_000 + 4 * TICK, waited_us + 4 * TICK)
    missing = unaccounted(0, known, due, waited_us + 4 * TICK)
    assert [(record.pts, record.scheduled) for record in missing] == [first, second, after]
    if not skipped:
        killed_while_it_waited = unaccounted(0, known, due, 19_000_000)
        assert [record.frame for record in killed_while_it_waited] == [2, 3], "the next was not due"
    behind = FrameRecord(0, 5, 20_000_000 + 5 * TICK, waited_us + 5 * TICK)
    between = unaccounted(0, [*known, behind], due, 0)
    assert [(record.pts, record.scheduled) for record in between] == [first, second, after]


def test_where_no_schedule_tells_only_numbers_below_the_highest_are_missing() -> None:
    live = replace(PACED, schedule=None)
    known = [FrameRecord(0, 0, 0, 500), FrameRecord(0, 4, 160_000, 200_500)]
    missing = unaccounted(0, known, live, 10_000_000)
    assert [(record.frame, record.scheduled) for record in missing] == [(1, 50_500), (2, 100_500), (3, 150_500)]


def test_frames_of_a_round_are_moved_with_it() -> None:
    moved = [FrameRecord(0, number, number * TICK, number * TICK + 70_000 * (number // 4)) for number in range(12)]
    schedule = PACED.schedule
    assert schedule is not None
    assert rounds_of(moved, schedule) == [(0, 0), (4, 4 * TICK + 70_000), (8, 8 * TICK + 140_000)]
    missing = unaccounted(0, moved[:6] + moved[7:], replace(PACED, rounds=True), 10_000_000)
    assert [(record.frame, record.scheduled) for record in missing] == [(6, 6 * TICK + 70_000)]


def test_other_streams_do_not_matter() -> None:
    others = [FrameRecord(1, number, 0, 0) for number in range(9)]
    assert unaccounted(0, [*records([0, 1]), *others], PACED, TICK) == []
