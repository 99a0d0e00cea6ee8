"""The model store: imported and pulled models, each in a directory of its own in the user's cache."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Port, Signature
from streamer.errors import ModelError, UsageError
from streamer.files.bundled import bundled
from streamer.files.cache import cache_dir, kept
from streamer.files.hashing import sha256
from streamer.files.scratch import scratch_directory
from streamer.models.files import KINDS
from streamer.models.model import BUNDLED

ENTRY = "entry.json"
PULLED = "pulled.json"
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Entry:
    """The store's record of a model. ``origin`` is the imported file's name, or the address it was pulled from.

    ``files`` has each file's SHA-256 and bytes, the named one first; ``sha256`` is the model's. ``kinds`` are the
    kinds of model file that it serves as. ``trusted``: a .pt that may be loaded without a question. ``unpickled``:
    loading it ran its own code. ``doubts`` are sentences about faults that its import found.
    """

    name: str
    origin: str
    kinds: tuple[str, ...]
    files: Mapping[str, Mapping[str, Any]]
    sha256: str
    signature: Signature
    head: str
    names: tuple[str, ...]
    input: InputSpec
    input_by: Mapping[str, str]
    stride: int | None
    dynamic: bool
    imported: str
    trusted: bool
    unpickled: bool
    task: str = "detect"
    confidence: float | None = None
    iou: float | None = None
    doubts: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The named file in the store."""
        return place_of(self.name) / next(iter(self.files))

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the pictures that go in."""
        return self.signature.input_size

    @property
    def pulled(self) -> bool:
        """It was fetched over the network."""
        return "://" in self.origin


def store_dir() -> Path:
    """The directory of the store; it need not exist yet."""
    return cache_dir() / "models"


def place_of(name: str) -> Path:
    """The directory of an entry."""
    return store_dir() / name


def check_name(name: str) -> None:
    """Raises UsageError for a text that cannot name an entry."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a model's name: give letters, digits, '.', '_' and '-' with --name")


def stored_names() -> list[str]:
    """The names in the store, including those of broken entries."""
    try:
        return sorted(entry.name for entry in store_dir().iterdir() if entry.is_dir() and NAME.fullmatch(entry.name))
    except OSError:
        return []


def read_entry(name: str) -> Entry:
    """The entry of a name; its files are checked by their hashes. Raises ModelError for a broken one."""
    place = place_of(name)
    try:
        entry = msgspec.convert(_newer(msgspec.json.decode((place / ENTRY).read_bytes())), type=Entry)
        if Path(next(iter(entry.files), "")).suffix not in KINDS:
            raise ValueError("it names no model file")
        changed = [file for file, about in entry.files.items() if sha256(place / file) != about["sha256"]]
    except (OSError, ValueError, KeyError, msgspec.DecodeError) as error:
        raise ModelError(f"model {name} in the store is broken: {_mend(name)} ({error})") from error
    if changed or entry.name != name:
        raise ModelError(f"model {name} in the store is broken, {', '.join(changed)} has changed: {_mend(name)}")
    return entry


def _newer(written: dict[str, Any]) -> dict[str, Any]:
    """An older streamer's entry in today's form. It knew YOLO's heads alone, with one input and one output."""
    if "signature" in written:
        return written
    size, shape = written.pop("input_size"), written.pop("output_shape")
    inputs, outputs = (Port("", (1, 3, *size)),), (Port("", tuple(shape)),)
    signature = {"inputs": [*map(asdict, inputs)], "outputs": [*map(asdict, outputs)], "input_size": size}
    spec = InputSpec()
    return {**written, "signature": signature, "input": asdict(spec), "input_by": {}}


def whole_entry(name: str) -> Entry | None:
    """The entry of a name; None when there is none, or only a broken one, which may be replaced."""
    try:
        return read_entry(name) if name in stored_names() else None
    except ModelError:
        return None


def write_entry(entry: Entry, sources: Mapping[str, Path]) -> None:
    """Copies the files into the store and writes the entry, whole or not at all. ``sources`` are by their new names.

    Raises CacheError when the cache cannot be written; ModelError when its disk is full, or when a file changed.
    """
    kept()
    place = place_of(entry.name)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with scratch_directory(".importing-", place.parent) as scratch:
            for name, source in sources.items():
                (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, scratch / name)
                if sha256(scratch / name) != entry.files[name]["sha256"]:
                    raise ModelError(f"{source} changed while it was imported: import it again")
            (scratch / ENTRY).write_text(json.dumps(asdict(entry), indent=1, ensure_ascii=False), encoding="utf-8")
            if place.exists():  # a broken one
                place.rename(scratch / ".broken")
            os.rename(scratch, place)
            shutil.rmtree(place / ".broken", ignore_errors=True)
    except OSError as error:
        raise ModelError(f"cannot write to the model store in {place.parent}: {error}") from error


def may_be_loaded(hashed: str) -> bool:
    """A .pt of this SHA-256 may be loaded: it is the bundled one, was pulled, or the user trusted it before."""
    checkpoint = bundled("models") / BUNDLED / "model.pt"
    if checkpoint.is_file() and hashed == sha256(checkpoint):
        return True
    if any(about.get("sha256") == hashed for about in read_pulled().values()):
        return True
    entries = (whole_entry(name) for name in stored_names())
    return any(entry is not None and entry.trusted and entry.sha256 == hashed for entry in entries)


def read_pulled() -> dict[str, dict[str, Any]]:
    """The ``sha256`` and ``url`` of every model ever pulled, by name; they stay when an entry is deleted."""
    try:
        pulled = json.loads((store_dir() / PULLED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return (
        {name: about for name, about in pulled.items() if isinstance(about, dict)} if isinstance(pulled, dict) else {}
    )


def record_pulled(name: str, hashed: str, url: str) -> None:
    """Records the hash of a pulled model, so that a later change is noticed. Raises CacheError or ModelError."""
    kept()
    pulled = {**read_pulled(), name: {"sha256": hashed, "url": url}}
    try:
        store_dir().mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(prefix=".pulled-", dir=store_dir())
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(pulled, file, indent=1)
        os.replace(scratch, store_dir() / PULLED)
    except OSError as error:
        raise ModelError(f"cannot write to the model store in {store_dir()}: {error}") from error


def _mend(name: str) -> str:
    return f"import or pull it again under this name, or delete {place_of(name)}"
