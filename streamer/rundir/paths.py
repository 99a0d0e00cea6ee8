"""What the files of a run directory are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from streamer.address import slug
from streamer.workers.defects import TRACEBACK

RUNS = Path("runs")
"""Where run directories are made that are given no place."""
FRAMES = "frames.csv"
DETECTIONS = "detections.csv"
VIDEO = "annotated.mp4"
HDR_LOG = "histograms.hlog"
MANIFEST = "run.json"
BEGUN = "begun.json"
"""What is known of a run before its first frame: there while it runs, and after it was killed."""
RESERVE = ".reserve"
MANIFEST_RESERVE = ".reserve-manifest"
"""Room of its own: on a full disk the video's last second takes what the tables leave of theirs."""
LOCK = ".lock"
"""Locked while the run goes on; of a run that was killed the file stays, and its lock is gone."""
PICTURE = "latency.png"
DATA_FILES = (FRAMES, DETECTIONS, VIDEO, HDR_LOG)
PASSING_FILES = (
    *(BEGUN, RESERVE, MANIFEST_RESERVE),
    *(f"{name}.writing" for name in (MANIFEST, BEGUN, DETECTIONS)),
    LOCK,
)
"""What a run that has come to its end leaves nothing of. The lock is the last to go: then another run may come."""
OWN_FILES = (*DATA_FILES, PICTURE, MANIFEST, TRACEBACK, *PASSING_FILES)


def video_name(stream: int, streams: int) -> str:
    """The file name of a stream's annotated video."""
    return VIDEO if streams == 1 else f"annotated-{stream}.mp4"


def own_files(path: Path, names: Sequence[str] = OWN_FILES) -> list[Path]:
    """The files of a run in ``path``, with the videos of its streams, and the pieces of files, that are there."""
    pieces = [piece for name in names if name in DATA_FILES for piece in pieces_of(path / name)]
    return [*(path / name for name in names), *pieces, *sorted(path.glob("annotated-[0-9]*.mp4"))]


def piece_path(path: Path, number: int) -> Path:
    """The name of a finished piece of a file, before it is compressed."""
    return path.with_name(f"{path.stem}.{number:04d}{path.suffix}")


def pieces_of(path: Path) -> list[Path]:
    """The finished pieces of a file that are there, in their order; tables are compressed."""
    return sorted(path.parent.glob(f"{path.stem}.[0-9][0-9][0-9][0-9]*{path.suffix}*"), key=piece_number)


def piece_number(path: Path) -> int:
    """The number of a finished piece, from its name."""
    return int(path.name.split(".")[1])


def default_path(started: datetime, source: str, engine: str) -> Path:
    """``runs/<UTC time>-<source>-<engine>``, with what file names cannot hold left out."""
    stamp = started.strftime("%Y%m%dT%H%M%SZ")
    parts = [file_name(slug(source)), file_name(engine)]
    path = RUNS / "-".join([stamp, *parts])
    number = 2
    while path.exists():  # a second run within the same second
        path = path.with_name(f"{'-'.join([stamp, *parts])}-{number}")
        number += 1
    return path


def file_name(text: str) -> str:
    """The text without what file names cannot hold."""
    return re.sub(r"[^A-Za-z0-9_.=-]+", "-", text).strip("-.")
