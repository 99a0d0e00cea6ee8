"""Finds the model in a folder and the names of its classes: in an export's folder, and in Geti's deployment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from streamer.errors import ModelError
from streamer.models.files import KINDS
from streamer.models.labels import names_of, read_names
from streamer.models.store import NAME

DEEPEST = 4
"""Levels of folders below the named one that are searched: Geti's has deployment/Detection/model."""
MOST_NAMED = 6
"""An error names at most so many models."""
LABELS = ("labels.txt", "classes.txt", "names.txt", "obj.names", "coco.names", "data.yaml")
"""The usual names of files with a label per class; Ultralytics' metadata.yaml is read with the model."""
CONFIG = "config.json"
"""The file that Geti and Hugging Face put beside a model."""


GENERIC = ("model", "openvino_model", "saved_model", "best", "last")
"""Names that exporters and trainers give to every model: such a model gets the name of its folder."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The names found beside a model, and the file that has them."""

    names: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Found:
    """A model's file, the names beside it, and the ``name`` of the model where its file has a generic one.

    ``others`` is the number of models in folders below, which are ignored.
    """

    path: Path
    labels: Labels | None = None
    name: str | None = None
    others: int = 0


def find_in(path: Path) -> Found:
    """The model in a folder, or the file at ``path``. Raises as `model_in` and `labels_of` do."""
    if not path.is_dir():
        return Found(path)
    model, others = model_in(path)
    name = path.resolve().name
    generic = model.stem.lower() in GENERIC and NAME.fullmatch(name) is not None
    return Found(model, labels_of(model, path), name if generic else None, others)


def model_in(folder: Path) -> tuple[Path, int]:
    """The one model in a folder, else the one in the folders below; and how many others are below.

    Raises ModelError for no model, and for several.
    """
    levels = _by_depth(folder)
    here, below = next(levels), list(chain.from_iterable(islice(levels, DEEPEST)))
    found = here or below
    if len(found) == 1:
        return found[0], len(here + below) - 1
    if found:
        names = [path.relative_to(folder).as_posix() for path in found]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        raise ModelError(f"{folder} has several models: give one of them, {', '.join(names[:MOST_NAMED])}{more}")
    zipped = next(iter(sorted(folder.glob("*.zip"))), None)
    hint = "" if zipped is None else f"; {zipped.name} may have one: unpack it"
    raise ModelError(
        f"{folder} has no model: give a .onnx, an OpenVINO .xml or a .pt file, or a folder with one{hint}"
    )


def _by_depth(folder: Path) -> Iterator[list[Path]]:
    """The models of a folder, then those of the folders in it, and so on, level by level."""
    level = [folder]
    while level:
        entries = [entry for one in level for entry in _entries(one)]
        yield sorted(Path(entry.path) for entry in entries if entry.is_file() and _is_model(Path(entry.path)))
        level = sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder that are not hidden; none where it may not be read."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]
    return []


def _is_model(path: Path) -> bool:
    """The file has the suffix of a model; an XML file must be an IR."""
    if path.suffix.lower() != ".xml":
        return path.suffix.lower() in KINDS
    with suppress(OSError), path.open("rb") as file:
        return b"<net" in file.read(1024)
    return False


def labels_of(model: Path, folder: Path) -> Labels | None:
    """The names in a file beside the ``model``, or in a folder between it and ``folder``; None for none.

    Raises UsageError for a file in `LABELS` that cannot be read.
    """
    place = model.parent
    while True:
        for file in (place / name for name in LABELS):
            if file.is_file():
                return Labels(read_names(file), file)
        if (names := _config_names(place / CONFIG)) is not None:
            return Labels(names, place / CONFIG)
        if place == folder:
            return None
        place = place.parent


def _config_names(config: Path) -> tuple[str, ...] | None:
    """The labels in a config.json of Geti's, with spaces where ``label_info`` has them, or of Hugging Face's."""
    try:
        document = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    declared = document.get("model_parameters")
    if not isinstance(declared, dict):
        return names_of(document.get("id2label"))
    return _of_label_info(declared.get("label_info")) or _of_words(declared.get("labels"))


def _of_label_info(written: Any) -> tuple[str, ...] | None:
    """The names in OTX's ``label_info``, in the order of their classes; it is JSON, or a text of JSON."""
    if isinstance(written, str):
        with suppress(ValueError):
            written = json.loads(written)
    return names_of(written.get("label_names")) if isinstance(written, dict) else None


def _of_words(written: Any) -> tuple[str, ...] | None:
    """The names in a text, with spaces between them and underscores within; or in a list."""
    if isinstance(written, str):
        return tuple(word.replace("_", " ") for word in written.split()) or None
    return names_of(written)
