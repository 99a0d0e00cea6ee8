"""Every run that the tests make is verified, before a test looks at it: run.json and ``verify`` agree.

A run of this process is looked at when its directory is finished, one of another process when that has ended
(`runs_verified`). Where the two verdicts are not the same, the test fails at its end: a run itself may be expected to
fail, and an error in the middle of it would be mistaken for that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from streamer.run.finished import Run
from streamer.run.outputs import Outputs
from streamer.run.session import Session
from streamer.run.summarize import Account
from streamer.rundir.paths import BEGUN, MANIFEST
from streamer.rundir.rundir import under_way
from streamer.verification import verify

_looked_at: set[tuple[str, int, int]] = set()
"""The records that were verified, by their `_state`."""
_differences: list[str] = []


@contextmanager
def runs_verified(*places: Path) -> Iterator[None]:
    """Verifies the runs that are made below ``places`` meanwhile, killed ones too."""
    before = {_state(record) for record in _records(places)}
    yield
    for record in _records(places):
        if _state(record) not in before | _looked_at:
            _look_at(record)


def _records(places: tuple[Path, ...]) -> Iterator[Path]:
    """The files that mark the directories of runs that have ended or were killed: ``run.json`` or ``begun.json``."""
    for place in places:
        for folder, _, names in os.walk(place):
            record = MANIFEST if MANIFEST in names else BEGUN
            if record in names and os.path.isfile(os.path.join(folder, record)) and not under_way(Path(folder)):
                yield Path(folder, record)


def _state(record: Path) -> tuple[str, int, int]:
    status = record.stat()
    return str(record.resolve()), status.st_ino, status.st_mtime_ns


def _look_at(record: Path) -> None:
    """Verifies the run with this record, and notes a difference from its own verdict."""
    _looked_at.add(_state(record))
    found = verify(record.parent)
    if (found.run_verdict == "INVALID") != bool(found.reasons):
        own = found.run_verdict or "no verdict, since it was killed"
        _differences.append(f"{record.parent.resolve()}: of a run with {own}, verify says {found.reasons or 'VALID'}")


@contextmanager
def finished_runs_verified() -> Iterator[None]:
    """Verifies each run of this process meanwhile as soon as it is finished."""
    finish = Session._finish

    def finished(session: Session, account: Account, outputs: Outputs) -> Run:
        run = finish(session, account, outputs)
        if (record := run.directory / MANIFEST).is_file():  # on a full disk it may not be there
            _look_at(record)
        return run

    with patch.object(Session, "_finish", finished):
        yield


def differences() -> list[str]:
    """The differences since the last call between a run's verdict and that of verify, a line each."""
    found = list(_differences)
    _differences.clear()
    return found
