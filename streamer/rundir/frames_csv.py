"""The columns of ``frames.csv``, a row each, from which the file is written and read back.

Times are milliseconds with three decimals: whole microseconds, exactly.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter, call
from pathlib import Path
from typing import Any

from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.csv_column import ArrayColumn, header
from streamer.rundir.csv_file import Table
from streamer.rundir.paths import FRAMES
from streamer.rundir.written import segments_of
from streamer.units import microseconds, milliseconds


def _same(cell: str) -> str:
    return cell


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


def _required(ms: str) -> int:
    us = microseconds(ms)
    assert us is not None
    return us


@dataclass(frozen=True, slots=True)
class FrameColumn(ArrayColumn):
    """A column of ``frames.csv``.

    ``attribute`` is the attribute of `FrameRecord` that it holds. ``write`` makes a cell of the value, and ``read``
    the value of a cell; None for a figure that follows from other columns.
    """

    attribute: str
    write: Callable[[Any], str] = milliseconds
    read: Callable[[str], Any] | None = microseconds


def _time(name: str, meaning: str, read: Callable[[str], Any] | None = microseconds) -> FrameColumn:
    """A column of milliseconds; it is named after its attribute."""
    return FrameColumn(f"{name}_ms", "ms", meaning, "f8", name, read=read)


_NUMBERS = "the stream and the frame's number in it, both from 0"
_PTS = (
    "the frame's time in its source; of a frame that never came (`no_signal`), the time of its tick, counted on from "
    "the last frame"
)
_SCHEDULED = (
    "when it was due: the instant of the schedule; of a live source, when it arrived; in a closed loop, where "
    "nothing is due, when it left the source"
)
_CAPTURED = "when the source offered it to the queue"
_PREPROCESS = "when preprocess began and ended: the frame resized and padded into the model's input"
_INFER = "when the inference began and ended"
_LATENESS = (
    "captured − scheduled: streamer's own error. With the policy `wait`, a frame that was due while the source was "
    "held back counts from the end of that"
)
_LATENCY = "written − scheduled: with `--video none` to the instant at which the sink accepted its result"
_LATE = (
    "1 when the latency exceeds the deadline, else 0: also when it equals the deadline, and for a frame without a "
    "latency, such as a dropped one. The deadline is `--deadline`, by default the shortest frame period of the "
    "streams; a closed loop has none by default, and then all cells are 0"
)

COLUMNS = (
    FrameColumn("stream", "", _NUMBERS, "i8", "stream", str, int),
    FrameColumn("frame", "", _NUMBERS, "i8", "frame", str, int),
    _time("pts", _PTS, lambda ms: microseconds(ms) or 0),
    _time("scheduled", _SCHEDULED, _required),
    _time("captured", _CAPTURED),
    _time("preprocess_start", _PREPROCESS),
    _time("preprocess_end", _PREPROCESS),
    _time("infer_start", _INFER),
    _time("infer_end", _INFER),
    _time("detected", "when its boxes were usable: after NMS"),
    _time("sink_start", "when the sink accepted its result"),
    _time("written", "when it was in the annotated video; with `--video none` the same instant as `sink_start_ms`"),
    _time("lateness", _LATENESS, None),
    _time("service", "detected − preprocess_start", None),
    _time("result_latency", "detected − scheduled", None),
    _time("latency", _LATENCY, None),
    FrameColumn("outcome", "", "what became of the frame: see [outcomes](#outcomes)", "U", "outcome", str, Outcome),
    FrameColumn("reason", "", "why, by outcome: see [outcomes](#outcomes)", "U", "reason", _quoted, _same),
    FrameColumn("late", "0 or 1", _LATE, "?", "late", {False: "0", True: "1"}.__getitem__, lambda cell: cell == "1"),
    FrameColumn(
        "detections",
        "objects",
        "how many objects were found in it; 0 when none was",
        "f8",
        "detections",
        lambda count: "" if count is None else str(count),
        lambda cell: int(cell) if cell else None,
    ),
)
"""The columns in the order of the file; those of one meaning share a line in docs/reference/csv-columns.md."""

FRAME_TYPES = {column.name: column.dtype for column in COLUMNS}
"""The type of each column in a NumPy array; ``detections`` is a float, with NaN for a frame that was not detected."""
FRAME_COLUMNS = header(COLUMNS)

# Made once: rows are written while frames are measured.
_WRITE = tuple(column.write for column in COLUMNS)
_values = attrgetter(*(column.attribute for column in COLUMNS))
_READ = tuple((column.attribute, column.name, column.read) for column in COLUMNS if column.read is not None)


def frame_row(record: FrameRecord) -> str:
    """The record's line of ``frames.csv``."""
    return ",".join(map(call, _WRITE, _values(record))) + "\n"


class FrameRows:
    """Writes each record of the ledger into a table as it is closed. Raises SinkError."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __call__(self, record: FrameRecord) -> None:
        self._table.append(frame_row(record))


def read_frames(path: Path) -> Iterator[FrameRecord]:
    """The records of a ``frames.csv`` or a segment of one, in the order of the file.

    An incomplete last line is left out. Raises OSError, and LookupError, ValueError or TypeError for other files.
    """
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        rows = csv.reader(line for line in file if line.endswith("\n"))
        header = next(rows, [])
        for cells in filter(None, rows):
            yield _record(dict(zip(header, cells, strict=False)))


def _record(row: dict[str, str]) -> FrameRecord:
    record = FrameRecord(**{attribute: read(row[name]) for attribute, name, read in _READ})
    lateness = microseconds(row["lateness_ms"])
    if record.captured is not None and lateness is not None:
        record.held_until = record.captured - lateness
    return record


def read_ledger(directory: Path) -> Iterator[FrameRecord]:
    """The records of a run directory with all its segments, in the order in which they were closed.

    Raises as `read_frames`.
    """
    path = directory / FRAMES
    for segment in (*segments_of(path), path):
        yield from read_frames(segment)
