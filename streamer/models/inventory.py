"""The models that have a name: the bundled one and those of the store, each with the files made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamer.errors import StreamerError
from streamer.models.derived import find_made
from streamer.models.files import parts
from streamer.models.find import bundled_model, model_of_entry, with_made
from streamer.models.input_choice import input_part
from streamer.models.model import BUNDLED, Model
from streamer.models.quantized_onnx import ir_kind
from streamer.models.store import read_entry, stored_names


@dataclass(frozen=True, slots=True)
class Listed:
    """A model in the list; a broken one has only a name, and the reason in ``broken``.

    ``origin`` is bundled, imported or pulled. ``own`` are the kinds of its own files, ``bytes`` their size together.
    ``made`` are the kinds of the files made from it.
    """

    name: str
    origin: str = ""
    model: Model | None = None
    own: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    bytes: int = 0
    broken: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as JSON. ``input_size`` is height, width; ``confidence`` and ``iou`` are its metadata's."""
        if self.model is None:
            return {"name": self.name, "broken": self.broken}
        return {
            "name": self.name,
            "from": self.origin,
            "path": str(self.model.path),
            "sha256": self.model.sha256,
            "bytes": self.bytes,
            "head": self.model.head,
            "classes": self.model.classes,
            "input_size": list(self.model.input_size),
            "input": input_part(self.model.input, self.model.input_by),
            "confidence": self.model.confidence,
            "iou": self.model.iou,
            "formats": sorted(self.own),
            "made": sorted(self.made),
            "broken": None,
        }


def inventory() -> list[Listed]:
    """All models that have a name, the bundled one first. Every file is read for its hash."""

    def stored(name: str) -> tuple[str, Model]:
        entry = read_entry(name)
        return "pulled" if entry.pulled else "imported", model_of_entry(entry)

    rows = [_listed(BUNDLED, lambda _: ("bundled", bundled_model()))]
    return [*rows, *(_listed(name, stored) for name in stored_names())]


def _listed(name: str, find: Callable[[str], tuple[str, Model]]) -> Listed:
    try:
        origin, own = find(name)
    except StreamerError as error:
        return Listed(name, broken=str(error))
    model = with_made(own)
    made = {kind for kind in model.files if model.files[kind] != own.files.get(kind)}
    if "onnx" in model.files and find_made(ir_kind(model.files["onnx"]), *model.key("onnx")):
        made.add("ir")
    files = {part for path in own.files.values() for part in parts(path)}
    size = sum(part.stat().st_size for part in files)
    return Listed(name, origin, model, frozenset(own.files), frozenset(made), size)
