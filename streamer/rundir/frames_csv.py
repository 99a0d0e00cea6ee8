"""The rows of ``frames.csv`` and ``detections.csv``, written and read back.

Times are milliseconds with three decimals: whole microseconds, exactly.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from streamer.detection.detections import Detections, no_detections
from streamer.ledger.ledger import FrameRecord, Outcome

FRAME_COLUMNS = (
    "stream,frame,pts_ms,scheduled_ms,captured_ms,preprocess_start_ms,preprocess_end_ms,infer_start_ms,"
    "infer_end_ms,detected_ms,sink_start_ms,written_ms,lateness_ms,service_ms,result_latency_ms,latency_ms,"
    "outcome,reason,late,detections"
)
DETECTION_COLUMNS = "stream,frame,class_id,label,confidence,x1,y1,x2,y2"


def milliseconds(us: int | None) -> str:
    """Whole microseconds as milliseconds with three decimals; empty for None."""
    if us is None:
        return ""
    sign = "-" if us < 0 else ""
    whole, rest = divmod(abs(us), 1000)
    return f"{sign}{whole}.{rest:03d}"


def microseconds(ms: str) -> int | None:
    """The way back, without a float in between."""
    return int(ms.replace(".", "")) if ms else None


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


def detection_rows(stream: int, frame: int, detections: Detections, names: Sequence[str]) -> str:
    """The frame's lines of ``detections.csv``; boxes in pixels of the source frame, to a hundredth."""
    return "".join(
        f"{stream},{frame},{class_id},{_quoted(names[class_id])},{confidence:.4f},"
        f"{x1:.2f},{y1:.2f},{x2:.2f},{y2:.2f}\n"
        for (x1, y1, x2, y2), confidence, class_id in zip(
            detections.xyxy.tolist(),
            detections.confidence.tolist(),
            detections.class_id.tolist(),
            strict=True,
        )
    )


def _quoted(label: str) -> str:
    return '"' + label.replace('"', '""') + '"' if any(c in label for c in ',"\r\n') else label


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


def read_detections(path: Path) -> defaultdict[int, Detections]:
    """What a ``detections.csv`` says was found, by frame; nothing in one without a row; a torn line is left out."""
    found: defaultdict[int, Detections] = defaultdict(no_detections)
    # Labels may hold line breaks of any kind, and be torn within a letter.
    with path.open(newline="\n", encoding="utf-8", errors="replace") as file:
        rows = csv.reader(line for line in file if line.endswith("\n"))
        next(rows, None)
        whole = (row for row in rows if len(row) == len(DETECTION_COLUMNS.split(",")))
        for frame, of_frame in groupby(whole, key=lambda row: row[1]):
            found[int(frame)] = _detections(list(of_frame))
    return found


def _detections(rows: Sequence[Sequence[str]]) -> Detections:
    numbers = np.array([row[4:] for row in rows], np.float32)
    return Detections(numbers[:, 1:], numbers[:, 0], np.array([row[2] for row in rows], np.int32))
