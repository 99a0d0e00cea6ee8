"""Files made from models, in the user's cache: stored under the source's hash, and checked before use."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from streamer.errors import CacheError
from streamer.files import cache
from streamer.files.hashing import sha256
from streamer.files.scratch import scratch_directory
from streamer.models.files import model_sha256

NAMES = {"onnx": "model.onnx", "ir": "model.xml", "ir-exact": "model.xml", "int8": "model.xml"}
"""The named file of a made model, by its kind."""

ABOUT = "made.json"
ATTEMPTS = 5

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Made:
    """A model file that was made from another; ``extra`` is what its maker recorded."""

    path: Path
    sha256: str
    extra: Mapping[str, Any]


class _About(msgspec.Struct):
    """The content of `ABOUT`: the SHA-256 of each file, and what its maker recorded."""

    files: dict[str, str]
    extra: dict[str, Any]


def find_made(kind: str, from_sha256: str, size: Size | None) -> Made | None:
    """The made model of ``kind``, or None. A missing or changed file counts as never made.

    ``size`` (height, width) is given for a source that takes any size.
    """
    made = (_whole(place / _name(kind, from_sha256, size), kind) for place in cache.places())
    return next((one for one in made if one is not None), None)


def _name(kind: str, from_sha256: str, size: Size | None) -> str:
    """The directory of a made model of ``kind``, below the cache."""
    suffix = "" if size is None else f"-{size[0]}x{size[1]}"
    return f"{kind}/{from_sha256}{suffix}"


def _whole(place: Path, kind: str) -> Made | None:
    try:
        about = msgspec.json.decode((place / ABOUT).read_bytes(), type=_About)
        if any(sha256(place / name) != hashed for name, hashed in about.files.items()):
            return None
        path = place / NAMES[kind]
        return Made(path, model_sha256(path), about.extra)
    except (OSError, ValueError, msgspec.DecodeError):
        return None


def keep(
    kind: str,
    from_sha256: str,
    size: Size | None,
    build: Callable[[Path], object],
    *,
    extra: Mapping[str, Any] | None = None,
    replace: bool = False,
    for_this_run: bool = False,
) -> Path:
    """Lets ``build`` write the model (see `NAMES`) into an empty directory, keeps it, and returns the model's path.

    The directory appears whole or not at all. Where two processes make it at once, one wins, and the other returns
    the winner's path. With ``replace`` the newer one wins. With ``for_this_run`` it goes to a temporary directory
    where the cache cannot be written. Raises what ``build`` raises, and CacheError when the cache cannot be written
    or has no room.
    """
    root = cache.kept_or_temporary() if for_this_run else cache.kept()
    try:
        return _keep(root, kind, from_sha256, size, build, dict(extra or {}), replace=replace)
    except Exception as error:
        if not no_room(error):
            raise
        free = shutil.disk_usage(root).free / 1e6
        raise CacheError(
            f"no room in the cache {root} for the {kind} that is made of the model ({free:,.1f} MB free): "
            f"free some space, or set {cache.VARIABLE} to another directory"
        ) from error


def no_room(error: BaseException) -> bool:
    """A file could not be written because the disk is full. OpenVINO's error mentions only its stream."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return "iostream" in str(error)


def _keep(
    root: Path,
    kind: str,
    from_sha256: str,
    size: Size | None,
    build: Callable[[Path], object],
    extra: dict[str, Any],
    *,
    replace: bool,
) -> Path:
    place = root / _name(kind, from_sha256, size)
    place.parent.mkdir(parents=True, exist_ok=True)
    with scratch_directory(".making-", place.parent) as scratch:
        build(scratch)
        about = {
            "kind": kind,
            "from_sha256": from_sha256,
            "files": {file.name: sha256(file) for file in sorted(scratch.iterdir())},
            "extra": extra,
        }
        (scratch / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        for attempt in range(ATTEMPTS):
            if not replace and _whole(place, kind):
                break
            try:
                _set_aside(place)
                scratch.rename(place)
                break
            except OSError:  # another process put its own there meanwhile
                if attempt == ATTEMPTS - 1:
                    raise
    return place / NAMES[kind]


def _set_aside(place: Path) -> None:
    """Removes what is at ``place`` in one step, so that no reader sees half of it."""
    if place.exists():
        with scratch_directory(".broken-", place.parent) as aside:
            place.rename(aside / place.name)
