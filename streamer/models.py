"""The models that streamer can run: the bundled one by name, others by path."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamer.bundled import bundled
from streamer.coco import COCO_NAMES
from streamer.errors import ModelError, UsageError
from streamer.postprocess import Head, recognise_head

BUNDLED = "street"
KINDS = {".onnx": "onnx", ".xml": "ir", ".pt": "pt"}


@dataclass(frozen=True, slots=True)
class Model:
    """A detector: its files and what they hold.

    ``path`` is the file that was named; ``files`` and ``hashes`` (SHA-256) are by kind: pt, onnx, ir. ``input_size``
    is height, width; ``output_shape`` is that of the raw prediction; ``names`` has a label per class.
    """

    name: str
    path: Path
    files: Mapping[str, Path]
    hashes: Mapping[str, str]
    input_size: tuple[int, int]
    output_shape: tuple[int, ...]
    head: Head
    names: tuple[str, ...]

    @property
    def bundled(self) -> bool:
        """It is the one that comes with streamer, trained on the synthetic street."""
        return self.name == BUNDLED

    @property
    def sha256(self) -> str:
        """The hash of the file that was named."""
        return self.hashes[KINDS[self.path.suffix.lower()]]


def find_model(name_or_path: str | None) -> Model:
    """The bundled model for None or its name; else the model at a path.

    Raises UsageError when there is no such file, ModelError when it is not a detector.
    """
    if name_or_path is None or name_or_path == BUNDLED:
        return _bundled_model()
    path = Path(name_or_path)
    if not os.path.exists(path):
        raise UsageError(f"no such model: {name_or_path}; give {BUNDLED!r} or the path of a .onnx, .xml or .pt")
    kind = KINDS.get(path.suffix.lower())
    if kind is None or not path.is_file():
        raise ModelError(f"{path} is not a model: give a .onnx, an OpenVINO .xml or a .pt file")
    if kind == "ir" and not path.with_suffix(".bin").is_file():
        raise ModelError(f"{path} has no weights: put {path.with_suffix('.bin').name} beside it")
    return _model_at(path, kind)


def _bundled_model() -> Model:
    folder = bundled("models") / BUNDLED
    try:
        about = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"this installation has no model {BUNDLED!r}: install streamer again, or give --model FILE.onnx"
        ) from error
    height, width = about["input_size"]
    names = tuple(about["names"])
    files = {kind: folder / f"model.{kind}" for kind in ("pt", "onnx")}
    return Model(
        name=BUNDLED,
        path=files["onnx"],
        files=files,
        hashes={kind: sha256(path) for kind, path in files.items()},
        input_size=(height, width),
        output_shape=tuple(about["output_shape"]),
        head=Head(about["head"]),
        names=names,
    )


def _model_at(path: Path, kind: str) -> Model:
    from streamer.model_facts import facts_of

    facts = facts_of(path, kind)
    try:
        head, classes = recognise_head(facts.output_shape, facts.input_size)
    except ModelError as error:
        raise ModelError(f"{path.name} is {error}") from error
    if facts.task not in ("detect", None):
        raise ModelError(f"{path.name} is not a detector but a model for {facts.task}: give a detection model")
    return Model(
        name=path.stem,
        path=path,
        files={kind: path},
        hashes={kind: sha256(path)},
        input_size=facts.input_size,
        output_shape=facts.output_shape,
        head=head,
        names=labels(facts.names, classes),
    )


def labels(names: tuple[str, ...] | None, classes: int) -> tuple[str, ...]:
    """The model's own names if they fit; else COCO's for 80 classes; else class_0, class_1 and so on."""
    if names is not None and len(names) == classes:
        return names
    return COCO_NAMES if classes == len(COCO_NAMES) else tuple(f"class_{i}" for i in range(classes))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
