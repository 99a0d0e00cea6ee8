"""The facts of an ONNX file or an IR, read through OpenVINO. Neither runs code."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from streamer.detection.head import Hints
from streamer.detection.heads import head_in_words
from streamer.detection.looks_like import of_one
from streamer.detection.ports import Port, Signature, picture_input
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
from streamer.models.model_info import KEYS as INFO_KEYS
from streamer.models.model_info import ModelInfo, model_info_of
from streamer.models.openvino_inside import CONVERSION_KEYS, by_conversion, by_first_steps, first_steps
from streamer.models.openvino_ports import ports_of, signature_of, size_of_picture
from streamer.models.quantized_onnx import mend_of_quantized

KEYS = ("names", "task", "stride", "imgsz", "end2end", "head", "args", "kpt_shape", "batch")


def openvino_facts(path: Path, kind: str, size: Size | None) -> Facts:
    """The facts of a file of ``kind`` onnx or ir; ``size`` (height, width) is for a model that takes any size.

    Raises ModelError when it is no detector, or takes no pictures of that size.
    """
    from streamer.vendors.openvino_quiet import ov

    try:
        # The format's own front end: Core.read_model also tries TensorFlow's, which writes to standard error.
        front_end = ov.frontend.FrontEndManager().load_by_framework(kind)
        model = front_end.convert(front_end.load(path))
    except Exception as error:  # each front end has errors of its own
        why = f"{first_reason(error)}{mend_of_quantized(path)}"
        raise ModelError(f"{path} is not a model that OpenVINO can read: {why}") from error
    metadata = _metadata(model, path)
    check_task(path, metadata)
    inputs = ports_of(model.inputs, path)
    picture = _picture(path, inputs, model)
    metadata = _with_inside(metadata, model, inputs.index(picture))
    dynamic = any(None in port.shape for port in inputs)
    fixed = size_of_picture(picture)
    if fixed is not None and size is not None and size != fixed:
        raise ModelError(
            f"{path.name} takes only images of {words_of(fixed)}: leave --imgsz out, or export it again "
            f"with imgsz={list(size)}"
        )
    height, width = fixed or size or metadata.size or DEFAULT_SIZE
    if dynamic:
        check_size(path, (height, width), metadata.stride)
    try:
        signature = signature_of(model, path, (height, width))
    except RuntimeError as error:
        raise ModelError(
            f"{path.name} does not take images of {words_of((height, width))}: import it with another --imgsz "
            f"({first_reason(error)})"
        ) from error
    return Facts(
        signature=signature,
        metadata=metadata,
        dynamic=dynamic,
        quantized=any(node.get_type_name() == "FakeQuantize" for node in model.get_ops()),
    )


def _picture(path: Path, inputs: tuple[Port, ...], model: Any) -> Port:
    """The input for the picture. Raises ModelError where there is none, and for a batch of more than one."""
    try:
        port = inputs[picture_input(inputs)]
    except ModelError as error:
        raise ModelError(f"{path.name} {error}") from error
    if len(port.shape) == 4 and port.shape[0] not in (1, None):
        size = size_of_picture(port)
        outputs = () if size is None else ports_of(model.outputs, path)
        head = None if size is None else head_in_words(of_one(Signature(inputs, outputs, size)), Hints())
        raise ModelError(
            f"{path.name} takes {port.shape[0]} images at a time: export it again with batch=1"
            + ("" if head is None else f"; its head is {head}")
        )
    return port


def first_reason(error: Exception) -> str:
    """The last line with a word in a vendor's message; those before it are places in the vendor's source."""
    lines = [line.strip() for line in str(error).splitlines() if any(c.isalnum() for c in line)]
    return lines[-1] if lines else type(error).__name__


def _metadata(model: Any, path: Path) -> Metadata:
    """The file's metadata; what it lacks comes from the metadata.yaml that Ultralytics puts beside its exports."""
    own = metadata_of({key: _value(model, "framework", key) for key in KEYS})
    info = model_info_of(_model_info(model))
    beside = _metadata_beside(path)
    if own.names is None:
        own = replace(own, names=_info_names(info, beside))
    if own.names is not None and beside.names is not None and len(own.names) != len(beside.names):
        beside = Metadata()  # of another model in the same folder
    own = replace(
        own,
        family=info.family,
        nms_inside=own.nms_inside if info.nms_inside is None else info.nms_inside,
        size=info.size or own.size,
        confidence=info.confidence,
        iou=info.iou,
        unclear=info.unclear,
    )
    by_maker = {**info.left_out, **beside.input, **own.input, **info.declared}
    return replace(_filled(own, beside), input=by_maker)


def _filled(own: Metadata, beside: Metadata) -> Metadata:
    """``own``, with the values of ``beside`` where it has none."""
    open_ = [one.name for one in fields(Metadata) if getattr(own, one.name) in (None, {})]
    return replace(own, **{name: getattr(beside, name) for name in open_})


def _info_names(info: ModelInfo, beside: Metadata) -> tuple[str, ...] | None:
    """The labels. An IR of Ultralytics' has underscores for spaces; the names ``beside`` it may have the spaces."""
    if info.names is not None or not info.words:
        return info.names
    if beside.names is not None and tuple("_".join(name.split()) for name in beside.names) == info.words:
        return beside.names
    return tuple(word.replace("_", " ") for word in info.words)


def _model_info(model: Any) -> dict[str, str]:
    """The section ``model_info`` of an IR, or of an ONNX file, where Model API writes keys of two words."""
    found = {}
    for key in INFO_KEYS:
        value = _value(model, "model_info", key)
        value = _value(model, "framework", f"model_info {key}") if value is None else value
        if value is not None:
            found[key] = value
    return found


def _with_inside(metadata: Metadata, model: Any, picture: int) -> Metadata:
    """The metadata, with the preprocessing that is inside the model."""
    steps = first_steps(model.inputs[picture])
    written = {key: _value(model, "conversion_parameters", key) for key in CONVERSION_KEYS}
    converted = by_conversion({key: value for key, value in written.items() if value is not None})
    return replace(metadata, input={**converted, **metadata.input, **by_first_steps(steps)}, swapped=steps.swaps)


def _value(model: Any, *keys: str) -> str | None:
    """A value of the runtime information, in which OpenVINO also keeps an ONNX file's metadata; None for none."""
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
