"""Finds a model: the bundled one and those of the store by name, others by path."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path

import msgspec

from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Port, Signature
from streamer.errors import ModelError, UsageError
from streamer.files.bundled import bundled
from streamer.files.hashing import sha256
from streamer.models.derived import find_made
from streamer.models.describe import describe
from streamer.models.files import model_sha256
from streamer.models.input_choice import PARTS
from streamer.models.metadata import ULTRALYTICS
from streamer.models.model import BUNDLED, Model
from streamer.models.published import FILES
from streamer.models.store import Entry, read_entry, stored_names


def find_model(name_or_path: str | None, trust: bool = False) -> Model:
    """The bundled model for None or its name; else the store's model of that name; else the model at that path.

    Its files include those made from it. Raises UsageError when there is no such model, UntrustedModel for a .pt
    that may run code when it is loaded, unless ``trust`` allows that, and ModelError when it is not a detector.
    """
    if name_or_path is None or name_or_path == BUNDLED:
        return with_made(bundled_model())
    if name_or_path in stored_names():
        return with_made(model_of_entry(read_entry(name_or_path)))
    path = Path(name_or_path)
    if not os.path.exists(path):
        raise UsageError(f"no such model: {name_or_path}; {_known(name_or_path)}")
    model, _ = describe(path, trust=trust)
    return with_made(model)


class _BundledFacts(msgspec.Struct):
    input_size: tuple[int, int]
    output_shape: tuple[int, ...]
    head: str
    names: tuple[str, ...]


def bundled_model() -> Model:
    """The model that comes with streamer, without what was made from it. Raises ModelError where it is missing."""
    folder = bundled("models") / BUNDLED
    try:
        about = msgspec.json.decode((folder / "metadata.json").read_bytes(), type=_BundledFacts)
        files = {kind: folder / f"model.{kind}" for kind in ("pt", "onnx")}
        if (folder / "int8.xml").is_file():
            files["int8"] = folder / "int8.xml"
        # Its .onnx contains its weights: searching it for external ones would take as long as hashing it.
        hashes = {kind: model_sha256(path) if kind == "int8" else sha256(path) for kind, path in files.items()}
    except OSError as error:
        raise ModelError(
            f"this installation has no model {BUNDLED!r}: install streamer again, or give --model FILE.onnx"
        ) from error
    return Model(
        name=BUNDLED,
        path=files["onnx"],
        files=files,
        hashes=hashes,
        signature=Signature(
            (Port("images", (1, 3, *about.input_size)),), (Port("output0", about.output_shape),), about.input_size
        ),
        head=about.head,
        names=about.names,
        input=InputSpec(),
        input_by=dict.fromkeys(PARTS, "streamer"),
        stride=32,
    )


def model_of_entry(entry: Entry) -> Model:
    """The model of an entry of the store, without what was made from it."""
    model = Model(
        name=entry.name,
        path=entry.path,
        files=dict.fromkeys(entry.kinds, entry.path),
        hashes=dict.fromkeys(entry.kinds, entry.sha256),
        signature=entry.signature,
        head=entry.head,
        names=entry.names,
        input=entry.input,
        input_by=entry.input_by,
        stride=entry.stride,
        dynamic=entry.dynamic,
        confidence=entry.confidence,
        iou=entry.iou,
        doubts=entry.doubts,
    )
    return model if entry.input_by else _read_again(model)


def _read_again(model: Model) -> Model:
    """The model of an entry from an older streamer, which did not record preprocessing, read from its file again."""
    if model.kind == "pt":
        return replace(model, input_by=dict.fromkeys(PARTS, ULTRALYTICS))
    size = model.input_size if model.dynamic else None
    found, _ = describe(model.path, trust=False, size=size, names=model.names or None)
    return replace(model, input=found.input, input_by=found.input_by, confidence=found.confidence, iou=found.iou)


def with_made(model: Model) -> Model:
    """The model with the files made from it: its quantized IR, and the ONNX file of a .pt."""
    files, hashes = dict(model.files), dict(model.hashes)
    keys = {"int8": model.quantized_key()} if model.kind in files else {}
    # The bundled model's own ONNX file stays; its quantized IR gives way to one that the user made.
    keys |= {"onnx": model.key("pt")} if "pt" in files and "onnx" not in files else {}
    for kind, key in keys.items():
        if made := find_made(kind, *key):
            files[kind], hashes[kind] = made.path, made.sha256
    return replace(model, files=files, hashes=hashes)


def _known(unknown: str) -> str:
    """The mend for a name that is not known: how to get that model, or the known names."""
    if unknown in FILES:
        return f"streamer models pull {unknown} fetches it"
    names = [BUNDLED, *stored_names()]
    close = difflib.get_close_matches(unknown, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}give {', '.join(map(repr, names))} or the path of a .onnx, .xml or .pt"
