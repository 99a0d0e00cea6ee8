"""Makes the OpenVINO IR of an ONNX file on first use, and keeps it in the user's cache."""

from __future__ import annotations

from pathlib import Path

from streamer.detection.ports import Signature
from streamer.errors import EngineError, EngineUnavailable
from streamer.files.cache import kept_or_temporary
from streamer.models.derived import NAMES, find_made, keep
from streamer.models.model import Model
from streamer.models.quantized_onnx import EXACT_IR, ir_kind
from streamer.vendors.openvino_quiet import core, ov


def ensure_ir(model: Model) -> Path:
    """The path of the model's IR: its own, or one made from its ONNX file and kept under the file's hash.

    A made IR has FP16 weights, but keeps the numbers of a quantized file. A model of any size is fixed to
    ``model.input_size``. Raises EngineUnavailable when the model has neither file, EngineError when the conversion
    fails, CacheError when there is no room for the IR.
    """
    if "ir" in model.files:
        return model.files["ir"]
    if "onnx" not in model.files:
        raise EngineUnavailable(
            f"model {model.name} has no ONNX or IR file: streamer models export {model.path} --to onnx makes one"
        )
    source, size = model.key("onnx")
    onnx = model.files["onnx"]
    kind = ir_kind(onnx)
    if made := find_made(kind, source, size):
        return made.path

    def build(scratch: Path) -> None:
        # read_model and save_model: convert_model would start telemetry.
        read = core().read_model(onnx)
        at_fixed_size(read, model.signature)
        ov.save_model(read, scratch / NAMES[kind], compress_to_fp16=kind != EXACT_IR)

    try:
        return keep(kind, source, size, build, for_this_run=True)
    except (OSError, RuntimeError) as error:
        raise EngineError(f"cannot make the IR of {onnx.name} in {kept_or_temporary()}: {error}") from error


def at_fixed_size(read: ov.Model, signature: Signature) -> None:
    """Fixes a model that takes any size to that of its ``signature``, in place. Raises OpenVINO's RuntimeError."""
    if any(port.get_partial_shape().is_dynamic for port in read.inputs):
        read.reshape({at: list(port.shape) for at, port in enumerate(signature.inputs)})
