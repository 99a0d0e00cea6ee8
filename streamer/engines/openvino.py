"""Engines that OpenVINO runs: ONNX and IR, on CPU, GPU or AUTO."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from streamer.engines.base import Tensor
from streamer.engines.ir import ensure_ir
from streamer.engines.spec import USABLE_CORES, EngineSpec
from streamer.errors import EngineError, UsageError
from streamer.machine import usable_cores
from streamer.models import Model
from streamer.openvino_quiet import ov

RECORDED = (
    "PERFORMANCE_HINT",
    "INFERENCE_PRECISION_HINT",
    "INFERENCE_NUM_THREADS",
    "NUM_STREAMS",
    "ENABLE_CPU_PINNING",
    "EXECUTION_MODE_HINT",
)
"""What is read back of the configuration in force."""


CORE_PROPERTIES = ("CACHE_DIR", "CACHE_MODE", "ENABLE_MMAP")
"""Properties that OpenVINO's core takes for every device, and that no device lists."""


class CopiedRequest:
    """An inference whose input OpenVINO copies in.

    Asked for explicitly: since 2023 OpenVINO's Python call shares inputs by default, so that a variant which leaves
    it to the default would measure nothing.
    """

    def __init__(self, request: ov.InferRequest, shape: tuple[int, ...]) -> None:
        self.input: Tensor = np.zeros(shape, np.float32)
        self._request = request

    def infer(self) -> Tensor:
        self._request.infer([self.input], share_inputs=False, share_outputs=True)
        return output(self._request)


class SharedRequest:
    """An inference whose input is the tensor's own memory."""

    def __init__(self, request: ov.InferRequest, shape: tuple[int, ...]) -> None:
        tensor = ov.Tensor(ov.Type.f32, ov.Shape(list(shape)))
        request.set_input_tensor(tensor)
        self.input: Tensor = tensor.data
        self.input[:] = 0
        self._request = request

    def infer(self) -> Tensor:
        self._request.infer()
        return output(self._request)


def output(request: ov.InferRequest) -> Tensor:
    """The first output as a view: copying 6 MB out of a v5 head would cost a millisecond, in every variant."""
    data: Tensor = request.get_output_tensor(0).data
    return data


class OpenVinoEngine:
    """Keeps the contract of Engine."""

    def __init__(self, spec: EngineSpec, model: Model) -> None:
        self._spec = spec
        self._model = model
        self._core = ov.Core()
        _check_properties(self._core, spec)
        self._read: ov.Model | None = None
        self._compiled: ov.CompiledModel | None = None
        self.requests: tuple[CopiedRequest | SharedRequest, ...] = ()

    @property
    def execution_devices(self) -> tuple[str, ...]:
        devices: Any = self._live().get_property("EXECUTION_DEVICES")
        return (devices,) if isinstance(devices, str) else tuple(devices)

    @property
    def config_in_force(self) -> Mapping[str, str]:
        return _in_force(self._live())

    def _live(self) -> ov.CompiledModel:
        if self._compiled is None:
            raise EngineError(f"engine {self._spec.variant} is not compiled")
        return self._compiled

    def read(self) -> None:
        path = ensure_ir(self._model) if self._spec.file == "ir" else self._model.files[self._spec.file]
        try:
            self._read = self._core.read_model(path)
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot read {path.name}: {error}") from error

    def compile(self) -> None:
        try:
            self._compiled = self._core.compile_model(self._read, self._spec.device, self._config())
            request = self._compiled.create_infer_request()
        except (RuntimeError, TypeError) as error:
            kind = UsageError if "Wrong value" in str(error) else EngineError
            raise kind(f"OpenVINO cannot compile {self._spec.spec}: {_reason(error)}") from error
        shape = (1, 3, *self._model.input_size)
        self.requests = (SharedRequest(request, shape) if self._spec.shared else CopiedRequest(request, shape),)
        # The weights are in the compiled model now.
        self._read = None

    def close(self) -> None:
        self.requests = ()
        self._compiled = None

    def _config(self) -> dict[str, str]:
        return {key: str(usable_cores()) if value == USABLE_CORES else value for key, value in self._spec.config}


def devices() -> dict[str, str]:
    """OpenVINO's devices here, with their full names."""
    core = ov.Core()
    return {name: str(core.get_property(name, "FULL_DEVICE_NAME")) for name in core.available_devices}


def device_missing(spec: EngineSpec) -> str | None:
    """Why the variant's device cannot be used here; None when it can."""
    found = devices()
    if spec.device in {"AUTO", *(name.partition(".")[0] for name in found)}:
        return None
    known = ", ".join(f"{name} ({full})" for name, full in found.items())
    return f"{spec.variant} needs a {spec.device}; OpenVINO finds here: {known}; use ir-auto-shared or ir instead"


def _check_properties(core: ov.Core, spec: EngineSpec) -> None:
    """Raises UsageError for a property that does not exist: AUTO would pass over it in silence."""
    known = set(CORE_PROPERTIES)
    for device in {spec.device, "CPU"} if spec.device == "AUTO" else {spec.device}:
        supported: Any = core.get_property(device, "SUPPORTED_PROPERTIES")
        known |= {name for name, access in supported.items() if access != "RO"}
    for key, _ in spec.config:
        if key not in known:
            near = ", ".join(difflib.get_close_matches(key, sorted(known)) or RECORDED)
            raise UsageError(
                f"engine {spec.spec}: OpenVINO has no property {key} for {spec.device}; among those it has: {near}"
            )


def _reason(error: Exception) -> str:
    """The last line of OpenVINO's message that says something: those before it are places in its own source."""
    lines = [line.strip() for line in str(error).splitlines() if any(c.isalnum() for c in line)]
    return lines[-1] if lines else type(error).__name__


def _in_force(compiled: ov.CompiledModel) -> dict[str, str]:
    supported: Any = compiled.get_property("SUPPORTED_PROPERTIES")
    found: dict[str, Any] = {}
    if "DEVICE_PROPERTIES" in supported:
        # AUTO keeps each device's own configuration one level down.
        per_device: Any = compiled.get_property("DEVICE_PROPERTIES")
        for properties in per_device.values():
            found.update(properties)
    found.update({key: compiled.get_property(key) for key in RECORDED if key in supported})
    return {key: _plain(found[key]) for key in RECORDED if key in found}


def _plain(value: Any) -> str:
    """A property's value in words: <Type: 'bfloat16'> is bf16, PerformanceMode.LATENCY is LATENCY."""
    if isinstance(value, ov.Type):
        name = str(value.get_type_name())
        return {"bfloat16": "bf16", "float32": "f32", "float16": "f16"}.get(name, name)
    text = str(value)
    return text.rpartition(".")[2] if text.count(".") == 1 and not text[0].isdigit() else text
