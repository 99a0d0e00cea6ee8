"""What a model file says of itself: shapes, names and task, read through the runtime that knows its format."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import EngineUnavailable, ModelError


@dataclass(frozen=True, slots=True)
class Facts:
    """Input size (height, width), output shape, and what the metadata tells; None for what it does not."""

    input_size: tuple[int, int]
    output_shape: tuple[int, ...]
    names: tuple[str, ...] | None
    task: str | None


def facts_of(path: Path, kind: str) -> Facts:
    """The facts of a model file of ``kind`` pt, onnx or ir. Raises ModelError when it cannot be a detector."""
    return _facts_of_pt(path) if kind == "pt" else _facts_of_openvino(path, kind)


def _facts_of_openvino(path: Path, kind: str) -> Facts:
    from streamer.openvino_quiet import ov

    try:
        # The format's own front end: Core.read_model also asks TensorFlow's, which writes to standard error.
        front_end = ov.frontend.FrontEndManager().load_by_framework(kind)
        model = front_end.convert(front_end.load(path))
    except Exception as error:  # each front end has errors of its own
        raise ModelError(f"{path} is not a model that OpenVINO can read: {_first_reason(error)}") from error
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"{path.name} is not a detector that streamer knows: it has {len(model.inputs)} inputs and "
            f"{len(model.outputs)} outputs, a detector has one of each"
        )
    shape, output = model.input(0).partial_shape, model.output(0).partial_shape
    if shape.is_dynamic or output.is_dynamic:
        raise ModelError(f"{path.name} has an input of no fixed size ({shape}): export it with a fixed one")
    sizes = [int(n) for n in shape.to_shape()]
    if len(sizes) != 4 or sizes[:2] != [1, 3]:
        raise ModelError(f"{path.name} takes no images: its input is {sizes}, a detector's is 1 x 3 x height x width")
    return Facts((sizes[2], sizes[3]), tuple(int(n) for n in output.to_shape()), _names(model), _text(model, "task"))


def _text(model: Any, key: str) -> str | None:
    """A value of the metadata that OpenVINO keeps of an ONNX file."""
    return str(model.get_rt_info(["framework", key]).value) if model.has_rt_info(["framework", key]) else None


def _names(model: Any) -> tuple[str, ...] | None:
    """Ultralytics writes a dictionary into ONNX; its IR has one string, spaces inside names as underscores."""
    written = _text(model, "names")
    if written is not None:
        return _names_of(written)
    if model.has_rt_info(["model_info", "labels"]):
        text = str(model.get_rt_info(["model_info", "labels"]).value)
        return tuple(name.replace("_", " ") for name in text.split())
    return None


def _names_of(written: str) -> tuple[str, ...] | None:
    try:
        names = ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return None
    if isinstance(names, dict):
        names = [names[key] for key in sorted(names)]
    return tuple(str(name) for name in names)


def _facts_of_pt(path: Path) -> Facts:
    from importlib.util import find_spec

    if not (find_spec("torch") and find_spec("ultralytics")):
        raise EngineUnavailable(f"{path.name} needs PyTorch: pip install 'streamer[torch]'")
    from streamer.ultralytics_quiet import quiet_ultralytics

    try:
        with quiet_ultralytics() as ultralytics:
            loaded = ultralytics.YOLO(path)
    except Exception as error:  # unpickling runs code of others, which may raise anything
        raise ModelError(f"{path} is not a model that Ultralytics can load: {error}") from error
    network = loaded.model
    size = network.args.get("imgsz", 640)
    height, width = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    return Facts((height, width), _output_shape(network, height, width), tuple(loaded.names.values()), loaded.task)


def _output_shape(network: Any, height: int, width: int) -> tuple[int, ...]:
    import torch

    with torch.inference_mode():
        prediction = network.float().eval()(torch.zeros(1, 3, height, width))
    while isinstance(prediction, (tuple, list)):
        prediction = prediction[0]
    return tuple(prediction.shape)


def _first_reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if any(c.isalnum() for c in line)]
    return lines[-1] if lines else type(error).__name__
