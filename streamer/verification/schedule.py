"""When each frame was due: checked where the requested schedule alone decides it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from streamer.verification.csv_table import Array
from streamer.verification.frames_csv import Rows, milliseconds
from streamer.verification.manifest import RunFacts, StreamFacts
from streamer.verification.reasons import Reasons, Unreadable


def instants(numbers: Iterable[int], rate: Fraction) -> Array:
    """The instants, in whole microseconds, of these frame numbers at ``rate`` a second; halves rounded to even.

    Raises Unreadable when one does not fit into 64 bits.
    """
    per, whole = 1_000_000 * rate.denominator, rate.numerator

    def nearest(number: int) -> int:
        us, rest = divmod(number * per, whole)
        return us + (2 * rest > whole or (2 * rest == whole and us % 2 == 1))

    try:
        return np.fromiter(map(nearest, numbers), np.int64)
    except OverflowError:
        raise Unreadable(f"run.json run.fps: found {rate}, too slow for the frames of the ledger") from None


def media_times(rows: Rows, run: RunFacts) -> Array:
    """The time of each frame in its stream's annotated video, (rows,), in microseconds."""
    times = rows["pts"].copy()
    if run.schedule != "fps":
        for number, stream in enumerate(run.streams):
            if stream.gaps:
                here = rows.stream == number
                times[here] -= _skipped(rows.frame[here], stream)
        return times
    for number in (number for number, stream in enumerate(run.streams) if not stream.live):
        here = rows.stream == number
        times[here] = instants(rows.frame[here].tolist(), run.rate(number))
    return times


def _skipped(frame: Array, stream: StreamFacts) -> Array:
    """The time that was skipped in the gaps before each frame, in microseconds."""
    rounds, within = (0, frame) if stream.loops_after is None else np.divmod(frame, stream.loops_after)
    sums = np.cumsum([0, *(skipped for _, _, skipped in stream.gaps)])
    skipped: Array = rounds * sums[-1] + sums[np.searchsorted([gap for gap, _, _ in stream.gaps], within, "right")]
    return skipped


def _check_gaps(rows: Rows, run: RunFacts, reasons: Reasons) -> None:
    """Checks that each gap in the manifest is in the source's times, to within the rounding."""
    for number, stream in enumerate(run.streams):
        for frame, length, _ in stream.gaps:
            here = np.flatnonzero((rows.stream == number) & ((rows.frame == frame) | (rows.frame == frame - 1)))
            if len(here) == 2 and abs(int(np.diff(rows["pts"][here])[0]) - length) > 1:
                reasons.add(
                    f"{rows.place(int(here[1]), 'pts_ms')}: found {milliseconds(int(rows['pts'][here[1]]))}, "
                    f"expected {milliseconds(int(rows['pts'][here[0]]) + length)}, after the gap in run.json"
                )


def _moved(nominal: Array, frame: Array, rounds: Sequence[tuple[int, int]]) -> Array:
    """The instants of a run in rounds: each round is moved, so that its first frame is due at the round's begin."""
    firsts, starts = (np.array(column, np.int64) for column in zip(*rounds, strict=True))
    number = np.searchsorted(firsts, frame, side="right") - 1
    first_of_each = np.searchsorted(frame, firsts)
    began = nominal[np.minimum(first_of_each, len(nominal) - 1)]
    moved: Array = nominal + (starts - began)[number]
    return moved


def check_schedule(rows: Rows, run: RunFacts, reasons: Reasons) -> None:
    """Checks that due instants follow from the schedule; where something else decides them, that they do not go back.

    Raises Unreadable.
    """
    _check_gaps(rows, run, reasons)
    streams = len(run.streams)
    scheduled = rows["scheduled"]
    of_row = np.minimum(rows.stream, streams - 1)
    by_schedule = run.nominal & ~np.array([stream.live for stream in run.streams])[of_row]
    if by_schedule.any():
        phases = np.array([stream.phase_us for stream in run.streams])
        expected = media_times(rows, run) + phases[of_row]
        if run.rounds and len(expected):
            expected = _moved(expected, rows.frame, run.rounds)
        reasons.add_each(
            by_schedule & (scheduled != expected),
            lambda at: (
                f"{rows.place(at, 'scheduled_ms')}: found {milliseconds(scheduled[at])}, "
                f"expected {milliseconds(expected[at])} by the schedule"
            ),
        )
    back = ~by_schedule & (np.diff(scheduled, prepend=0) < 0) & (np.diff(rows.stream, prepend=-1) == 0)
    reasons.add_each(
        back,
        lambda at: (
            f"{rows.place(at, 'scheduled_ms')}: found {milliseconds(scheduled[at])}, "
            f"expected {milliseconds(scheduled[at - 1])} or later, when the frame before was due"
        ),
    )
    if run.closed_loop:
        captured = rows["captured"]
        reasons.add_each(
            rows.has("captured") & (captured != scheduled),
            lambda at: (
                f"{rows.place(at, 'captured_ms')}: found {milliseconds(captured[at])}, "
                f"expected {milliseconds(scheduled[at])}: in a closed loop a frame is due when it is captured"
            ),
        )
