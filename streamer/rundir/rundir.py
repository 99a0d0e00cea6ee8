"""The run directory: made, filled, closed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from streamer.errors import SinkError, UsageError
from streamer.files.hashing import sha256
from streamer.files.whole import write_whole
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.detections_csv import DETECTION_COLUMNS
from streamer.rundir.frames_csv import FRAME_COLUMNS
from streamer.rundir.lock import IN_USE, RunLock, is_locked
from streamer.rundir.paths import (
    BEGUN,
    DATA_FILES,
    DETECTIONS,
    FRAMES,
    HDR_LOG,
    LOCK,
    MANIFEST,
    MANIFEST_RESERVE,
    PASSING_FILES,
    RESERVE,
    own_files,
)


def check_out(path: Path, *, overwrite: bool) -> None:
    """Raises UsageError when ``path`` cannot become a run directory."""
    if os.path.exists(path) and not path.is_dir():
        raise UsageError(f"--out {path} is a file: give a directory")
    _check_empty(path, overwrite=overwrite)
    if under_way(path):
        raise UsageError(f"--out {path}: {IN_USE}")
    parent = path
    while not os.path.exists(parent):
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UsageError(f"--out {path}: {parent} is not a directory that can be written to; give another one")


def _check_empty(path: Path, *, overwrite: bool) -> None:
    """Raises UsageError when it holds more than a lock, and that may not be overwritten."""
    try:
        taken = path.is_dir() and any(entry.name != LOCK for entry in path.iterdir())
    except OSError as error:
        raise UsageError(f"--out {path} cannot be read ({error.strerror}): give another directory") from error
    if taken and not overwrite:
        raise UsageError(f"--out {path} is not empty: give another directory, or --overwrite")


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Writes ``run.json`` whole or not at all, with each file's hash; returns it. Raises SinkError."""
    document = {**manifest, "files": _hashes(path)}
    write_whole(path / MANIFEST, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    clear(path)
    return document


def clear(path: Path) -> None:
    """Removes what only a run under way needs."""
    for name in PASSING_FILES:
        try:
            (path / name).unlink(missing_ok=True)
        except PermissionError:
            if name != LOCK:  # Windows removes no open file: a lock that is held goes when it is released
                raise


def _hashes(path: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of each file that holds data: an edited run is found out."""
    return {
        own.name: {"bytes": own.stat().st_size, "sha256": sha256(own)}
        for own in own_files(path, DATA_FILES)
        if own.is_file()
    }


def under_way(path: Path) -> bool:
    """A process is still at the run in ``path``; False where the system does not tell."""
    # An older streamer locked the record of what was known before the first frame.
    return any(is_locked(path / name) for name in (LOCK, BEGUN))


def discard(path: Path) -> None:
    """Takes a run that never began out of ``path``; its directory too, and that of its study, when they are empty."""
    for own in own_files(path):
        own.unlink(missing_ok=True)
    with suppress(OSError):
        path.rmdir()
        path.parent.rmdir()


class RunDir:
    """A run directory being filled, locked for this process until it is given up or finished.

    Raises UsageError when it cannot be made or another run is being written there, SinkError when the disk is full.
    """

    def __init__(self, path: Path, *, overwrite: bool) -> None:
        check_out(path, overwrite=overwrite)
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = RunLock(path)
            try:
                # Another run may have come to its end there after the first look, and none can begin any more.
                _check_empty(path, overwrite=overwrite)
                self._make_files()
            except BaseException:
                self._lock.release()
                raise
        except OSError as error:
            kind = SinkError if error.errno in (errno.ENOSPC, errno.EDQUOT) else UsageError
            raise kind(f"cannot write into {path}: {error.strerror}; give another --out") from error

    def _make_files(self) -> None:
        """Raises OSError and SinkError, and then leaves no room taken."""
        for own in own_files(self.path):
            if own.name != LOCK:
                own.unlink(missing_ok=True)
        try:
            self._reserve = Reserve(self.path / RESERVE)
            self._manifest_reserve = Reserve(self.path / MANIFEST_RESERVE, 1 << 16)
            self.frames = Table(self.path / FRAMES, FRAME_COLUMNS, self._reserve)
            self.detections = Table(self.path / DETECTIONS, DETECTION_COLUMNS, self._reserve)
        except (OSError, SinkError):
            for name in (RESERVE, MANIFEST_RESERVE):
                with suppress(OSError):
                    (self.path / name).unlink()
            raise

    @property
    def hdr_log(self) -> Path:
        """Where the histograms of a long run belong."""
        return self.path / HDR_LOG

    def begin(self, known: Mapping[str, Any]) -> None:
        """Writes down what is known of the run before its first frame. Raises SinkError."""
        write_whole(self.path / BEGUN, json.dumps(known, indent=2, ensure_ascii=False) + "\n")

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
        clear(self.path)
        self._lock.release()

    def finish(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Closes what is open, and writes the manifest whole or not at all, with each file's hash; returns it.

        Raises SinkError.
        """
        self.release()
        self._manifest_reserve.release()
        try:
            return write_manifest(self.path, manifest)
        finally:
            self._lock.release()
