"""Whether the files of a run may be read: a file that cannot be read is neither right nor wrong."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import NoReturn

from streamer.errors import StreamerError

READ = re.compile(
    rf"(run|begun)\.json|{re.escape('asked.json')}|(frames|detections)(\.\d{{4,}})?\.csv(\.gz)?"
    r"|annotated(-\d+)?(\.\d{4,})?\.mp4|histograms\.hlog"
)
"""The names of the files that are read."""
FOUND_OTHERWISE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""Errors that mean that there is no such file: where one is expected, that is a finding."""


def check_access(directory: Path) -> None:
    """Raises StreamerError when the directory, or one of its files that verification reads, cannot be looked at."""
    try:
        names = sorted(os.listdir(directory))
    except FOUND_OTHERWISE:
        return  # there is no directory to look at
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return  # nor can there be one
        cannot_look(directory, error)
    for name in filter(READ.fullmatch, names):
        path = directory / name
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a pipe or a device may never come to its end
                raise StreamerError(f"cannot look at {path}: it is no file; put the run's own in its place")
            if stat.S_ISREG(mode):
                with path.open("rb", buffering=0) as file:
                    file.read(1)
        except FOUND_OTHERWISE:
            continue
        except OSError as error:
            cannot_look(path, error)


def cannot_look(path: str | Path, error: OSError) -> NoReturn:
    """Raises StreamerError, with the reason and the mend."""
    raise StreamerError(
        f"cannot look at {path}: {error.strerror}; that says nothing of the run: make it readable, and try again"
    ) from error
