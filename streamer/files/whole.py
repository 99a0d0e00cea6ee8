"""Files that are there whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from streamer.errors import SinkError


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all. Raises SinkError."""
    scratch = path.with_name(f"{path.name}.writing")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise SinkError(f"cannot write {path}: {error.strerror}") from error
