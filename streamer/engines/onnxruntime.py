"""The engine that runs an ONNX file in ONNX Runtime, on the CPU: a peer to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnxruntime

from streamer.detection.head import Outputs
from streamer.engines.base import Input, gray_input
from streamer.engines.config import PRECISION, THREADS
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError
from streamer.models.model import Model

ERRORS_ONLY = 3


class OnnxRuntimeRequest:
    """An inference on an array that ONNX Runtime reads in place."""

    def __init__(self, session: onnxruntime.InferenceSession, model: Model, gray: Input) -> None:
        self.input = gray
        self._session = session
        names = [port.name for port in session.get_inputs()]
        others = model.decoder().other_inputs()
        self._feed = {names[model.signature.picture]: gray} | {names[at]: other for at, other in others.items()}

    def infer(self) -> Outputs:
        outputs: Outputs = self._session.run(None, self._feed)
        return outputs


class OnnxRuntimeEngine:
    """Implements `Engine`."""

    execution_devices = ("CPU",)

    def __init__(self, spec: EngineSpec, model: Model) -> None:
        self._spec = spec
        self._model = model
        self._session: Any = None
        self._threads = int(dict(spec.config).get(THREADS, 0))
        self.requests: tuple[OnnxRuntimeRequest, ...] = ()

    @property
    def config_in_force(self) -> Mapping[str, str]:
        threads = str(self._threads) if self._threads else "its own choice"
        return {THREADS: threads, PRECISION: "f32", "VERSION": onnxruntime.__version__}

    def read(self) -> None:
        """Reads and optimises in one step, as ONNX Runtime does; ``compile`` then takes no time."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        options.intra_op_num_threads = self._threads
        path = self._model.files["onnx"]
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common base class
            raise EngineError(f"ONNX Runtime cannot read {path.name}: {error}") from error

    def compile(self) -> None:
        gray = gray_input(self._spec.preprocess, self._model)
        self.requests = (OnnxRuntimeRequest(self._session, self._model, gray),)

    def close(self) -> None:
        self.requests = ()
        self._session = None
