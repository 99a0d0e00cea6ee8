"""Truncates an incomplete last line of a killed run's tables; removes detections of frames the sink never had."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from os import SEEK_END
from pathlib import Path

from streamer.errors import SinkError
from streamer.ledger.record import FrameRecord
from streamer.rundir.detections_csv import DETECTION_COLUMNS
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row, read_ledger
from streamer.rundir.paths import DETECTIONS, FRAMES
from streamer.rundir.written import segments_of

MOST_LINE = 1 << 20
"""The longest line of a table, in bytes."""


def mend_tables(directory: Path) -> tuple[list[FrameRecord], int, int]:
    """Mends both tables. Returns the records, and how many incomplete lines and rows of detections were removed.

    Raises OSError, and SinkError for a table that cannot be understood.
    """
    frames, detections = directory / FRAMES, directory / DETECTIONS
    torn = _cut(frames, FRAME_COLUMNS) + _cut(detections, DETECTION_COLUMNS)
    try:
        records = list(read_ledger(directory))
        accepted = {(record.stream, record.frame) for record in records if record.sink_start is not None}
        # A segment may end between the detections of a frame and its row, which was never written.
        tables = (*segments_of(detections), detections)
        return records, torn, sum(_keep_detections(table, accepted) for table in tables)
    except (ValueError, LookupError, TypeError, AssertionError, csv.Error) as error:
        raise SinkError(f"the tables of {directory} cannot be understood ({error}): they are not repaired") from error


def append_rows(directory: Path, records: Iterable[FrameRecord]) -> None:
    """Adds rows to ``frames.csv``. Raises OSError."""
    with (directory / FRAMES).open("a", encoding="utf-8", newline="") as file:
        file.write("".join(map(frame_row, records)))


def _cut(table: Path, header: str) -> int:
    """Truncates incomplete last lines, and returns their number; a table without a header gets one.

    A kill during a cut may leave an incomplete line at the end of the last segment, and no file after it.
    """
    plain = [segment for segment in segments_of(table) if segment.suffix != ".gz"]
    if plain and not table.exists():
        table.touch()
    return sum(_cut_line(path, header) for path in (*plain[-1:], table))


def _cut_line(table: Path, header: str) -> int:
    """The same for one file."""
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


def _keep_detections(table: Path, accepted: set[tuple[int, int]]) -> int:
    """Keeps only the detections of frames that the sink has ``accepted``; returns how many rows were removed."""
    scratch = table.with_name(f"{table.name}.writing")
    removed = 0
    width = len(DETECTION_COLUMNS.split(","))
    open_it = gzip.open if table.suffix == ".gz" else open
    with (
        open_it(table, "rt", encoding="utf-8", errors="replace", newline="\n") as file,
        open_it(scratch, "wt", encoding="utf-8", newline="") as kept,
    ):
        rows, write = csv.reader(file), csv.writer(kept, lineterminator="\n").writerow
        write(next(rows))
        for row in rows:
            if len(row) == width and (int(row[0]), int(row[1])) in accepted:
                write(row)
            else:
                removed += 1
    if removed:
        scratch.replace(table)
    else:
        scratch.unlink()
    return removed
