"""Reads the JSON documents of streamer, and checks their version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamer.errors import UsageError


def read_document(path: Path, newest: int) -> dict[str, Any]:
    """The content of the file, with a ``schema_version`` up to ``newest``.

    Raises UsageError when it cannot be read, is no document of streamer's, or is of a newer streamer.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; see to it that you may read it") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON document ({error}): take it from a copy, or run it again") from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if not isinstance(version, int) or version < 1:
        raise UsageError(f"{path} is no document of streamer's: give a directory that streamer has written")
    if version > newest:
        raise UsageError(
            f"{path} is of a newer streamer (schema_version {version}, here {newest}): pip install --upgrade streamer"
        )
    return dict(found)
