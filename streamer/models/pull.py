"""Fetches Ultralytics' own weights; nothing else in streamer downloads models."""

from __future__ import annotations

import difflib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from streamer.errors import ModelError, UsageError
from streamer.files.cache import kept
from streamer.files.hashing import sha256
from streamer.files.scratch import scratch_directory
from streamer.models.checkpoint import check_extra
from streamer.models.importing import import_model
from streamer.models.published import FAMILIES, FILES
from streamer.models.store import Entry, place_of, read_pulled, record_pulled, store_dir, whole_entry

RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
TIMEOUT_S = 30
BLOCK = 1 << 16

Advance = Callable[[int, int | None], None]
"""Called with the bytes received so far and the total, None where that is unknown."""


def pull(name: str, advance: Advance = lambda received, total: None) -> tuple[Entry, bool]:
    """The store's entry of Ultralytics' model ``name``, and whether it was fetched now.

    Raises UsageError for an unknown name; EngineUnavailable without PyTorch, which the check needs, before fetching
    anything; CacheError when the store cannot be written; ModelError when it cannot be fetched, is no detector, or
    has another hash than the first time.
    """
    if name not in FILES:
        close = difflib.get_close_matches(name, FILES, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        known = ", ".join(f"{family}{'|'.join(sizes)}" for family, sizes in FAMILIES.items())
        raise UsageError(f"no model {name!r} to pull: {hint}there are {known}")
    url = f"{RELEASE}/{FILES[name]}"
    if there := whole_entry(name):
        # A file that the user brought has its own name as its origin.
        if there.origin not in (url, FILES[name]):
            raise UsageError(f"there is another model {name}, of {there.origin}: delete {place_of(name)} to pull it")
        return there, False
    check_extra(f"pulling {name}, which is a .pt,")
    kept()  # before anything is fetched
    try:
        store_dir().mkdir(parents=True, exist_ok=True)
        with scratch_directory(".pulling-", store_dir()) as folder:
            fetched = folder / FILES[name]
            try:
                _fetch(url, fetched, advance)
            except urllib.error.HTTPError as error:
                error.close()
                raise ModelError(f"cannot fetch {url}: {error}; {_by_hand(name, url)}") from error
            except (OSError, http.client.HTTPException) as error:
                # urllib wraps the reason of a failed connection.
                why = error.reason if isinstance(error, urllib.error.URLError) else error
                raise ModelError(f"cannot fetch {url}: {why}; {_by_hand(name, url)}") from error
            return _keep(name, url, fetched), True
    except OSError as error:
        raise ModelError(f"cannot write to the model store in {store_dir()}: {error}") from error


def _fetch(url: str, path: Path, advance: Advance) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response, path.open("wb") as file:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
        received = 0
        while block := response.read(BLOCK):
            file.write(block)
            received += len(block)
            advance(received, total)
    if total is not None and received != total:
        raise OSError(f"it ended after {received:,} of {total:,} bytes")


def _keep(name: str, url: str, fetched: Path) -> Entry:
    hashed = sha256(fetched)
    before = read_pulled().get(name, {}).get("sha256", hashed)
    if before != hashed:
        raise ModelError(
            f"{url} has changed: it was sha256 {before} and is {hashed}; if that is right, delete "
            f"{store_dir() / 'pulled.json'}, and pull it again"
        )
    entry, _ = import_model(fetched, name=name, trust=True, origin=url)
    record_pulled(name, hashed, url)
    return entry


def _by_hand(name: str, url: str) -> str:
    file = url.rpartition("/")[2]
    return f"bring {file} here by other means, and: streamer models import {file} --name {name} --trust"
