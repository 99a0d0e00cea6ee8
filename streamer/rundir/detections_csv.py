"""The rows of ``detections.csv``, written and read back."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from streamer.detection.class_names import label_of
from streamer.detection.detections import Detections, no_detections
from streamer.rundir.csv_column import ArrayColumn, header
from streamer.rundir.paths import DETECTIONS
from streamer.rundir.written import segments_of

_CLASS = "the object's class: its number, and its name in the model"
_CONFIDENCE = "the detector's confidence, `--conf` or more"
_BOX = "left, top, right and bottom edge of the box, from the left and the top of the picture"
_PIXELS = "pixels of the source frame"

COLUMNS = (
    ArrayColumn("stream", "", "the stream, from 0", "i8"),
    ArrayColumn("frame", "", "the frame's number in its stream, from 0", "i8"),
    ArrayColumn("class_id", "", _CLASS, "i8"),
    ArrayColumn("label", "", _CLASS, "U"),
    ArrayColumn("confidence", "0 to 1", _CONFIDENCE, "f8"),
    *(ArrayColumn(name, _PIXELS, _BOX, "f8") for name in ("x1", "y1", "x2", "y2")),
)
"""The columns in the order of the file."""
DETECTION_TYPES = {column.name: column.dtype for column in COLUMNS}
"""The type of each column in a NumPy array."""
DETECTION_COLUMNS = header(COLUMNS)


def detection_rows(stream: int, frame: int, detections: Detections, names: Sequence[str]) -> str:
    """The frame's lines of ``detections.csv``; boxes in pixels of the source frame, to a hundredth."""
    return "".join(
        f"{stream},{frame},{class_id},{_quoted(label_of(names, class_id))},{confidence:.4f},"
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


def read_detections(path: Path) -> defaultdict[int, Detections]:
    """The detections in a ``detections.csv``, by frame; frames without a row have none.

    An incomplete last line is left out. Raises OSError, and ValueError for a cell that is no number.
    """
    found: defaultdict[int, Detections] = defaultdict(no_detections)
    _add(found, path)
    return found


def read_all_detections(directory: Path) -> defaultdict[int, Detections]:
    """The same for a run directory with its segments that are there. Also raises EOFError for a torn one."""
    found: defaultdict[int, Detections] = defaultdict(no_detections)
    path = directory / DETECTIONS
    for segment in (*segments_of(path), path):
        _add(found, segment)
    return found


def _add(found: dict[int, Detections], path: Path) -> None:
    # Labels may hold line breaks of any kind, and be torn within a letter.
    open_it = gzip.open if path.suffix == ".gz" else open
    with open_it(path, "rt", encoding="utf-8", errors="replace", newline="\n") as file:
        rows = csv.reader(line for line in file if line.endswith("\n"))
        next(rows, None)
        whole = (row for row in rows if len(row) == len(DETECTION_COLUMNS.split(",")))
        for frame, of_frame in groupby(whole, key=lambda row: row[1]):
            found[int(frame)] = _detections(list(of_frame))


def _detections(rows: Sequence[Sequence[str]]) -> Detections:
    numbers = np.array([row[4:] for row in rows], np.float32)
    return Detections(numbers[:, 1:], numbers[:, 0], np.array([row[2] for row in rows], np.int32))
