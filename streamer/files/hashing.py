"""The hashes of files, and of a JSON document's content."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from streamer.errors import CacheError
from streamer.files import cache

BIG = 64 << 20
"""Bytes from which a hash is remembered: reading so many takes a tenth of a second or more."""
SETTLED_S = 2.0
"""A file that was written less than this before may be written again within the same tick of its clock."""


def sha256(*paths: Path) -> str:
    """The SHA-256, in hexadecimal, of the bytes of one file or of several in this order. Raises OSError."""
    whole = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
    return whole.hexdigest()


def document_sha256(document: Mapping[str, object]) -> str:
    """The SHA-256 of a document as JSON in UTF-8, with its keys sorted and no spaces between tokens.

    The layout in a file does not change it. Raises ValueError for NaN and infinity.
    """
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # A path that is no UTF-8 has surrogates, one for each such byte.
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def remembered_sha256(*paths: Path) -> str:
    """As `sha256`; the hash of big files is remembered in the user's cache by their paths, sizes and times.

    It distinguishes files, and does not authenticate them: with the machine's time set back, a change stays unseen.
    """
    about = list(_about(paths))
    if sum(size for _, size, *_ in about) < BIG:
        return sha256(*paths)
    name = f"hashes/{hashlib.sha256(json.dumps([path for path, *_ in about]).encode()).hexdigest()}.json"
    for place in cache.places():
        with suppress(OSError, ValueError, msgspec.DecodeError):
            known = msgspec.json.decode((place / name).read_bytes(), type=_Known)
            if known.files == about:
                return known.sha256
    found = sha256(*paths)
    if time.time() - max(max(times) for _, _, *times, _ in about) / 1e9 > SETTLED_S and list(_about(paths)) == about:
        _remember(name, _Known(about, found))
    return found


class _Known(msgspec.Struct):
    """Files and their hash: the path, size, times of writing and of change in ns, and inode number of each.

    A program that sets back the time of writing, as a copy does, sets the time of change.
    """

    files: list[tuple[str, int, int, int, int]]
    sha256: str


def _about(paths: tuple[Path, ...]) -> Iterator[tuple[str, int, int, int, int]]:
    for path in paths:
        found = path.stat()
        yield os.path.abspath(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _remember(name: str, known: _Known) -> None:
    with suppress(OSError, CacheError):
        path = cache.kept() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        scratch.write_bytes(msgspec.json.encode(known))
        scratch.replace(path)
