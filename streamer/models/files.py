"""The files of a model, and their hash."""

from __future__ import annotations

from pathlib import Path

from streamer.files.hashing import remembered_sha256, sha256
from streamer.models.external_data import external_data

KINDS = {".onnx": "onnx", ".xml": "ir", ".pt": "pt"}
"""The kind of model by a file's suffix."""


def parts(path: Path) -> tuple[Path, ...]:
    """The files of the model at ``path``, its own first: an IR and a large ONNX file have their weights in others.

    Raises ModelError as `external_data` does.
    """
    match path.suffix.lower():
        case ".xml":
            return path, path.with_suffix(".bin")
        case ".onnx":
            return path, *external_data(path)
        case _:
            return (path,)


def model_sha256(path: Path) -> str:
    """The SHA-256 of a model: over the bytes of its files, in the order of `parts`.

    Raises ModelError as `parts` does, and OSError.
    """
    # The hash of a .pt decides whether it may be loaded, which runs code: it is never remembered.
    return sha256(path) if path.suffix.lower() == ".pt" else remembered_sha256(*parts(path))
