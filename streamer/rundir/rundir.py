"""The run directory: made, filled, closed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from streamer.errors import SinkError, UsageError
from streamer.files.hashing import document_sha256, sha256
from streamer.files.scratch import undo_at_once, undo_no_more
from streamer.files.whole import write_whole
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.detections_csv import DETECTION_COLUMNS
from streamer.rundir.frames_csv import FRAME_COLUMNS
from streamer.rundir.lock import IN_USE, RunLock, is_locked
from streamer.rundir.paths import (
    BEGUN,
    CHART_FILE,
    DETECTIONS,
    FRAMES,
    HDR_LOG,
    LOCK,
    MANIFEST,
    MANIFEST_RESERVE,
    PASSING_FILES,
    RESERVE,
    SEGMENT,
    WRITTEN,
)
from streamer.rundir.written import Written, data_files, own_files, written_in
from streamer.workers.defects import TRACEBACK

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors of a full disk, of a quota, and of a limit to the size of files (``ulimit -f``)."""


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
    """Raises UsageError when the directory has files besides a lock, and they may not be overwritten."""
    try:
        filled = path.is_dir() and any(entry.name != LOCK for entry in path.iterdir())
    except OSError as error:
        raise UsageError(f"--out {path} cannot be read ({error.strerror}): give another directory") from error
    if filled and not overwrite:
        raise UsageError(f"--out {path} is not empty: give another directory, or --overwrite")


def _check_others(path: Path, names: Collection[str], *, segmented: bool) -> None:
    """Raises UsageError when a file that no run of ours has written has one of the names, or that of a segment."""
    for name in sorted(set(os.listdir(path)) - written_in(path)):
        if name in names or (segmented and SEGMENT.fullmatch(name)):
            raise UsageError(
                f"--out {path}: {name} there is not of an earlier run, and would be written over; "
                "move it, or give another directory"
            )


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Writes ``run.json`` whole or not at all, with each file's hash and its own; returns it. Raises SinkError."""
    document = {**manifest, "files": _hashes(path)}
    document["document_sha256"] = document_sha256(document)
    write_whole(path / MANIFEST, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    clear(path)
    return document


def clear(path: Path) -> None:
    """Removes the files that only a running run needs."""
    ours = written_in(path)
    for name in (name for name in PASSING_FILES if name in ours):
        try:
            (path / name).unlink(missing_ok=True)
        except PermissionError:
            if name != LOCK:  # Windows removes no open file: a lock that is held goes when it is released
                raise


def _hashes(path: Path) -> dict[str, dict[str, Any]]:
    """The size and SHA-256 of each file that holds data, by which verification finds an edited run."""
    return {own.name: {"bytes": own.stat().st_size, "sha256": sha256(own)} for own in data_files(path)}


def under_way(path: Path) -> bool:
    """Whether a process still writes the run in ``path``; False where that is not known."""
    # An older streamer locked BEGUN instead.
    return any(is_locked(path / name) for name in (LOCK, BEGUN))


def discard(path: Path) -> None:
    """Removes a run that never began from ``path``; its directory too, and that of its study, when they are empty."""
    for own in own_files(path):
        own.unlink(missing_ok=True)
    if LOCK in written_in(path):
        (path / LOCK).unlink(missing_ok=True)
    with suppress(OSError):
        path.rmdir()
        path.parent.rmdir()


class RunDir:
    """A run directory being filled, locked for this process until it is given up or finished.

    ``more`` are the names of the files written there besides the tables, and ``segmented`` says that the files are
    cut. Only the files of an earlier run are removed.

    Raises UsageError when it cannot be made, another run is being written there, or a file of somebody else's would
    be overwritten; SinkError when the disk is full.
    """

    def __init__(self, path: Path, *, overwrite: bool, more: Sequence[str] = (), segmented: bool = False) -> None:
        check_out(path, overwrite=overwrite)
        self.path = path
        self._names = [FRAMES, DETECTIONS, HDR_LOG, *more, *(name for name in PASSING_FILES if name != LOCK)]
        self._made = [folder for folder in (path, *path.parents) if not folder.exists()]
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = RunLock(path)
            try:
                # Another run may have ended there after the first look; with the lock, none can begin any more.
                _check_empty(path, overwrite=overwrite)
                _check_others(path, {*self._names, MANIFEST, TRACEBACK}, segmented=segmented)
            except BaseException:
                self._lock.release()
                raise
            undo_at_once(self._undo)
            try:
                self._make_files()
            except BaseException:
                self._vanish()
                raise
        except OSError as error:
            self._remove_made()
            kind = SinkError if error.errno in FULL else UsageError
            mend = "make room" if kind is SinkError else "give another --out"
            raise kind(f"cannot write into {path}: {error.strerror}; {mend}") from error

    def _make_files(self) -> None:
        """Makes the tables and reserves. Raises OSError and SinkError, and then leaves no reserve behind."""
        for own in own_files(self.path):
            own.unlink(missing_ok=True)
        try:
            Written(self.path).claim([name for name in self._names if name not in (CHART_FILE, WRITTEN)])
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
        """The path of the histograms of a long run."""
        return self.path / HDR_LOG

    def begin(self, known: Mapping[str, Any]) -> None:
        """Writes the facts of the run before its first frame. Raises SinkError."""
        write_whole(self.path / BEGUN, json.dumps(known, indent=2, ensure_ascii=False) + "\n")

    def close_tables(self) -> None:
        """Closes the two CSV files; may be called again."""
        self.frames.close()
        self.detections.close()

    def release(self) -> None:
        """Closes the tables and frees the space that was reserved for them; may be called again."""
        self.close_tables()
        self._reserve.release()

    def give_up(self) -> None:
        """Closes and removes everything, for a run that never began; may be called again."""
        self.close_tables()
        self._vanish()

    def _undo(self) -> None:
        """Removes the run when the process ends at once, unless it has a row: then it can be repaired."""
        table = self.path / FRAMES
        begun = table.is_file() and table.stat().st_size > len(f"{FRAME_COLUMNS}\n".encode())
        if not begun and not any(SEGMENT.fullmatch(name) for name in os.listdir(self.path)):
            self._vanish()

    def _vanish(self) -> None:
        undo_no_more(self._undo)
        for own in own_files(self.path):
            own.unlink(missing_ok=True)
        self._lock.release()
        self._remove_made()

    def _remove_made(self) -> None:
        """Removes the directories that were made for the run and are empty."""
        with suppress(OSError):
            for folder in self._made:
                folder.rmdir()

    def finish(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Closes the files, and writes the manifest whole or not at all, with each file's hash; returns it.

        Raises SinkError.
        """
        self.release()
        self._manifest_reserve.release()
        try:
            return write_manifest(self.path, manifest)
        finally:
            undo_no_more(self._undo)
            self._lock.release()
