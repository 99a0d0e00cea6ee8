"""The facts of an ONNX file or an IR, read through OpenVINO. Neither runs code."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamer.errors import ModelError
from streamer.models.labels import read_yaml
from streamer.models.metadata import (
    DEFAULT_SIZE,
    Facts,
    Metadata,
    Size,
    check_size,
    check_task,
    metadata_of,
    words_of,
)

KEYS = ("names", "task", "stride", "imgsz", "end2end", "head")


def openvino_facts(path: Path, kind: str, size: Size | None) -> Facts:
    """The facts of a file of ``kind`` onnx or ir, one of any size at ``size``. Raises ModelError for no detector."""
    from streamer.vendors.openvino_quiet import ov

    try:
        # The format's own front end: Core.read_model also asks TensorFlow's, which writes to standard error.
        front_end = ov.frontend.FrontEndManager().load_by_framework(kind)
        model = front_end.convert(front_end.load(path))
    except Exception as error:  # each front end has errors of its own
        raise ModelError(f"{path} is not a model that OpenVINO can read: {first_reason(error)}") from error
    metadata = _metadata(model, path)
    check_task(path, metadata)
    _check_ports(path, model)
    dynamic = bool(model.is_dynamic())
    fixed = _size_of_input(path, model)
    if fixed is not None and size is not None and size != fixed:
        raise ModelError(
            f"{path.name} takes only images of {words_of(fixed)}: leave --imgsz out, or export it again "
            f"with imgsz={list(size)}"
        )
    height, width = fixed or size or metadata.size or DEFAULT_SIZE
    if dynamic:
        check_size(path, (height, width), metadata.stride)
        try:
            model.reshape([1, 3, height, width])
        except RuntimeError as error:
            raise ModelError(
                f"{path.name} does not take images of {words_of((height, width))}: import it with another --imgsz "
                f"({first_reason(error)})"
            ) from error
    output = model.output(0).partial_shape
    if output.is_dynamic:
        raise ModelError(f"{path.name} has an output of no fixed size ({output}): export it without NMS")
    return Facts(
        input_size=(height, width),
        output_shape=tuple(int(n) for n in output.to_shape()),
        metadata=metadata,
        dynamic=dynamic,
        quantized=any(node.get_type_name() == "FakeQuantize" for node in model.get_ops()),
    )


def first_reason(error: Exception) -> str:
    """The last line of a vendor's message that says something: those before it are places in its own source."""
    lines = [line.strip() for line in str(error).splitlines() if any(c.isalnum() for c in line)]
    return lines[-1] if lines else type(error).__name__


def _check_ports(path: Path, model: Any) -> None:
    """One picture in, one prediction out, both in float32. Raises ModelError."""
    inputs, outputs = len(model.inputs), len(model.outputs)
    if inputs == 1 and outputs == 2 and model.output(1).partial_shape.rank == 4:
        raise ModelError(f"{path.name} is not a detector but a model for segmentation: give a detection model")
    if (inputs, outputs) != (1, 1):
        raise ModelError(
            f"{path.name} is not a detector that streamer knows: it has {inputs} inputs and {outputs} outputs, "
            "a detector has one of each"
        )
    shape = model.input(0).partial_shape
    if shape.rank != 4 or _number(shape[1]) not in (3, None):
        raise ModelError(f"{path.name} takes no images: its input is {shape}, a detector's is 1 x 3 x height x width")
    if _number(shape[0]) not in (1, None):
        raise ModelError(f"{path.name} takes {shape[0]} images at a time: export it again with batch=1")
    if model.output(0).partial_shape.rank == 2:
        raise ModelError(
            f"{path.name} is not a detector that streamer knows but a classifier: give a detection model"
        )
    for port in (model.input(0), model.output(0)):
        if port.get_element_type().get_type_name() != "f32":
            raise ModelError(
                f"{path.name} has {port.get_element_type().get_type_name()} where streamer gives or takes float32: "
                "export it again without half=True"
            )


def _size_of_input(path: Path, model: Any) -> Size | None:
    """Height and width; None when either is open."""
    height, width = (_number(model.input(0).partial_shape[axis]) for axis in (2, 3))
    return None if height is None or width is None else (height, width)


def _number(dimension: Any) -> int | None:
    return None if dimension.is_dynamic else int(dimension.get_length())


def _metadata(model: Any, path: Path) -> Metadata:
    """The file's own; what it leaves open is in the metadata.yaml that Ultralytics puts beside its exports."""
    own = metadata_of({key: _value(model, "framework", key) for key in KEYS})
    words = str(_value(model, "model_info", "labels") or "").split()
    beside = _metadata_beside(path)
    if own.names is None and words:
        # An IR of Ultralytics' has its labels in one string, spaces as underscores: the file beside may know better.
        same = beside.names is not None and ["_".join(name.split()) for name in beside.names] == words
        own = replace(own, names=beside.names if same else tuple(word.replace("_", " ") for word in words))
    if own.names is not None and beside.names is not None and len(own.names) != len(beside.names):
        return own  # of another model in the same folder
    return Metadata(
        names=own.names or beside.names,
        task=own.task or beside.task,
        stride=own.stride or beside.stride,
        size=own.size or beside.size,
        end_to_end=beside.end_to_end if own.end_to_end is None else own.end_to_end,
        layer=own.layer or beside.layer,
        unreadable=own.unreadable or beside.unreadable,
    )


def _value(model: Any, *keys: str) -> str | None:
    """A value of the runtime information, where OpenVINO also keeps an ONNX file's metadata."""
    return str(model.get_rt_info(list(keys)).value) if model.has_rt_info(list(keys)) else None


def _metadata_beside(path: Path) -> Metadata:
    try:
        text = (path.parent / "metadata.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return Metadata()
    document = read_yaml(text)
    if not document and re.search(r"^names\b", text, re.MULTILINE):
        return Metadata(unreadable=text)
    return metadata_of(document)
