"""Exports a model: its ONNX file from its .pt, and its IR from its ONNX file; both are kept in the user's cache."""

from __future__ import annotations

import warnings
from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from streamer.detection.layouts.yolo import RTDETR
from streamer.errors import EngineUnavailable, ModelError, StreamerError
from streamer.models.checkpoint import check_extra, load_checkpoint
from streamer.models.derived import NAMES, find_made, keep
from streamer.models.describe import describe
from streamer.models.files import model_sha256
from streamer.models.model import Model
from streamer.models.openvino_ir import ensure_ir
from streamer.models.quantized_onnx import ir_kind
from streamer.vendors.ultralytics_quiet import quiet_ultralytics

RTDETR_OPSET = 17
"""From opset 20 on, RT-DETR has an interpolation by a name that OpenVINO 2026.4 does not know."""


class Form(StrEnum):
    """A form that a model can be exported to."""

    ONNX = "onnx"
    IR = "ir"


def export(model: Model, form: Form) -> tuple[Path, bool]:
    """The file of the model in ``form``, and whether it was made now.

    Raises ModelError when it cannot be made from the model's files, EngineUnavailable when an extra is missing, and
    EngineError or CacheError as `ensure_ir` does.
    """
    if form in model.files:
        return model.files[form], False
    if "onnx" not in model.files:
        if "pt" not in model.files:
            raise ModelError(
                f"{model.name} is an IR, and no ONNX file can be made of that: give its .onnx or its .pt"
            )
        onnx = _onnx_of(model)
        if form is Form.ONNX:
            return onnx, True
        model = replace(
            model,
            files={**model.files, "onnx": onnx},
            hashes={**model.hashes, "onnx": model_sha256(onnx)},
        )
    there = find_made(ir_kind(model.files["onnx"]), *model.key("onnx"))
    return (there.path, False) if there else (ensure_ir(model), True)


def _onnx_of(model: Model) -> Path:
    """The path of the ONNX file that Ultralytics' own exporter makes, for the model's one size."""
    path = model.files["pt"]
    check_extra(path.name)
    if not find_spec("onnx"):
        raise EngineUnavailable("exporting to ONNX needs the package onnx: pip install 'streamer[torch]'")

    def build(scratch: Path) -> None:
        network = load_checkpoint(path, model.hashes["pt"]).network
        made = scratch / NAMES["onnx"]
        # The exporter writes beside the network's pt_path.
        network.pt_path = str(made.with_suffix(".pt"))
        settings = {
            "mode": "export",
            "format": "onnx",
            "imgsz": list(model.input_size),
            "batch": 1,
            "device": "cpu",
            "simplify": bool(find_spec("onnxslim")),
            # False keeps an end-to-end head, which newer versions would remove.
            "nms": False,
        }
        if type(network.model[-1]).__name__ == RTDETR:
            settings["opset"] = RTDETR_OPSET
        with quiet_ultralytics(), warnings.catch_warnings():
            from ultralytics.engine.exporter import Exporter

            warnings.simplefilter("ignore")
            Exporter(overrides=settings)(model=network)
        found, _ = describe(made, trust=False, names=model.names)
        if (found.head, shapes_of(found)) != (model.head, shapes_of(model)):
            raise ModelError(
                f"the ONNX file that Ultralytics makes of {path.name} puts out {shapes_of(found)}, "
                f"and the .pt {shapes_of(model)}: export it with the version of Ultralytics that trained it"
            )

    try:
        return keep("onnx", *model.key("pt"), build)
    except StreamerError:
        raise
    except Exception as error:  # an exporter runs much foreign code, which may raise anything
        raise ModelError(f"{path.name} cannot be exported to ONNX: {error}") from error


def shapes_of(model: Model) -> str:
    """The shapes of its outputs, as text."""
    return "; ".join(str(list(port.shape)) for port in model.signature.outputs)
