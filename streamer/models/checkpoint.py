"""Loads a .pt file. It is a pickle: loading one may run its maker's code.

It is first inspected without being loaded. Then PyTorch's ``weights_only`` loads it, which makes only objects of
known classes. Only where that fails, and only for a trusted file, the pickle is run.
"""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from pickletools import genops
from typing import Any

from streamer.errors import EngineUnavailable, ModelError, UntrustedModel
from streamer.files.hashing import sha256
from streamer.files.scratch import scratch_directory
from streamer.vendors.ultralytics_quiet import quiet_ultralytics

LEGACY = ("models.yolo.", "models.common.", "models.experimental.")
"""Modules of the YOLOv5 repository, which its checkpoints need and no installed package has."""
BEFORE_ZIP = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The first bytes of files that PyTorch saved before its version 1.6: a pickle of its magic number."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network in float32, ready to run. ``unpickled``: loading it ran the file's own code."""

    network: Any
    unpickled: bool


def check_extra(name: str) -> None:
    """Raises EngineUnavailable where PyTorch or Ultralytics is not installed; ``name`` begins the message."""
    if not (find_spec("torch") and find_spec("ultralytics")):
        raise EngineUnavailable(f"{name} needs PyTorch: pip install 'streamer[torch]'")


def untrusted(path: Path) -> UntrustedModel:
    """The error for a .pt that is not trusted."""
    return UntrustedModel(
        f"{path} is a pickle and may run code when it is loaded: add --trust if you know who made it, "
        "or give an ONNX file or an IR, which cannot"
    )


def look_at(path: Path) -> None:
    """Checks which classes the pickle needs, without loading it. Raises ModelError for a file without a network."""
    needed = _classes_in(path)
    if any(name.startswith(LEGACY) for name in needed):
        raise ModelError(
            f"{path.name} is of the YOLOv5 repository, which Ultralytics does not load: "
            "export it to ONNX there (python export.py --weights FILE.pt --include onnx) and give that"
        )
    if not any(name.startswith("ultralytics.") for name in needed):
        raise ModelError(
            f"{path.name} holds no network of Ultralytics': give the .pt that it trained, or an ONNX file"
        )


def load_checkpoint(path: Path, expected_sha256: str) -> Checkpoint:
    """The network in a trusted .pt of Ultralytics'; `streamer.models.find.find_model` decides what is trusted.

    Raises ModelError when it holds no such network, or when its SHA-256 is not the expected one.
    """
    check_extra(path.name)
    look_at(path)
    with scratch_directory() as folder:
        # The checked copy is loaded. For a file called yolov5n.pt Ultralytics would fetch another one.
        copy = folder / "unpickled.pt"
        shutil.copyfile(path, copy)
        if sha256(copy) != expected_sha256:
            raise ModelError(f"{path} has changed since it was checked: start again")
        with quiet_ultralytics():
            return _loaded(copy, path)


def _classes_in(path: Path) -> set[str]:
    """The classes and functions that the pickle names."""
    if _begins_with(path, BEFORE_ZIP):
        raise ModelError(
            f"{path.name} is in the format of PyTorch before 1.6, which no network of Ultralytics' is in: "
            "export it to ONNX with what trained it, the YOLOv5 repository perhaps, and give that"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            files = archive.namelist()
            content = archive.read(next(name for name in files if name.endswith("/data.pkl")))
        needed = {str(name).replace(" ", ".") for code, name, _ in genops(content) if code.name == "GLOBAL"}
    except Exception as error:  # a damaged archive or pickle may raise anything
        raise ModelError(f"{path} is not a whole .pt of PyTorch: fetch it again ({error})") from error
    if any(name.endswith("/constants.pkl") for name in files):
        raise ModelError(f"{path.name} is TorchScript: give the .pt it was exported from, or an ONNX file")
    return needed


def _begins_with(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False  # reading all of it reports why


def _loaded(copy: Path, path: Path) -> Checkpoint:
    """Loads it as Ultralytics does. Its switch for ``weights_only`` would otherwise come from the environment."""
    from ultralytics.nn import tasks

    before, tasks.SAFE_LOAD = tasks.SAFE_LOAD, True
    try:
        return Checkpoint(_end_to_end(tasks.load_checkpoint(copy)[0]), unpickled=False)
    except Exception:  # it needs more than the known classes, or is broken: then the attempt below reports it
        pass
    finally:
        tasks.SAFE_LOAD = before
    try:
        return Checkpoint(_end_to_end(tasks.load_checkpoint(copy)[0]), unpickled=True)
    except Exception as error:  # unpickling runs the file's code, which may raise anything
        raise ModelError(f"{path} is not a model that Ultralytics can load: {_reason(error)}") from error


def _end_to_end(network: Any) -> Any:
    """The network, with its end-to-end head in use if it has one. Ultralytics' default differs between versions."""
    last = network.model[-1]
    if getattr(last, "one2one_cv2", None) is not None:
        last.end2end = True
    return network


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
