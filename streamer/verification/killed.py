"""What a killed run has left: how far its tables are whole, whether its rows agree, and how far its videos play."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamer.verification import detections_csv, frames_csv
from streamer.verification.csv_table import is_torn, segments
from streamer.verification.detections_csv import count_objects
from streamer.verification.frames_csv import Rows, read_rows
from streamer.verification.manifest import Document, RunFacts
from streamer.verification.reasons import Reasons
from streamer.verification.schedule import check_schedule, media_times
from streamer.verification.segments import numbered, uncut
from streamer.verification.stamps import STEPS, check_derived, check_stamps
from streamer.verification.video import check_videos, plays_until, video_names

NAME = "begun.json"
"""The file that exists while a run goes on, and after it was killed."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video: the times of its last picture that plays and of its last delivered frame, in ms; None for none."""

    name: str
    plays_until_ms: float | None
    delivered_until_ms: float | None


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of a killed run. ``until_ms`` is the last stamp, None without a row.

    ``unknown`` counts frame numbers without a row, below the highest of their stream. ``strays`` counts detections of
    frames without a row. The videos of a run in segments are not looked at. With ``let_go``, segments have been
    deleted, and the run cannot be repaired.
    """

    rows: int
    torn_lines: int
    until_ms: float | None
    unknown: int
    detections: int
    strays: int
    videos: list[Video]
    let_go: bool

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return asdict(self)


def look_at(directory: Path, reasons: Reasons) -> Remains:
    """Checks what is left; adds to ``reasons`` what a kill does not explain. Raises Unreadable and OSError."""
    begun = Document(directory / NAME)
    run = RunFacts(begun)
    tables = [directory / name for name in (frames_csv.NAME, detections_csv.NAME)]
    ledger = read_rows(tables[0], whole=False)
    check_stamps(ledger, reasons)
    check_derived(ledger, run, reasons)
    if not begun.has("run", "study"):  # rounds move the frames, and only run.json says how far
        check_schedule(ledger, run, reasons)
    let_go = any(min(numbered(table), default=0) > 0 for table in tables)
    # The segment of one table is deleted before that of the other, and a kill may come in between.
    detections, strays = count_objects(ledger, run, tables[1], begun, reasons, incomplete=let_go)
    segmented = begun.has("pieces")  # only run.json says when each begins
    if not segmented:
        check_videos(ledger, run, directory, begun, uncut(len(run.streams)), reasons)
    files = [file for table in tables for file in segments(table, whole=False)]
    return Remains(
        rows=len(ledger),
        torn_lines=sum(is_torn(file) for file in files if not _packed(file)),
        until_ms=max((int(ledger[step].max()) for step in STEPS), default=0) / 1000 if len(ledger) else None,
        unknown=_unknown(ledger, segmented),
        detections=detections,
        strays=strays,
        videos=[] if run.video == "none" or segmented else _videos(ledger, run, directory),
        let_go=let_go,
    )


def _packed(file: Path) -> bool:
    """Whether the segment is compressed: that is done only when its last line is whole."""
    return file.suffix == ".gz"


def _unknown(ledger: Rows, segmented: bool) -> int:
    """How many numbers are missing below the highest one of their stream; the first segments may be deleted."""
    missing = 0
    for stream in np.unique(ledger.stream):
        numbers = ledger.frame[ledger.stream == stream]
        missing += int(numbers.max() - (numbers.min() if segmented else 0)) + 1 - len(numbers)
    return missing


def _videos(ledger: Rows, run: RunFacts, directory: Path) -> list[Video]:
    times, delivered = media_times(ledger, run), ledger.of("delivered")
    found = []
    for number, name in enumerate(video_names(run)):
        shown = times[delivered & (ledger.stream == number)]
        played = plays_until(directory / name)
        found.append(
            Video(name, None if played is None else played / 1000, int(shown.max()) / 1000 if len(shown) else None)
        )
    return found
