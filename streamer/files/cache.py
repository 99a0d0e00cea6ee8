"""The place for files that streamer can make again: the user's cache, or a temporary one when it is not writable."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs

from streamer.errors import CacheError

VARIABLE = "STREAMER_CACHE"
"""The environment variable with the path of the cache."""
_IN_MEMORY = Path("/dev/shm")
_HOMELESS = Path("~/.cache/streamer")


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory that can be written; ``why_not`` is the reason why it is not the user's cache, else None."""

    path: Path
    why_not: str | None = None


def cache_dir() -> Path:
    """The user's cache directory for streamer; STREAMER_CACHE overrides it. It may be missing or not writable."""
    try:
        return Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("streamer"))
    except RuntimeError:  # no home directory: older versions of platformdirs leave the tilde as it is
        return _HOMELESS


def kept() -> Path:
    """The cache, for files that later runs use. Raises CacheError when it cannot be written."""
    place = _place(cache_dir())
    if place.why_not is not None:
        raise CacheError(f"{place.why_not}: set {VARIABLE} to a directory that can be written")
    return place.path


def kept_or_temporary() -> Path:
    """The cache, or, when that cannot be written, a temporary directory that this process removes at its end.

    Raises CacheError when no temporary directory can be made either.
    """
    return _place(cache_dir()).path


def places() -> list[Path]:
    """The directories that may hold cached files: the cache, and its temporary replacements."""
    return [cache_dir(), *_temporary]


def note() -> str | None:
    """The note that the cache cannot be written, and how to set its place; None when it can."""
    try:
        why_not = _place(cache_dir()).why_not
    except CacheError as error:  # a run that makes no such files needs no place for them
        return str(error)
    return why_not and (
        f"{why_not}: what it does not hold yet is made for this run alone; {VARIABLE} sets another place"
    )


@atexit.register
def remove_temporary() -> None:
    """Removes the temporary replacements of the cache. An ordinary end of the process does so by itself."""
    while _temporary:
        shutil.rmtree(_temporary.pop(), ignore_errors=True)


_temporary: list[Path] = []


@lru_cache
def _place(cache: Path) -> _Place:
    why_not = _why_not(cache)
    if why_not is None:
        return _Place(cache)
    why_not = f"the cache {cache} cannot be written ({why_not})"
    for parent in _temporary_places():
        try:
            made = Path(tempfile.mkdtemp(prefix="streamer-", dir=parent))
        except OSError:
            continue
        _temporary.append(made)
        return _Place(made, why_not)
    raise CacheError(f"{why_not}, nor a temporary directory: set {VARIABLE} to a directory that can be written")


def _why_not(cache: Path) -> str | None:
    """The reason why no files can be made in the cache, None when they can; makes the cache if it is missing."""
    if not cache.is_absolute() and not os.environ.get(VARIABLE):
        return "this user has no home directory"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _temporary_places() -> list[Path]:
    """The parents of temporary directories; not the working directory, to which Python falls back."""
    try:
        usual = Path(tempfile.gettempdir())
    except OSError:
        return [_IN_MEMORY]
    named = {os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")}
    return [_IN_MEMORY] if usual == Path.cwd() and str(usual) not in named else [usual, _IN_MEMORY]
