"""Age at every tick of the camera: how long ago the newest frame detected by then was due."""

from __future__ import annotations

import numpy as np

from streamer.verification.csv_table import Array
from streamer.verification.frames_csv import Rows
from streamer.verification.manifest import RunFacts
from streamer.verification.reasons import Unreadable
from streamer.verification.schedule import instants

MOST_TICKS = 1 << 26
"""A week at 100 frames a second; a longer duration counts as a slip."""


def ages(ticks: Array, scheduled: Array, detected: Array) -> Array:
    """The age at each of the ``ticks`` from the first detection on, (ticks,), in microseconds.

    A frame counts from the instant at which it is detected. The newest frame is the one that was due last.
    """
    order = np.argsort(detected, kind="stable")
    newest = np.maximum.accumulate(scheduled[order])
    known = np.searchsorted(detected[order], ticks, side="right")
    seen = known > 0
    return ticks[seen] - newest[known[seen] - 1]


def ages_of_run(rows: Rows, run: RunFacts) -> Array:
    """The ages of a run in microseconds; none in a closed loop, where nothing is due. Raises Unreadable."""
    if run.closed_loop:
        return np.empty(0, np.int64)
    return np.concatenate([_ages_of_stream(rows, run, number) for number in range(len(run.streams))])


def _ages_of_stream(rows: Rows, run: RunFacts, number: int) -> Array:
    here = rows.stream == number
    there = here & rows.has("detected")
    return ages(_ticks(rows["scheduled"][here], run, number), rows["scheduled"][there], rows["detected"][there])


def _ticks(scheduled: Array, run: RunFacts, number: int) -> Array:
    if not run.streams[number].live:
        return scheduled
    # A live camera does not keep to a schedule: its ticks are those of its nominal rate.
    rate = run.streams[number].source_rate
    most = run.duration_us * rate / 1_000_000
    if most > MOST_TICKS:
        raise Unreadable(
            f"run.json run.duration_s: found {run.duration_us // 1_000_000}, {round(most)} ticks of the camera"
        )
    ticks = instants(range(int(most) + 2), rate)
    return ticks[ticks <= run.duration_us]
