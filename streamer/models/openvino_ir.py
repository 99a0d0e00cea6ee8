"""OpenVINO IR made from an ONNX file on first use, and kept in the user's cache."""

from __future__ import annotations

from pathlib import Path

from streamer.errors import EngineError, EngineUnavailable
from streamer.files.cache import kept_or_temporary
from streamer.models.derived import NAMES, find_made, keep
from streamer.models.model import Model
from streamer.vendors.openvino_quiet import ov


def ensure_ir(model: Model) -> Path:
    """The model's IR: its own, or one made from its ONNX file with FP16 weights and kept under the file's hash.

    A model of any size is made for the one that it is to run at. Raises EngineUnavailable when the model has neither
    file, EngineError when the conversion fails, CacheError when there is no place for the IR.
    """
    if "ir" in model.files:
        return model.files["ir"]
    if "onnx" not in model.files:
        raise EngineUnavailable(
            f"model {model.name} has no ONNX or IR file: streamer models export {model.path} --to onnx makes one"
        )
    source, size = model.key("onnx")
    if made := find_made("ir", source, size):
        return made.path
    onnx = model.files["onnx"]

    def build(scratch: Path) -> None:
        # read_model and save_model: convert_model would start telemetry.
        read = ov.Core().read_model(onnx)
        if read.is_dynamic():
            read.reshape([1, 3, *model.input_size])
        ov.save_model(read, scratch / NAMES["ir"], compress_to_fp16=True)

    try:
        return keep("ir", source, size, build, for_this_run=True)
    except (OSError, RuntimeError) as error:
        raise EngineError(f"cannot make the IR of {onnx.name} in {kept_or_temporary()}: {error}") from error
