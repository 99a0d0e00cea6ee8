"""The rows of ``frames.csv``, written and read back.

Times are milliseconds with three decimals: whole microseconds, exactly.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.paths import FRAMES, pieces_of
from streamer.units import microseconds, milliseconds

FRAME_COLUMNS = (
    "stream,frame,pts_ms,scheduled_ms,captured_ms,preprocess_start_ms,preprocess_end_ms,infer_start_ms,"
    "infer_end_ms,detected_ms,sink_start_ms,written_ms,lateness_ms,service_ms,result_latency_ms,latency_ms,"
    "outcome,reason,late,detections"
)


def frame_row(record: FrameRecord) -> str:
    """The record's line of ``frames.csv``."""
    times = (
        record.pts,
        record.scheduled,
        record.captured,
        record.preprocess_start,
        record.preprocess_end,
        record.infer_start,
        record.infer_end,
        record.detected,
        record.sink_start,
        record.written,
        record.lateness,
        record.service,
        record.result_latency,
        record.latency,
    )
    count = "" if record.detections is None else record.detections
    return (
        f"{record.stream},{record.frame},{','.join([milliseconds(us) for us in times])},"
        f"{record.outcome},{record.reason},{int(record.late)},{count}\n"
    )


def read_frames(path: Path) -> Iterator[FrameRecord]:
    """The records of a ``frames.csv`` or a piece of one, as they finished; a torn last line is left out."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        for row in csv.DictReader(line for line in file if line.endswith("\n")):
            yield _record(row)


def _record(row: dict[str, str]) -> FrameRecord:
    scheduled, captured = microseconds(row["scheduled_ms"]), microseconds(row["captured_ms"])
    lateness = microseconds(row["lateness_ms"])
    assert scheduled is not None
    return FrameRecord(
        stream=int(row["stream"]),
        frame=int(row["frame"]),
        pts=microseconds(row["pts_ms"]) or 0,
        scheduled=scheduled,
        captured=captured,
        held_until=0 if captured is None or lateness is None else captured - lateness,
        preprocess_start=microseconds(row["preprocess_start_ms"]),
        preprocess_end=microseconds(row["preprocess_end_ms"]),
        infer_start=microseconds(row["infer_start_ms"]),
        infer_end=microseconds(row["infer_end_ms"]),
        detected=microseconds(row["detected_ms"]),
        sink_start=microseconds(row["sink_start_ms"]),
        written=microseconds(row["written_ms"]),
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        late=row["late"] == "1",
        detections=int(row["detections"]) if row["detections"] else None,
    )


def read_ledger(directory: Path) -> Iterator[FrameRecord]:
    """The records of a run directory, of all its pieces, in the order of their finishing."""
    path = directory / FRAMES
    for piece in (*pieces_of(path), path):
        yield from read_frames(piece)
