"""The engine that runs a .pt model in PyTorch, eager, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from streamer.engines.base import Tensor
from streamer.engines.spec import EngineSpec
from streamer.errors import EngineError
from streamer.models import Model
from streamer.ultralytics_quiet import quiet_ultralytics


class PyTorchRequest:
    """An inference on an array that torch shares."""

    def __init__(self, network: torch.nn.Module, shape: tuple[int, ...]) -> None:
        self.input: Tensor = np.zeros(shape, np.float32)
        self._tensor = torch.from_numpy(self.input)
        self._network = network

    def infer(self) -> Tensor:
        with torch.inference_mode():
            prediction: Any = self._network(self._tensor)
        while isinstance(prediction, (tuple, list)):
            prediction = prediction[0]
        raw: Tensor = prediction.numpy()
        return raw


class PyTorchEngine:
    """Keeps the contract of Engine."""

    execution_devices = ("CPU",)

    def __init__(self, spec: EngineSpec, model: Model) -> None:
        self._spec = spec
        self._model = model
        self._network: Any = None
        self.requests: tuple[PyTorchRequest, ...] = ()

    @property
    def config_in_force(self) -> Mapping[str, str]:
        return {"INFERENCE_NUM_THREADS": str(torch.get_num_threads()), "INFERENCE_PRECISION_HINT": "f32"}

    def read(self) -> None:
        path = self._model.files["pt"]
        try:
            with quiet_ultralytics() as ultralytics:
                self._network = ultralytics.YOLO(path, task="detect").model
        except Exception as error:  # unpickling runs code of others, which may raise anything
            raise EngineError(f"Ultralytics cannot load {path.name}: {error}") from error

    def compile(self) -> None:
        threads = dict(self._spec.config).get("INFERENCE_NUM_THREADS")
        if threads:
            torch.set_num_threads(int(threads))
        # As in deployment: batch normalisation fused into the convolutions.
        network = self._network.float().eval().fuse(verbose=False)
        self.requests = (PyTorchRequest(network, (1, 3, *self._model.input_size)),)

    def close(self) -> None:
        self.requests = ()
        self._network = None
