"""The files of a run directory against the sizes and hashes that ``run.json`` keeps of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from streamer.verify.manifest import NAME, Document
from streamer.verify.reasons import Reasons


def check_files(directory: Path, document: Document, reasons: Reasons) -> int:
    """Size and SHA-256 of each file named; returns how many there were. Raises Unreadable."""
    if not document.has("files"):
        return 0
    names = list(document.group("files"))
    for name in names:
        size, sha256 = document.whole("files", name, "bytes"), document.text("files", name, "sha256")
        path = directory / name
        if Path(name).name != name:
            reasons.add(f"{NAME} files: {name!r} is no name of a file in the run directory")
        elif not path.is_file():
            reasons.add(f"{name}: is missing")
        elif path.stat().st_size != size:
            reasons.add(f"{name}: found {path.stat().st_size} bytes, expected {size}")
        elif (found := _sha256(path)) != sha256:
            reasons.add(f"{name}: found SHA-256 {found[:12]}..., expected {sha256[:12]}...: its content was changed")
    return len(names)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
