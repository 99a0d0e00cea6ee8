"""From a spec and a model to an engine; vendors are imported only here, when asked for."""

from __future__ import annotations

from importlib.util import find_spec

from streamer.engines.base import Engine
from streamer.engines.spec import EngineSpec, Runtime
from streamer.errors import EngineUnavailable
from streamer.models import Model


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
    from streamer.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(spec, model)


def unavailable(spec: EngineSpec, model: Model) -> str | None:
    """Why the variant cannot run this model on this machine, with the mend; None when it can."""
    if spec.runtime is Runtime.PYTORCH and not (find_spec("torch") and find_spec("ultralytics")):
        return f"{spec.variant} needs PyTorch: pip install 'streamer[torch]'"
    if spec.file and spec.file not in model.files and not (spec.file == "ir" and "onnx" in model.files):
        return (
            f"{spec.variant} needs a .{'xml' if spec.file == 'ir' else spec.file} file and model {model.name} "
            f"has only {', '.join(sorted(path.name for path in model.files.values()))}"
        )
    if spec.runtime is Runtime.OPENVINO:
        from streamer.engines.openvino import device_missing

        return device_missing(spec)
    return None
