"""Where the bundled model and clip are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import StreamerError

_PACKAGE = Path(__file__).resolve().parents[1]


def bundled(folder: str) -> Path:
    """The directory ``models`` or ``samples`` that comes with streamer. Raises StreamerError if it is missing."""
    for place in (_PACKAGE / "bundled" / folder, _PACKAGE.parent / folder):
        if place.is_dir():
            return place
    raise StreamerError(f"this installation has no {folder}/: install streamer again")
