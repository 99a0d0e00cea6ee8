"""The columns of a ``frames.csv`` that a chart needs, as arrays: 35 bytes per frame."""

from __future__ import annotations

import gzip
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer.ledger.record import Outcome
from streamer.rundir.frames_csv import FRAME_COLUMNS
from streamer.rundir.paths import FRAMES
from streamer.rundir.written import segments_of
from streamer.units import microseconds

Values = npt.NDArray[np.int64]

NEVER = -1
"""Stands for a step that never happened; measured times are 0 and more."""
OUTCOMES = tuple(Outcome)


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns with one entry per scheduled frame, (frames,), in the order in which they were due.

    Times are whole microseconds or NEVER; ``outcome`` holds places in OUTCOMES.
    """

    stream: npt.NDArray[np.int16]
    scheduled: Values
    service: Values
    result_latency: Values
    latency: Values
    outcome: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.scheduled)

    def first(self, frames: int | None) -> Columns:
        """The columns of the first ``frames`` frames, or of all for None."""
        return Columns(
            self.stream[:frames],
            self.scheduled[:frames],
            self.service[:frames],
            self.result_latency[:frames],
            self.latency[:frames],
            self.outcome[:frames],
        )

    def age(self) -> Values:
        """The age at the instant at which each frame was due, (frames,), in microseconds; NEVER without one.

        It is the time since the newest frame of its stream that was detected by then was due.
        """
        ages = np.full(len(self), NEVER, np.int64)
        for stream in np.unique(self.stream):
            here = self.stream == stream
            ages[here] = _ages(self.scheduled[here], self.result_latency[here])
        return ages


def _ages(scheduled: Values, result_latency: Values) -> Values:
    (known,) = np.nonzero(result_latency != NEVER)
    detected = scheduled[known] + result_latency[known]
    order = np.argsort(detected, kind="stable")
    newest = np.maximum.accumulate(scheduled[known][order])
    last = np.searchsorted(detected[order], scheduled, side="right") - 1
    ages = np.full(len(scheduled), NEVER, np.int64)
    ages[last >= 0] = scheduled[last >= 0] - newest[last[last >= 0]]
    return ages


def read_columns(path: Path) -> Columns:
    """Reads a ``frames.csv``; an incomplete last line is left out. Raises OSError, and ValueError when it is none."""
    return _columns([path])


def read_all_columns(directory: Path) -> Columns:
    """Reads the ``frames.csv`` of a run directory and its segments that are there.

    Raises as `read_columns`, and EOFError for a torn segment.
    """
    path = directory / FRAMES
    return _columns([*segments_of(path), path])


def _columns(paths: Sequence[Path]) -> Columns:
    names = FRAME_COLUMNS.split(",")
    places = [names.index(f"{name}_ms") for name in ("scheduled", "service", "result_latency", "latency")]
    number, fate, fates = (
        names.index("stream"),
        names.index("outcome"),
        {outcome.value: place for place, outcome in enumerate(OUTCOMES)},
    )
    times, outcomes, streams = [array("q") for _ in places], array("b"), array("h")
    for path in paths:
        for row in _lines(path):
            for column, place in zip(times, places, strict=True):
                us = microseconds(row[place])
                column.append(NEVER if us is None else us)
            streams.append(int(row[number]))
            outcomes.append(fates[row[fate]])
    scheduled, *others = (np.frombuffer(column, np.int64) if column else np.zeros(0, np.int64) for column in times)
    order = np.argsort(scheduled, kind="stable")
    fate_column = np.frombuffer(outcomes, np.int8) if outcomes else np.zeros(0, np.int8)
    stream = np.frombuffer(streams, np.int16) if streams else np.zeros(0, np.int16)
    service, result_latency, latency = (column[order] for column in others)
    return Columns(stream[order], scheduled[order], service, result_latency, latency, fate_column[order])


def _lines(path: Path) -> Iterator[list[str]]:
    """The whole lines of a ``frames.csv``, or of a segment of one, split at the commas."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        if next(file, "").rstrip("\n") != FRAME_COLUMNS:
            raise ValueError(f"{path} has not the columns of a frames.csv")
        for line in file:
            if not line.endswith("\n"):
                break
            yield line.split(",")
