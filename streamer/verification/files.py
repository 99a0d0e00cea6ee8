"""The files of a run directory, against the sizes and hashes in ``run.json``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from streamer.verification import detections_csv, frames_csv
from streamer.verification.manifest import NAME, Document, RunFacts
from streamer.verification.reasons import Reasons
from streamer.verification.segments import numbered
from streamer.verification.video import video_names

HISTOGRAMS = "histograms.hlog"


def check_files(directory: Path, document: Document, facts: RunFacts | None, reasons: Reasons) -> int:
    """Checks size and SHA-256 of each named file; returns the number of files. Raises Unreadable.

    The files that hold the run's data have to be named. An older document may name none.
    """
    if not document.has("files") and not document.all_declared:
        return 0
    names = list(document.group("files"))
    for name in names:
        size, sha256 = document.whole("files", name, "bytes"), document.text("files", name, "sha256")
        path = directory / name
        if Path(name).name != name:
            reasons.add(f"{NAME} files: {name!r} is no name of a file in the run directory")
        elif not path.is_file():
            reasons.add(f"{name}: is missing")
        elif path.stat().st_size != size:
            reasons.add(f"{name}: found {path.stat().st_size} bytes, expected {size}")
        elif (found := _sha256(path)) != sha256:
            reasons.add(f"{name}: found SHA-256 {found[:12]}..., expected {sha256[:12]}...: its content was changed")
    for path in _written(directory, document, facts):
        if path.name not in names and path.is_file():
            reasons.add(f"{NAME} files: {path.name} is not among them, and is a file of the run")
    return len(names)


def _written(directory: Path, document: Document, facts: RunFacts | None) -> list[Path]:
    """The files that hold a run's data."""
    names = [frames_csv.NAME, detections_csv.NAME]
    if facts is not None and facts.video != "none":
        names += video_names(facts)
    segments = [segment for name in names for segment in numbered(directory / name).values()]
    exact = document.has("run", "percentiles") and document.get("run", "percentiles") == "exact"
    return [
        *(directory / name for name in names),
        *([] if exact else [directory / HISTOGRAMS]),
        *(segments if document.has("pieces") else []),
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
