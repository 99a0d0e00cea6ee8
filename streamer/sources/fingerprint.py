"""A hash of a source on the disk, by which its footage is known again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from streamer.address import kind_of
from streamer.files.hashing import sha256
from streamer.sources.images import images_in


def fingerprint(uri: str) -> str | None:
    """The SHA-256 of a file in hexadecimal; for a folder, that of its images' names and contents in their order.

    None for a source that is not on the disk: a live or synthetic one.
    """
    path = Path(uri)
    if kind_of(uri) or not path.exists():
        return None
    if not path.is_dir():
        return sha256(path)
    whole = hashlib.sha256()
    for image in images_in(path):
        whole.update(os.fsencode(image.name) + b"\0" + bytes.fromhex(sha256(image)))
    return whole.hexdigest()
