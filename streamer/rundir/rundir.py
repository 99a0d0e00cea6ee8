"""The run directory: made, filled, closed."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from streamer.address import slug
from streamer.errors import SinkError, UsageError
from streamer.files.hashing import sha256
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.frames_csv import DETECTION_COLUMNS, FRAME_COLUMNS
from streamer.workers.defects import TRACEBACK

fcntl: ModuleType | None = None
with suppress(ImportError):  # Windows has none
    fcntl = import_module("fcntl")

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
PICTURE = "latency.png"
DATA_FILES = (FRAMES, DETECTIONS, VIDEO, HDR_LOG)
PASSING_FILES = (BEGUN, RESERVE, MANIFEST_RESERVE, *(f"{name}.writing" for name in (MANIFEST, BEGUN, DETECTIONS)))
"""What a run that has come to its end leaves nothing of."""
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


def check_out(path: Path, *, overwrite: bool) -> None:
    """Raises UsageError when ``path`` cannot become a run directory."""
    if os.path.exists(path) and not path.is_dir():
        raise UsageError(f"--out {path} is a file: give a directory")
    try:
        taken = path.is_dir() and any(path.iterdir())
    except OSError as error:
        raise UsageError(f"--out {path} cannot be read ({error.strerror}): give another directory") from error
    if taken and not overwrite:
        raise UsageError(f"--out {path} is not empty: give another directory, or --overwrite")
    if under_way(path):
        raise UsageError(f"--out {path}: another run is being written there; give another directory")
    parent = path
    while not os.path.exists(parent):
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UsageError(f"--out {path}: {parent} is not a directory that can be written to; give another one")


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all. Raises SinkError."""
    scratch = path.with_name(f"{path.name}.writing")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Writes ``run.json`` whole or not at all, with each file's hash; returns it. Raises SinkError."""
    document = {**manifest, "files": _hashes(path)}
    write_whole(path / MANIFEST, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    clear(path)
    return document


def clear(path: Path) -> None:
    """Removes what only a run under way needs."""
    for name in PASSING_FILES:
        (path / name).unlink(missing_ok=True)


def _hashes(path: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of each file that holds data: an edited run is found out."""
    return {
        own.name: {"bytes": own.stat().st_size, "sha256": sha256(own)}
        for own in own_files(path, DATA_FILES)
        if own.is_file()
    }


def under_way(path: Path) -> bool:
    """A process is still at the run in ``path``; False where the system does not tell."""
    if fcntl is None or not (path / BEGUN).is_file():
        return False
    with (path / BEGUN).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in (errno.EAGAIN, errno.EACCES)
    return False


def discard(path: Path) -> None:
    """Takes a run that never began out of ``path``; its directory too, and that of its study, when they are empty."""
    for own in own_files(path):
        own.unlink(missing_ok=True)
    with suppress(OSError):
        path.rmdir()
        path.parent.rmdir()


class RunDir:
    """A run directory being filled. Raises UsageError when it cannot be made, SinkError when the disk is full."""

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        check_out(path, overwrite=overwrite)
        self.path = path
        self._begun: BinaryIO | None = None
        try:
            path.mkdir(parents=True, exist_ok=True)
            for own in own_files(path):
                own.unlink(missing_ok=True)
            self._reserve = Reserve(path / RESERVE)
            self._manifest_reserve = Reserve(path / MANIFEST_RESERVE, 1 << 16)
            self.frames = Table(path / FRAMES, FRAME_COLUMNS, self._reserve)
            self.detections = Table(path / DETECTIONS, DETECTION_COLUMNS, self._reserve)
        except (OSError, SinkError) as error:
            for name in (RESERVE, MANIFEST_RESERVE):
                with suppress(OSError):
                    (path / name).unlink()
            if isinstance(error, SinkError):
                raise
            kind = SinkError if error.errno in (errno.ENOSPC, errno.EDQUOT) else UsageError
            raise kind(f"cannot write into {path}: {error.strerror}; give another --out") from error

    @property
    def hdr_log(self) -> Path:
        """Where the histograms of a long run belong."""
        return self.path / HDR_LOG

    def begin(self, known: Mapping[str, Any]) -> None:
        """Writes down what is known of the run before its first frame. Raises SinkError.

        The file is locked as long as this process lives: the lock of one that was killed is gone.
        """
        path = self.path / BEGUN
        write_whole(path, json.dumps(known, indent=2, ensure_ascii=False) + "\n")
        self._begun = path.open("rb")
        if fcntl is not None:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(self._begun, fcntl.LOCK_EX)

    def close_tables(self) -> None:
        """Closes the two CSV files; may be called again."""
        self.frames.close()
        self.detections.close()

    def release(self) -> None:
        """Closes the tables and gives back the room that was kept for them; may be called again."""
        self.close_tables()
        self._reserve.release()

    def give_up(self) -> None:
        """Closes what is open, for a run that never began."""
        self.close_tables()
        self._let_go()
        clear(self.path)

    def finish(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Closes what is open, and writes the manifest whole or not at all, with each file's hash; returns it.

        Raises SinkError.
        """
        self.release()
        self._manifest_reserve.release()
        try:
            return write_manifest(self.path, manifest)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._begun is not None:
            self._begun.close()
