"""``asked.json``: what a soak was begun with, so that the parts that follow run in the same way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec

from streamer.address import without_credentials

REQUEST = "asked.json"


class Request(msgspec.Struct):
    """What was requested: ``replay`` are the settings of each part, as JSON."""

    sources: list[str]
    window_s: float
    canary_s: float
    replay: dict[str, Any]


def read_request(path: Path) -> Request:
    """The request in a file. Raises OSError, ValueError and msgspec.ValidationError."""
    # The JSON is not parsed by msgspec: names of files may hold bytes that are no UTF-8.
    return msgspec.convert(json.loads(path.read_bytes()), type=Request)


def as_kept(source: str) -> str:
    """A source as it is written: a file by its name, to be opened again, and an address without credentials."""
    return source if os.path.lexists(source) else without_credentials(source)


def is_own_request(path: Path) -> bool:
    """Whether a soak has written the file."""
    try:
        return read_request(path) is not None
    except (OSError, ValueError, msgspec.ValidationError):
        return False
