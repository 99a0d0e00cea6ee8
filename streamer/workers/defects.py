"""Errors that nobody raised on purpose: reported in one line, with their traceback in a file."""

from __future__ import annotations

import re
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from streamer import __version__
from streamer.address import without_credentials
from streamer.errors import CacheError, Defect, StreamerError, one_line
from streamer.files import cache
from streamer.vendors.versions import line, versions

TRACEBACK = "traceback.txt"
"""The file of a run directory that holds the traceback."""
_LONGEST = 300
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://[^\s'\"]+", re.IGNORECASE | re.ASCII)


def as_streamer_error(error: Exception, directory: Path | None = None) -> StreamerError:
    """The ``error`` as one of streamer's: itself, the first of a group of them, or else a Defect.

    The traceback of a Defect is written into the run's ``directory``, or into the user's cache without one.
    """
    if isinstance(error, StreamerError):
        return error
    leaves = list(_leaves(error))
    strange = [leaf for leaf in leaves if not isinstance(leaf, StreamerError)]
    if not strange and isinstance(leaves[0], StreamerError):
        return leaves[0]
    text = "".join(traceback.format_exception(error))
    installed = "\n".join(f"{name} {version}" for name, version in versions().items())
    report = _shown(f"streamer {__version__}\n{installed}\n\n{text}")
    path = _written(report, directory)
    kept = "run it with --debug for the traceback" if path is None else f"the traceback is in {path}"
    what = one_line(_shown("".join(traceback.format_exception_only(strange[0]))))
    short = what if len(what) <= _LONGEST else f"{what[:_LONGEST]}..."
    defect = Defect(
        f"{short}: this is a fault of streamer's, or a library has changed; please report it "
        f"({kept}; streamer {__version__}, {line()})"
    )
    defect.__cause__ = error
    return defect


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _shown(text: str) -> str:
    """The text, with its addresses stripped of credentials."""
    return _ADDRESS.sub(lambda match: without_credentials(match[0]), text)


def _written(report: str, directory: Path | None) -> Path | None:
    """The path of the report; None when it cannot be written."""
    try:
        path = _place() if directory is None else directory / TRACEBACK
        path.write_text(report, encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None
    return path


def _place() -> Path:
    """The path of a new file. The folder that replaces a cache which cannot be written is deleted too soon."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S-%fZ")
    try:
        folder = cache.kept() / "errors"
        folder.mkdir(exist_ok=True)
    except CacheError:
        folder = Path(tempfile.gettempdir())
    return folder / f"streamer-{stamp}.txt"
