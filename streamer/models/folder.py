"""The model in a folder, and the names of its classes: an export's own, and Geti's deployment."""

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
"""Folders below the one that was named that are looked into: Geti's has deployment/Detection/model."""
SAID = 6
"""Of so many models the names are told."""
LABELS = ("labels.txt", "classes.txt", "names.txt", "obj.names", "coco.names", "data.yaml")
"""Files with a label for each class, as people call them; Ultralytics' metadata.yaml is read with the model."""
CONFIG = "config.json"
"""The file that Geti and Hugging Face put beside a model."""


GENERIC = ("model", "openvino_model", "saved_model", "best", "last")
"""What exporters and trainers call every model: it is better called as its folder is."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Names that are beside a model, and the file that has them."""

    names: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Found:
    """A model's file, the names that lie beside it in a folder, and what to call it where its file does not tell.

    ``others`` are the models in folders below, which are left alone.
    """

    path: Path
    labels: Labels | None = None
    name: str | None = None
    others: int = 0


def find_in(path: Path) -> Found:
    """The model in a folder, or the one at a path that is none. Raises ModelError and UsageError as below."""
    if not path.is_dir():
        return Found(path)
    model, others = model_in(path)
    name = path.resolve().name
    generic = model.stem.lower() in GENERIC and NAME.fullmatch(name) is not None
    return Found(model, labels_of(model, path), name if generic else None, others)


def model_in(folder: Path) -> tuple[Path, int]:
    """The one model in a folder, else the one in the folders below; and how many others are below.

    Raises ModelError for none, and for several.
    """
    levels = _by_depth(folder)
    here, below = next(levels), list(chain.from_iterable(islice(levels, DEEPEST)))
    found = here or below
    if len(found) == 1:
        return found[0], len(here + below) - 1
    if found:
        names = [path.relative_to(folder).as_posix() for path in found]
        more = f" and {len(names) - SAID} more" if len(names) > SAID else ""
        raise ModelError(f"{folder} has several models: give one of them, {', '.join(names[:SAID])}{more}")
    zipped = next(iter(sorted(folder.glob("*.zip"))), None)
    hint = "" if zipped is None else f"; {zipped.name} may have one: unpack it"
    raise ModelError(
        f"{folder} has no model: give a .onnx, an OpenVINO .xml or a .pt file, or a folder with one{hint}"
    )


def _by_depth(folder: Path) -> Iterator[list[Path]]:
    """The models of a folder, then those of all folders in it, and so on."""
    level = [folder]
    while level:
        entries = [entry for one in level for entry in _entries(one)]
        yield sorted(Path(entry.path) for entry in entries if entry.is_file() and _is_model(Path(entry.path)))
        level = sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, but for what is hidden; nothing where it may not be read."""
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]
    return []


def _is_model(path: Path) -> bool:
    """By its ending; of files of XML those that are an IR."""
    if path.suffix.lower() != ".xml":
        return path.suffix.lower() in KINDS
    with suppress(OSError), path.open("rb") as file:
        return b"<net" in file.read(1024)
    return False


def labels_of(model: Path, folder: Path) -> Labels | None:
    """The names in a file beside the ``model``, or in a folder between that and ``folder``; None for none.

    Raises UsageError for a file of such a name that cannot be read.
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
    """The labels in a config.json: Geti's, with their spaces where ``label_info`` has them, or Hugging Face's."""
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
    """OTX's: the names in the order of their classes; as JSON, or as JSON in a text."""
    if isinstance(written, str):
        with suppress(ValueError):
            written = json.loads(written)
    return names_of(written.get("label_names")) if isinstance(written, dict) else None


def _of_words(written: Any) -> tuple[str, ...] | None:
    """Blanks between names, and underscores within them; or a list."""
    if isinstance(written, str):
        return tuple(word.replace("_", " ") for word in written.split()) or None
    return names_of(written)
