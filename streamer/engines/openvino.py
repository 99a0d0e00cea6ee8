"""The engine that runs ONNX and IR, plain or quantized, in OpenVINO, on CPU, GPU, NPU or AUTO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streamer.detection.head import Outputs
from streamer.detection.preprocess import Preprocessing
from streamer.engines.base import Input, gray_input
from streamer.engines.openvino_preprocess import with_preprocessing
from streamer.engines.openvino_properties import check_properties, effective, is_wrong_value, reason_of, right_values
from streamer.engines.variants import USABLE_CORES, EngineSpec
from streamer.errors import EngineError, UsageError
from streamer.machine.info import usable_cores
from streamer.models.model import Model
from streamer.models.openvino_ir import at_fixed_size, ensure_ir
from streamer.models.quantized_onnx import mend_of_quantized
from streamer.vendors.openvino_quiet import core, ov


class CopiedRequest:
    """An inference whose input OpenVINO copies.

    The copy is requested explicitly: since 2023 OpenVINO's Python call shares inputs by default, and a variant with
    the default would measure no copy.
    """

    def __init__(self, request: ov.InferRequest, picture: int, gray: Input) -> None:
        self.input = gray
        self._request = request
        self._picture = picture

    def infer(self) -> Outputs:
        self._request.infer({self._picture: self.input}, share_inputs=False, share_outputs=True)
        return outputs(self._request)


class SharedRequest:
    """An inference whose input array is the tensor's own memory."""

    def __init__(self, request: ov.InferRequest, picture: int, gray: Input) -> None:
        tensor = ov.Tensor(ov.Type(gray.dtype), ov.Shape(list(gray.shape)))
        request.set_input_tensor(picture, tensor)
        self.input: Input = tensor.data
        self.input[:] = gray
        self._request = request

    def infer(self) -> Outputs:
        self._request.infer()
        return outputs(self._request)


def outputs(request: ov.InferRequest) -> Outputs:
    """The outputs as views. Copying the 6 MB of a YOLOv5 head would cost a millisecond in every variant."""
    return [tensor.data for tensor in request.output_tensors]


class OpenVinoEngine:
    """Implements `Engine`. Raises UsageError for a property that OpenVINO does not take."""

    def __init__(self, spec: EngineSpec, model: Model) -> None:
        self._spec = spec
        self._model = model
        self._core = core()
        check_properties(self._core, spec)
        self._read: ov.Model | None = None
        self._compiled: ov.CompiledModel | None = None
        self.requests: tuple[CopiedRequest | SharedRequest, ...] = ()

    @property
    def execution_devices(self) -> tuple[str, ...]:
        devices: Any = self._live().get_property("EXECUTION_DEVICES")
        return (devices,) if isinstance(devices, str) else tuple(devices)

    @property
    def config_in_force(self) -> Mapping[str, str]:
        return effective(self._live())

    def _live(self) -> ov.CompiledModel:
        if self._compiled is None:
            raise EngineError(f"engine {self._spec.variant} is not compiled")
        return self._compiled

    def read(self) -> None:
        path = self._file()
        try:
            read = self._core.read_model(path)
            at_fixed_size(read, self._model.signature)
            graph = self._spec.preprocess is Preprocessing.GRAPH
            self._read = with_preprocessing(read, self._model) if graph else read
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot read {path.name}: {error}{mend_of_quantized(path)}") from error

    def compile(self) -> None:
        try:
            self._compiled = self._core.compile_model(self._read, self._spec.device, self._config())
            requests = [self._compiled.create_infer_request() for _ in range(self._wanted_requests())]
        except (RuntimeError, TypeError) as error:
            wrong, reason = is_wrong_value(error), reason_of(error)
            mend = right_values(self._core, self._spec, reason) if wrong else self._mend_of_quantized()
            kind = UsageError if wrong else EngineError
            raise kind(f"OpenVINO cannot compile {self._spec.spec}: {reason}{mend}") from error
        make = SharedRequest if self._spec.shared else CopiedRequest
        others = self._model.decoder().other_inputs()
        for request in requests:
            for at, other in others.items():
                request.set_input_tensor(at, ov.Tensor(other))
        picture = self._model.signature.picture
        self.requests = tuple(
            make(request, picture, gray_input(self._spec.preprocess, self._model)) for request in requests
        )
        # The weights are in the compiled model now.
        self._read = None

    def _file(self) -> Path:
        return ensure_ir(self._model) if self._spec.file == "ir" else self._model.files[self._spec.file]

    def _mend_of_quantized(self) -> str:
        from_onnx = "onnx" in self._model.files and (self._spec.file == "onnx" or "ir" not in self._model.files)
        return mend_of_quantized(self._model.files["onnx"]) if from_onnx and self._spec.file != "int8" else ""

    def _wanted_requests(self) -> int:
        best: Any = self._live().get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        return self._spec.requests or int(best)

    def close(self) -> None:
        self.requests = ()
        self._compiled = None

    def _config(self) -> dict[str, str]:
        return {key: str(usable_cores()) if value == USABLE_CORES else value for key, value in self._spec.config}


def devices() -> dict[str, str]:
    """OpenVINO's devices on this machine, with their full names."""
    return {name: str(core().get_property(name, "FULL_DEVICE_NAME")) for name in core().available_devices}


def device_missing(spec: EngineSpec) -> str | None:
    """The reason why the variant's device cannot be used here, with the mend; None when it can."""
    found = devices()
    if spec.device in {"AUTO", *(name.partition(".")[0] for name in found)}:
        return None
    known = ", ".join(f"{name} ({full})" for name, full in found.items())
    return f"{spec.variant} needs device {spec.device}; OpenVINO finds here: {known}; use ir-auto-shared or ir"
