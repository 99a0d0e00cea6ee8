"""Imports a model into the store: it is checked, run once and copied."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from streamer.errors import ModelError, UsageError
from streamer.files.hashing import sha256
from streamer.models.describe import describe, kind_at
from streamer.models.files import model_sha256, parts
from streamer.models.folder import Labels
from streamer.models.input_choice import NOTHING, Declared
from streamer.models.labels import read_names
from streamer.models.metadata import Size, words_of
from streamer.models.model import BUNDLED, Model
from streamer.models.store import ENTRY, Entry, check_name, place_of, whole_entry, write_entry


def import_model(
    path: Path,
    *,
    name: str | None = None,
    names_file: Path | None = None,
    size: Size | None = None,
    given: Declared = NOTHING,
    trust: bool = False,
    origin: str | None = None,
    beside: Labels | None = None,
    examine: Callable[[Model], Sequence[str]] = lambda model: (),
) -> tuple[Entry, bool]:
    """The store's entry for the model at ``path``, and whether it is new.

    ``name`` is the file's by default. ``given`` are the parts of its preprocessing that the user declares. The names
    ``beside`` it are used where it has none of its own. ``origin`` is its address, if it has one. ``examine`` gets
    the model before it is stored, and returns the doubts that every run of it repeats. Raises UsageError,
    UntrustedModel and ModelError as `streamer.models.find.find_model` does, and UsageError for a name that another
    model has.
    """
    name = path.stem if name is None else name
    check_name(name)
    if name == BUNDLED:
        raise UsageError(f"{BUNDLED} is the bundled model: give another --name")
    kind = kind_at(path)
    names = None if names_file is None else read_names(names_file)
    if there := whole_entry(name):
        same = (there.sha256, size or there.input_size, names or there.names) == (
            model_sha256(path),
            there.input_size,
            there.names,
        )
        if same and _declared_with(there, given):
            return there, False
        raise UsageError(f"there is another model {name} already: give another --name, or delete {place_of(name)}")
    model, facts = describe(path, trust=trust, size=size, names=names, given=given, beside=beside, run=True)
    sources = _names_in_store(name, path)
    doubts = (*model.doubts, *examine(replace(model, name=name)))
    entry = Entry(
        name=name,
        origin=origin or path.name,
        kinds=tuple(model.files),
        files={file: {"sha256": sha256(part), "bytes": part.stat().st_size} for file, part in sources.items()},
        sha256=model.sha256,
        signature=model.signature,
        head=model.head,
        names=model.names,
        input=model.input,
        input_by=dict(model.input_by),
        stride=model.stride,
        dynamic=model.dynamic,
        imported=datetime.now(UTC).isoformat(timespec="seconds"),
        trusted=kind == "pt",
        unpickled=facts.unpickled,
        confidence=model.confidence,
        iou=model.iou,
        doubts=doubts,
    )
    write_entry(entry, sources)
    return entry, True


def _declared_with(entry: Entry, given: Declared) -> bool:
    """The entry was imported with the same parts declared; an equal value of another origin does not count."""
    return all(
        (getattr(entry.input, part), entry.input_by.get(part)) == (value, by) for part, (value, by) in given.items()
    )


def _names_in_store(name: str, path: Path) -> dict[str, Path]:
    """The files of the model at ``path`` by their names in the store. Weights keep the names that the model reads.

    Raises UsageError where weights have the name of the model's own file, ModelError where they have the entry's.
    """
    own, *others = parts(path)
    if own.suffix.lower() == ".xml":
        return {f"{name}{part.suffix.lower()}": part for part in (own, *others)}
    kept = {part.relative_to(path.parent).as_posix(): part for part in others}
    first = f"{name}{own.suffix.lower()}"
    if first in kept:
        raise UsageError(f"{path.name} has weights in {first}: give another --name")
    if ENTRY in kept:
        raise ModelError(f"{path.name} has weights in {ENTRY}, a name that the store needs: save it with another")
    return {first: own, **kept}


def parse_size(text: str) -> Size:
    """Height and width in pixels of ``480x640``, or of ``640`` for both. Raises UsageError."""
    match = re.fullmatch(r"(\d{2,4})(?:x(\d{2,4}))?", text.strip().lower())
    if match is None:
        raise UsageError(f"--imgsz {text}: give height x width in pixels, as in 480x640, or 640 for both")
    return int(match[1]), int(match[2] or match[1])


def summary_of(entry: Entry) -> str:
    """An entry as one line of text."""
    classes = f"{len(entry.names)} classes" if entry.names else "classes without names"
    return f"{entry.name}: {entry.head}, {classes}, input {words_of(entry.input_size)}, sha256 {entry.sha256[:12]}"
