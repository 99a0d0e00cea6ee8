"""``streamer.open_run``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from streamer.api.given_source import path_text
from streamer.api.soak_result import SoakResult, read_soak
from streamer.errors import UsageError
from streamer.run.finished import Run
from streamer.run.reopened import read_run
from streamer.rundir.paths import BEGUN, MANIFEST
from streamer.rundir.rundir import under_way
from streamer.studies.bench.document import NAME as BENCH
from streamer.studies.bench.result import BenchResult, read_bench
from streamer.studies.compare.document import NAME as COMPARE
from streamer.studies.compare.result import ComparisonResult, read_comparison
from streamer.studies.pace.document import NAME as PACE
from streamer.studies.pace.result import PaceResult, read_pace
from streamer.studies.parity.parity_csv import FILE as PARITY
from streamer.studies.soak.document import NAME as SOAK
from streamer.studies.soak.request import REQUEST
from streamer.studies.soak.study import parts_of

Opened: TypeAlias = Run | ComparisonResult | PaceResult | BenchResult | SoakResult
KINDS: Mapping[str, Callable[[Path], Opened]] = {
    MANIFEST: read_run,
    f"{COMPARE}.json": read_comparison,
    f"{PACE}.json": read_pace,
    f"{BENCH}.json": read_bench,
    f"{SOAK}.json": read_soak,
}
"""The function that reads a directory, by the document in it."""


def open_run(directory: str | PathLike[str]) -> Opened:
    """A finished run or study, read from its directory: the result of `replay`, `compare`, `pace`, `bench` or `soak`.

    It may have been interrupted or have failed; a run may have been killed and repaired. Large parts are read when
    they are first used.

    Raises UsageError when the directory has no run and no study, or one that is still going on, or one of a newer
    streamer, or cannot be read.
    """
    path = Path(path_text("directory", directory))
    _check_directory(path)
    if under_way(path) or any(map(under_way, parts_of(path))):
        raise UsageError(f"{path}: it is still going on; wait for its end, or end it as with Ctrl-C")
    for document, read in KINDS.items():
        if (path / document).exists():
            return read(path)
    raise UsageError(f"{path}: {_instead(path)}")


def _check_directory(path: Path) -> None:
    """Raises UsageError for anything but a directory that can be read."""
    if not os.path.exists(path):
        raise UsageError(f"no such directory: {path}")
    if not path.is_dir():
        raise UsageError(f"{path} is no directory: give the one in which it is, as in {path.parent}")
    try:
        os.listdir(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; see to it that you may read it") from error


def _instead(path: Path) -> str:
    """What a directory without a document holds, and what to do about it."""
    if (path / BEGUN).exists():
        return f"that run was killed; make its record with streamer.verify({str(path)!r}, repair=True)"
    if (path / REQUEST).exists():
        return f"that soak has no verdict yet; go on with streamer.soak(resume={str(path)!r})"
    if (path / PARITY).exists():
        return f"a parity is a table and no more; read its {PARITY}"
    if not os.listdir(path):
        return "it is empty; give the directory of a run, as in runs/demo"
    return f"there is none of {', '.join(KINDS)} in it; give the directory of a finished run, as in runs/demo"
