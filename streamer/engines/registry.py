"""Makes an engine from a spec and a model. Runtimes are imported only here, when an engine needs them."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from streamer.engines.base import Engine
from streamer.engines.variants import RUNTIMES, EngineSpec, Runtime
from streamer.errors import EngineUnavailable
from streamer.files.cache import cache_dir
from streamer.models.model import Model


def open_engine(spec: EngineSpec, model: Model) -> Engine:
    """The engine, neither read nor compiled. Raises EngineUnavailable when it cannot run here."""
    why = unavailable(spec, model)
    if why:
        raise EngineUnavailable(why)
    engine: Engine = getattr(_module_of(spec.runtime), RUNTIMES[spec.runtime].engine)(spec, model)
    return engine


def unavailable(spec: EngineSpec, model: Model) -> str | None:
    """The reason why the variant cannot run this model on this machine, with the mend; None when it can."""
    return _lacks_runtime(spec) or _lacks_file(spec, model) or _lacks_device(spec)


def _lacks_runtime(spec: EngineSpec) -> str | None:
    extra = RUNTIMES[spec.runtime].extra
    if extra is not None and not all(map(find_spec, extra.modules)):
        return f"{spec.variant} needs {extra.title}: pip install 'streamer[{extra.name}]'"
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
    if not RUNTIMES[spec.runtime].devices:
        return None
    missing: str | None = _module_of(spec.runtime).device_missing(spec)
    return missing


def _module_of(runtime: Runtime) -> ModuleType:
    return import_module(f"streamer.engines.{RUNTIMES[runtime].module}")
