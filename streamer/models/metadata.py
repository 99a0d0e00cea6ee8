"""The facts of a model file: its inputs and outputs, and its maker's metadata."""

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
"""The size of a model that takes any size and names none: the one at which YOLO models are trained."""

ULTRALYTICS = "Ultralytics' metadata"
TASKS = ("detect", "segment", "pose")
"""The tasks of models whose boxes streamer uses."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Metadata:
    """The values of the metadata; None or empty where it has none. ``size`` is height, width."""

    names: tuple[str, ...] | None = None
    task: str | None = None
    stride: int | None = None
    size: Size | None = None
    end_to_end: bool | None = None
    layer: str | None = None
    """The class of the last layer, which newer versions of Ultralytics write."""
    unreadable: str | None = None
    """The text of the names, where it cannot be parsed."""
    family: str | None = None
    """``model_type`` of OpenVINO's ``model_info``, in small letters."""
    nms_inside: bool | None = None
    keypoints: int | None = None
    batch: int | None = None
    """The batch size."""
    input: Declared = field(default_factory=dict)
    """The parts of preprocessing that it declares."""
    unclear: Mapping[str, str] = field(default_factory=dict)
    """Sentences about requests of its preprocessing that streamer does not know, by the part of `InputSpec`."""
    swapped: bool = False
    """The graph swaps the colours itself."""
    confidence: float | None = None
    iou: float | None = None
    """The thresholds that its maker sets."""

    def hints(self, classes: int | None) -> Hints:
        """The metadata about the head; ``classes`` is the number of names."""
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
    """The inputs and outputs of a model file, its metadata, and its properties.

    ``dynamic``: it takes other sizes too. ``quantized``: its weights and activations are quantized. ``answer`` has
    the outputs for a black image, for a file that is run to know its shapes. ``unpickled``: loading it ran its own
    code.
    """

    signature: Signature
    metadata: Metadata
    dynamic: bool = False
    quantized: bool = False
    answer: Sequence[Array] | None = None
    unpickled: bool = False


def metadata_of(values: Mapping[Any, Any]) -> Metadata:
    """The metadata from Ultralytics' keys. The values may be texts, as in ONNX; invalid ones are left out."""
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
    """Height and width of an ``imgsz``: one number for both, or the two of them. None for anything else."""
    numbers = [written, written] if isinstance(written, int) else written
    if not isinstance(numbers, (list, tuple)) or len(numbers) != 2:
        return None
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        return None
    return numbers[0], numbers[1]


def check_task(path: Path, metadata: Metadata) -> None:
    """Raises ModelError for a model whose metadata names another task than detection."""
    if metadata.task not in (*TASKS, None):
        raise ModelError(f"{path.name} is not a detector but a model for {metadata.task}: give a detection model")


def check_size(path: Path, size: Size, stride: int | None) -> None:
    """Raises ModelError for a size (height, width) that the stride does not divide."""
    if stride is not None and (size[0] % stride or size[1] % stride):
        raise ModelError(f"{path.name} takes no images of {words_of(size)}: give an --imgsz of multiples of {stride}")


def words_of(size: Size) -> str:
    """A size (height, width) as text: width x height."""
    return f"{size[1]}x{size[0]}"


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
