"""What a model file says of itself: its shapes, and what its maker wrote into the metadata."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.errors import ModelError
from streamer.models.labels import names_of

DEFAULT_SIZE = (640, 640)
"""The size of a model that takes any and names none: that at which YOLO models are trained."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the metadata tells; None for what it does not. ``size`` is height, width."""

    names: tuple[str, ...] | None = None
    task: str | None = None
    stride: int | None = None
    size: Size | None = None
    end_to_end: bool | None = None
    layer: str | None = None
    """The last layer's class, as newer versions of Ultralytics write it."""
    unreadable: str | None = None
    """The names as they are written, where they cannot be read."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Input size (height, width), output shape, the metadata, and of what sort the file is.

    ``dynamic``: it takes other sizes too. ``quantized``: its weights and activations are. ``answer`` is the raw
    prediction for a black image, of a file that has to be run to know its shapes. ``unpickled``: to load it, its own
    code had to be let run.
    """

    input_size: Size
    output_shape: tuple[int, ...]
    metadata: Metadata
    dynamic: bool = False
    quantized: bool = False
    answer: npt.NDArray[np.float32] | None = None
    unpickled: bool = False


def metadata_of(values: Mapping[Any, Any]) -> Metadata:
    """From keys as Ultralytics writes them; the values may be texts, as in ONNX. What makes no sense is left out."""
    plain = {key: _plain(value) for key, value in values.items() if key != "names"}
    written, names = values.get("names"), names_of(values.get("names"))
    stride, task, end_to_end = plain.get("stride"), plain.get("task"), plain.get("end2end")
    return Metadata(
        names=names,
        task=None if task is None else str(task),
        stride=stride if isinstance(stride, int) and stride > 0 else None,
        size=size_of(plain.get("imgsz")),
        end_to_end=end_to_end if isinstance(end_to_end, bool) else None,
        layer=None if plain.get("head") is None else str(plain["head"]),
        unreadable=str(written) if names is None and written not in (None, "", [], {}) else None,
    )


def size_of(written: Any) -> Size | None:
    """Height and width of an ``imgsz``: one number for both, or the two of them."""
    numbers = [written, written] if isinstance(written, int) else written
    if not isinstance(numbers, (list, tuple)) or len(numbers) != 2:
        return None
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        return None
    return numbers[0], numbers[1]


def check_task(path: Path, metadata: Metadata) -> None:
    """Raises ModelError for a model that says itself that it is no detector."""
    if metadata.task not in ("detect", None):
        raise ModelError(f"{path.name} is not a detector but a model for {metadata.task}: give a detection model")
    if metadata.layer == "RTDETRDecoder":
        raise ModelError(f"{path.name} is an RT-DETR, whose boxes are of another kind: give a YOLO detector")


def check_size(path: Path, size: Size, stride: int | None) -> None:
    """Raises ModelError for a size that a model of any cannot take."""
    if stride is not None and (size[0] % stride or size[1] % stride):
        raise ModelError(f"{path.name} takes no images of {words_of(size)}: give an --imgsz of multiples of {stride}")


def words_of(size: Size) -> str:
    """A size as it is said: width x height."""
    return f"{size[1]}x{size[0]}"


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
