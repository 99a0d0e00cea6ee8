"""The frames of a killed run without a row: those in flight, and those that were due by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

import numpy as np

from streamer.ledger.record import FrameRecord
from streamer.schedule.file_gaps import FileGaps
from streamer.schedule.schedule import Limits, Schedule


@dataclass(frozen=True, slots=True)
class Due:
    """When the frames of a stream are due; its source's period is ``period_us``.

    ``schedule`` is None where the frame numbers do not determine it. A run in ``rounds`` stands still in between. The
    stream ends with the ``limits`` of the run, or with the number of frames that the source has ``promised``.
    ``gaps`` are those in its times.
    """

    schedule: Schedule | None
    period_us: Fraction
    rounds: bool
    limits: Limits
    promised: int | None
    gaps: FileGaps | None = None


def unaccounted(stream: int, records: Sequence[FrameRecord], due: Due, end_us: int) -> list[FrameRecord]:
    """Records for the frames of a stream that are missing among its ``records``, in the order of their numbers.

    Missing are the numbers left out below the highest one, and, with a schedule, the frames that were due by
    ``end_us``. Times that no schedule determines are interpolated between those of their neighbours.
    """
    known = sorted((record for record in records if record.stream == stream), key=lambda record: record.frame)
    numbers = np.array([record.frame for record in known], np.int64)
    excess_us = (lambda index: 0) if due.gaps is None else due.gaps.excess_us
    even_at = _between(numbers, [record.pts - excess_us(record.frame) for record in known], due.period_us)
    scheduled_at = _between(numbers, [record.scheduled for record in known], due.period_us)
    schedule = due.schedule

    def missing(index: int) -> FrameRecord:
        pts = even_at(index) + excess_us(index)
        if schedule is None:
            return FrameRecord(stream, index, pts, scheduled_at(index))
        before = int(np.searchsorted(numbers, index)) - 1
        moved = _moved(known[before], schedule) if before >= 0 else 0
        return FrameRecord(stream, index, pts, _due_us(schedule, index, pts) + moved)

    beyond = int(numbers[-1]) + 1 if known else 0
    found = [missing(int(index)) for index in np.setdiff1d(np.arange(beyond), numbers)]
    if schedule is not None and not due.rounds:
        found.extend(_due_by(end_us, map(missing, count(beyond)), due))
    return found


def rounds_of(records: Sequence[FrameRecord], schedule: Schedule) -> list[tuple[int, int]]:
    """The first frame of each round of a run, and when that was due, in microseconds.

    A round begins at a frame whose distance to the schedule differs from that of the frame before.
    """
    rounds: list[tuple[int, int]] = []
    last = None
    for record in sorted(records, key=lambda record: record.frame):
        moved = _moved(record, schedule)
        if moved != last:
            rounds.append((record.frame, record.scheduled))
        last = moved
    return rounds


def _moved(record: FrameRecord, schedule: Schedule) -> int:
    return record.scheduled - _due_us(schedule, record.frame, record.pts)


def _due_us(schedule: Schedule, index: int, pts_us: int) -> int:
    due_us = schedule.due_us(index, Fraction(pts_us, 1_000_000))
    assert due_us is not None, "only recorded arrivals come to an end"
    return due_us


def _due_by(end_us: int, records: Iterator[FrameRecord], due: Due) -> Iterator[FrameRecord]:
    for record in records:
        if record.scheduled > end_us or due.limits.reached(record.frame, record.scheduled):
            return
        if due.promised is not None and record.frame >= due.promised:
            return
        yield record


def _between(
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]], us: list[int], period_us: Fraction
) -> Callable[[int], int]:
    """Microseconds by number: interpolated between the known ones, one period per frame before and after them."""
    if not us:
        return lambda index: round(index * period_us)

    def at(index: int) -> int:
        nearest = min(max(index, int(numbers[0])), int(numbers[-1]))
        return max(0, round(float(np.interp(nearest, numbers, us))) + round((index - nearest) * period_us))

    return at
