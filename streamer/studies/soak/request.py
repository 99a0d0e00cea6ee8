"""What a soak was begun with, as it is written down: a part that follows is run in the same way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec

from streamer.address import without_credentials

REQUEST = "asked.json"


class Request(msgspec.Struct):
    """What was asked for; ``replay`` are the settings of each part, as JSON."""

    sources: list[str]
    window_s: float
    canary_s: float
    replay: dict[str, Any]


def read_request(path: Path) -> Request:
    """What is in such a file. Raises OSError, ValueError and msgspec.ValidationError."""
    # Not by msgspec: names of files may hold bytes that are no UTF-8.
    return msgspec.convert(json.loads(path.read_bytes()), type=Request)


def as_kept(source: str) -> str:
    """A source as it is written down: a file by its name, to be opened again, and an address without credentials."""
    return source if os.path.lexists(source) else without_credentials(source)


def is_own_request(path: Path) -> bool:
    """A soak has written the file."""
    try:
        return read_request(path) is not None
    except (OSError, ValueError, msgspec.ValidationError):
        return False
