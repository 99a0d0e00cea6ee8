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
class Column:
    """One column: its name, its unit, and its meaning, as Markdown.

    ``attribute`` is the attribute of `FrameRecord` that it holds. ``write`` makes a cell of the value, and ``read``
    the value of a cell; None for a figure that follows from other columns. ``dtype`` is the type in a NumPy array:
    ``f8`` has NaN for an empty cell, and ``U`` is a text.
    """

    name: str
    unit: str
    meaning: str
    attribute: str
    write: Callable[[Any], str] = milliseconds
    read: Callable[[str], Any] | None = microseconds
    dtype: str = "f8"


_NUMBERS = "the camera and the frame's number, both from 0"
_PREPROCESS = "resized and padded into the model's input"
_INFER = "the model"
_SINK = "accepted by the sink; in the video (with `--video none` the same instant)"
_FATE = (
    "what became of the frame, and why. A dropped one: `queue_full`, `stale` (older than `--max-age`), `partial` "
    "(`--skip-partial`). A `decode_error`: the reason as text. A delivered one: `after_damage` where it may be "
    "smeared, because a frame that it refers to was damaged or lost, and no key frame has come since"
)
_LATENESS = "captured − scheduled, less what the policy `wait` held the source back"

COLUMNS = (
    Column("stream", "", _NUMBERS, "stream", str, int, "i8"),
    Column("frame", "", _NUMBERS, "frame", str, int, "i8"),
    Column("pts_ms", "ms", "the frame's time in the source", "pts", read=lambda ms: microseconds(ms) or 0),
    Column("scheduled_ms", "ms", "when it was due", "scheduled", read=_required),
    Column("captured_ms", "ms", "when the source offered it", "captured"),
    Column("preprocess_start_ms", "ms", _PREPROCESS, "preprocess_start"),
    Column("preprocess_end_ms", "ms", _PREPROCESS, "preprocess_end"),
    Column("infer_start_ms", "ms", _INFER, "infer_start"),
    Column("infer_end_ms", "ms", _INFER, "infer_end"),
    Column("detected_ms", "ms", "boxes usable, after NMS", "detected"),
    Column("sink_start_ms", "ms", _SINK, "sink_start"),
    Column("written_ms", "ms", _SINK, "written"),
    Column("lateness_ms", "ms", _LATENESS, "lateness", read=None),
    Column("service_ms", "ms", "detected − preprocess_start", "service", read=None),
    Column("result_latency_ms", "ms", "detected − scheduled", "result_latency", read=None),
    Column("latency_ms", "ms", "written − scheduled", "latency", read=None),
    Column("outcome", "", _FATE, "outcome", str, Outcome, "U"),
    Column("reason", "", _FATE, "reason", _quoted, _same, "U"),
    Column(
        "late",
        "0 or 1",
        "latency exceeded the deadline",
        "late",
        {False: "0", True: "1"}.__getitem__,
        lambda cell: cell == "1",
        "?",
    ),
    Column(
        "detections",
        "",
        "how many objects were found",
        "detections",
        lambda count: "" if count is None else str(count),
        lambda cell: int(cell) if cell else None,
    ),
)
"""The columns in the order of the file; those of one meaning share a line in docs/reference/csv-columns.md."""

FRAME_TYPES = {column.name: column.dtype for column in COLUMNS}
"""The type of each column in a NumPy array; ``detections`` is a float, with NaN for a frame that was not detected."""
FRAME_COLUMNS = ",".join(FRAME_TYPES)

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
