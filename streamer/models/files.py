"""Which files make up a model, and their hash."""

from __future__ import annotations

from pathlib import Path

from streamer.files.hashing import sha256

KINDS = {".onnx": "onnx", ".xml": "ir", ".pt": "pt"}
"""The kind of model that a file's ending stands for."""


def parts(path: Path) -> tuple[Path, ...]:
    """The files of the model at ``path``: an IR has its weights in a second one."""
    return (path, path.with_suffix(".bin")) if path.suffix.lower() == ".xml" else (path,)


def model_sha256(path: Path) -> str:
    """The hash of a model: over its files' bytes, of an IR those of the .xml and then those of the .bin."""
    return sha256(*parts(path))
