"""From a spec and a model to an engine; vendors are imported only here, when asked for."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

from streamer.engines.base import Engine
from streamer.engines.variants import EngineSpec, Runtime
from streamer.errors import EngineUnavailable
from streamer.files.cache import cache_dir
from streamer.models.model import Model


def open_engine(spec: EngineSpec, model: Model) -> Engine:
    """The engine, not yet read or compiled. Raises EngineUnavailable when it cannot run here."""
    why = unavailable(spec, model)
    if why:
        raise EngineUnavailable(why)
    if spec.runtime is Runtime.NULL:
        from streamer.engines.null import NullEngine

        return NullEngine(spec, model)
    if spec.runtime is Runtime.PYTORCH:
        from streamer.engines.pytorch import PyTorchEngine

        return PyTorchEngine(spec, model)
    if spec.runtime is Runtime.ONNXRUNTIME:
        from streamer.engines.onnxruntime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(spec, model)
    from streamer.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(spec, model)


def unavailable(spec: EngineSpec, model: Model) -> str | None:
    """Why the variant cannot run this model on this machine, with the mend; None when it can."""
    return _lacks_runtime(spec) or _lacks_file(spec, model) or _lacks_device(spec)


def _lacks_runtime(spec: EngineSpec) -> str | None:
    if spec.runtime is Runtime.PYTORCH and not (find_spec("torch") and find_spec("ultralytics")):
        return f"{spec.variant} needs PyTorch: pip install 'streamer[torch]'"
    if spec.runtime is Runtime.ONNXRUNTIME and not find_spec("onnxruntime"):
        return f"{spec.variant} needs ONNX Runtime: pip install 'streamer[onnxruntime]'"
    return None


def _lacks_file(spec: EngineSpec, model: Model) -> str | None:
    if not spec.file or spec.file in model.files or (spec.file == "ir" and "onnx" in model.files):
        return None
    named = model.name if model.bundled or model.path.is_relative_to(cache_dir()) else model.path
    if spec.file == "int8":
        return f"{spec.variant} needs a quantized model: streamer models quantize {named} --with VIDEO makes one"
    kind = {"ir": ".xml", "onnx": ".onnx", "pt": ".pt"}[spec.file]
    has = ", ".join(sorted({path.name for path in model.files.values()}))
    can_be_made = "pt" in model.files and spec.file in ("onnx", "ir")
    mend = f": streamer models export {named} --to {spec.file} makes one" if can_be_made else ""
    return f"{spec.variant} needs a {kind} file and model {model.name} has only {has}{mend}"


def _lacks_device(spec: EngineSpec) -> str | None:
    if spec.compiled and not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++")):
        return f"{spec.variant} needs a C++ compiler: install g++, or use pytorch"
    if spec.runtime is Runtime.OPENVINO:
        from streamer.engines.openvino import device_missing

        return device_missing(spec)
    return None
