"""The names of the files in a run directory."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path

from streamer.address import slug

RUNS = Path("runs")
"""The parent of run directories for which no path is given."""
FRAMES = "frames.csv"
DETECTIONS = "detections.csv"
VIDEO = "annotated.mp4"
HDR_LOG = "histograms.hlog"
MANIFEST = "run.json"
BEGUN = "begun.json"
"""The facts of a run before its first frame: there while it runs, and after it was killed."""
RESERVE = ".reserve"
MANIFEST_RESERVE = ".reserve-manifest"
"""Space for the manifest alone: on a full disk the video's last second uses what the tables leave of theirs."""
LOCK = ".lock"
"""Locked while the run goes on. After a kill the file stays, and its lock is gone."""
WRITTEN = ".written"
"""The names of the files that the run has written: there while it runs, and after it was killed."""
CHART_FILE = "latency.png"
DATA_FILES = (FRAMES, DETECTIONS, VIDEO, HDR_LOG)
PASSING_FILES = (
    *(BEGUN, RESERVE, MANIFEST_RESERVE),
    *(f"{name}.writing" for name in (MANIFEST, BEGUN, DETECTIONS)),
    WRITTEN,
    LOCK,
)
"""The files that a finished run has removed. The lock is removed last: then another run may begin."""
LONGEST = 100
"""The most characters of a part of a directory's name: file systems accept 255 bytes."""
SEGMENT = re.compile(
    r"(frames|detections)\.\d{4,}\.csv(\.gz|\.writing)?|annotated(-(0|[1-9]\d*))?\.\d{4,}\.mp4", re.ASCII
)
"""The names of finished segments, and of the files into which they are being compressed."""
VIDEO_OF_STREAM = re.compile(r"annotated-(0|[1-9]\d*)\.mp4", re.ASCII)


def video_name(stream: int, streams: int) -> str:
    """The file name of a stream's annotated video."""
    return VIDEO if streams == 1 else f"annotated-{stream}.mp4"


def segment_path(path: Path, number: int) -> Path:
    """The path of a finished segment of a file, before it is compressed."""
    return path.with_name(f"{path.stem}.{number:04d}{path.suffix}")


def default_path(started: datetime, source: str, engine: str) -> Path:
    """``runs/<UTC time>-<source>-<engine>``, without characters that file names cannot have."""
    stamp = started.strftime("%Y%m%dT%H%M%SZ")
    parts = [file_name(slug(source)), file_name(engine)]
    path = RUNS / "-".join([stamp, *parts])
    number = 2
    while path.exists():  # a second run within the same second
        path = path.with_name(f"{'-'.join([stamp, *parts])}-{number}")
        number += 1
    return path


def file_name(text: str) -> str:
    """The text without characters that file names cannot have; a long one is shortened, with a hash of it."""
    name = re.sub(r"[^A-Za-z0-9_.=-]+", "-", text).strip("-.")
    if len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}-{digest}"
