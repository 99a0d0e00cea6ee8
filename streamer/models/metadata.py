"""What a model file says of itself: its shapes, and what its maker wrote into the metadata."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from streamer.detection.head import Array, Hints
from streamer.detection.input_spec import InputSpec
from streamer.detection.ports import Signature
from streamer.errors import ModelError
from streamer.models.input_choice import Declared, all_declared
from streamer.models.labels import names_of

DEFAULT_SIZE = (640, 640)
"""The size of a model that takes any and names none: that at which YOLO models are trained."""

ULTRALYTICS = "Ultralytics' metadata"
TASKS = ("detect", "segment", "pose")
"""Those of which the boxes are used."""

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
    family: str | None = None
    """``model_type`` of OpenVINO's ``model_info``, in small letters."""
    nms_inside: bool | None = None
    keypoints: int | None = None
    batch: int | None = None
    """How many pictures go in at a time."""
    input: Declared = field(default_factory=dict)
    """What it says of preprocessing."""
    unclear: Mapping[str, str] = field(default_factory=dict)
    """What it asks for of preprocessing and streamer does not know, by the part of `InputSpec`."""
    swapped: bool = False
    """The graph swaps the colours by itself."""
    confidence: float | None = None
    iou: float | None = None
    """The thresholds that its maker asks for."""

    def hints(self, classes: int | None) -> Hints:
        """What it says of the head; ``classes`` is the number of names."""
        return Hints(
            classes=classes,
            task=self.task,
            end_to_end=self.end_to_end,
            layer=self.layer,
            family=self.family,
            nms_inside=self.nms_inside,
            keypoints=self.keypoints,
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """Inputs and outputs, the metadata, and of what sort the file is.

    ``dynamic``: it takes other sizes too. ``quantized``: its weights and activations are. ``answer`` are the outputs
    for a black image, of a file that has to be run to know its shapes. ``unpickled``: to load it, its own code had to
    be let run.
    """

    signature: Signature
    metadata: Metadata
    dynamic: bool = False
    quantized: bool = False
    answer: Sequence[Array] | None = None
    unpickled: bool = False


def metadata_of(values: Mapping[Any, Any]) -> Metadata:
    """From keys as Ultralytics writes them; the values may be texts, as in ONNX. What makes no sense is left out."""
    plain = {key: _plain(value) for key, value in values.items() if key != "names"}
    written, names = values.get("names"), names_of(values.get("names"))
    stride, task, end_to_end = plain.get("stride"), plain.get("task"), plain.get("end2end")
    args, keypoints = plain.get("args"), plain.get("kpt_shape")
    ultralytics = task is not None and stride is not None
    return Metadata(
        nms_inside=bool(args.get("nms")) if isinstance(args, dict) else None,
        keypoints=prod(keypoints) if isinstance(keypoints, (list, tuple)) and len(keypoints) == 2 else None,
        input=all_declared(ULTRALYTICS, InputSpec()) if ultralytics else {},
        batch=plain["batch"] if isinstance(plain.get("batch"), int) else None,
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
    if metadata.task not in (*TASKS, None):
        raise ModelError(f"{path.name} is not a detector but a model for {metadata.task}: give a detection model")


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
