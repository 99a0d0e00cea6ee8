"""The tables of a killed run, mended: a torn line is cut off, and detections without a frame are."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from os import SEEK_END
from pathlib import Path

from streamer.errors import SinkError
from streamer.ledger.record import FrameRecord
from streamer.rundir.detections_csv import DETECTION_COLUMNS
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row, read_ledger
from streamer.rundir.paths import DETECTIONS, FRAMES

MOST_LINE = 1 << 20
"""No line of a table is longer, in bytes."""


def mend_tables(directory: Path) -> tuple[list[FrameRecord], int, int]:
    """The records that are whole; how many torn lines, and rows of detections, were cut off.

    Raises OSError, and SinkError for a table that cannot be understood.
    """
    frames, detections = directory / FRAMES, directory / DETECTIONS
    torn = _cut(frames, FRAME_COLUMNS) + _cut(detections, DETECTION_COLUMNS)
    try:
        records = list(read_ledger(directory))
        taken = {(record.stream, record.frame) for record in records if record.sink_start is not None}
        return records, torn, _keep_detections(detections, taken)
    except (ValueError, LookupError, TypeError, AssertionError, csv.Error) as error:
        raise SinkError(f"the tables of {directory} cannot be understood ({error}): they are not repaired") from error


def append_rows(directory: Path, records: Iterable[FrameRecord]) -> None:
    """Adds rows to ``frames.csv``. Raises OSError."""
    with (directory / FRAMES).open("a", encoding="utf-8", newline="") as file:
        file.write("".join(map(frame_row, records)))


def _cut(table: Path, header: str) -> int:
    """Cuts off a torn last line, and returns how many that were; a table without a header gets one."""
    with table.open("r+b") as file:
        size = file.seek(0, SEEK_END)
        start = max(0, size - MOST_LINE)
        file.seek(start)
        whole = start + file.read().rfind(b"\n") + 1
        file.truncate(whole)
        if whole == 0:
            file.seek(0)
            file.write(header.encode() + b"\n")
    return int(whole < size)


def _keep_detections(table: Path, taken: set[tuple[int, int]]) -> int:
    """Leaves only the detections of frames that the sink has ``taken``; returns how many rows were removed."""
    scratch = table.with_name(f"{table.name}.writing")
    removed = 0
    width = len(DETECTION_COLUMNS.split(","))
    with (
        table.open(encoding="utf-8", errors="replace", newline="\n") as file,
        scratch.open("w", encoding="utf-8", newline="") as kept,
    ):
        rows, write = csv.reader(file), csv.writer(kept, lineterminator="\n").writerow
        write(next(rows))
        for row in rows:
            if len(row) == width and (int(row[0]), int(row[1])) in taken:
                write(row)
            else:
                removed += 1
    if removed:
        scratch.replace(table)
    else:
        scratch.unlink()
    return removed
