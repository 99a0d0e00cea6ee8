"""Notes on the installation before a run."""

from __future__ import annotations

from streamer.files import cache
from streamer.vendors import versions


def notes() -> list[str]:
    """The notes, a sentence each: on a cache that cannot be written, and on versions newer than those tested."""
    return [note for note in (cache.note(), versions.note()) if note is not None]
