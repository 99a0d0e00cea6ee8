"""The engine that runs a .pt model in PyTorch on the CPU: eager, or compiled by torch.compile."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping
from typing import Any

import torch

from streamer.detection.head import Outputs
from streamer.engines.base import Input, gray_input
from streamer.engines.config import AS_PICKLE, LOADED, PRECISION, THREADS, WARNED
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError, one_line
from streamer.files.cache import kept_or_temporary
from streamer.machine.info import usable_cores
from streamer.models.checkpoint import load_checkpoint
from streamer.models.model import Model
from streamer.models.torch_metadata import outputs_of


class PyTorchRequest:
    """An inference on an array whose memory torch shares."""

    def __init__(self, network: Any, gray: Input, dtype: torch.dtype) -> None:
        self.input = gray
        self._tensor = torch.from_numpy(self.input)
        self._network = network
        self._dtype = dtype

    def infer(self) -> Outputs:
        # Autocast keeps sensitive operations, such as the boxes' arithmetic, in float32.
        with (
            torch.inference_mode(),
            torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._dtype is torch.bfloat16),
        ):
            prediction: Any = self._network(self._tensor)
        return [output.float().numpy() for output in outputs_of(prediction)]


class PyTorchEngine:
    """Implements `Engine`."""

    execution_devices = ("CPU",)

    def __init__(self, spec: EngineSpec, model: Model) -> None:
        self._spec = spec
        self._model = model
        self._network: Any = None
        self._unpickled = False
        self._warned = ""
        self._config = dict(spec.config)
        self._threads_before: int | None = None
        self.requests: tuple[PyTorchRequest, ...] = ()

    @property
    def config_in_force(self) -> Mapping[str, str]:
        return {
            THREADS: str(torch.get_num_threads()),
            PRECISION: self._config.get(PRECISION, "f32"),
            LOADED: AS_PICKLE if self._unpickled else "weights_only",
            **({WARNED: self._warned} if self._warned else {}),
        }

    def read(self) -> None:
        path = self._model.files["pt"]
        # Finding the model checked that its .pt is trusted; the hash proves that the file is the same.
        loaded = load_checkpoint(path, self._model.hashes["pt"])
        self._network, self._unpickled = loaded.network, loaded.unpickled

    def compile(self) -> None:
        if THREADS in self._config:
            self._threads_before = torch.get_num_threads()
            torch.set_num_threads(int(self._config[THREADS]))
        # As in deployment: batch normalisation fused into the convolutions.
        network = self._network.float().eval().fuse(verbose=False)
        dtype = torch.bfloat16 if self._config.get(PRECISION) == "bf16" else torch.float32
        gray = gray_input(self._spec.preprocess, self._model)
        if not self._spec.compiled:
            self.requests = (PyTorchRequest(network, gray, dtype),)
            return
        try:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                request = PyTorchRequest(_compiled(network, gray), gray, dtype)
                request.infer()  # the first call is what starts the compiler
            # Other warnings are about the compiler's and Ultralytics' own code: no user can act on them.
            of_speed = (one.message for one in warned if issubclass(one.category, RuntimeWarning))
            self._warned = "; ".join(dict.fromkeys(one_line(str(message)) for message in of_speed))
        except Exception as error:  # the compiler's errors are of many kinds
            raise EngineError(f"torch.compile cannot compile {self._model.name}: {error}; use pytorch") from error
        finally:
            _end_compilers()
        self.requests = (request,)

    def close(self) -> None:
        self.requests = ()
        self._network = None
        if self._threads_before is not None:
            # The number is set for the whole process: the next engine must not run with this one's.
            torch.set_num_threads(self._threads_before)
            self._threads_before = None


def _compiled(network: Any, example: Input) -> Any:
    """The network compiled by torch.compile. It is exported first: as one graph, without Ultralytics' Python code.

    The compiled code is kept in the user's cache.
    """
    kept = kept_or_temporary() / "torchinductor"
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(kept))
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it complains that there is no GPU
    from torch._inductor import codecache, config

    config.compile_threads = usable_cores()
    # No setting reaches these two. Precompiled headers halve the time; they belong in the cache.
    codecache._HEADER_DIR = str(kept / "precompiled_headers")
    codecache._HEADER_LOCK_DIR = str(kept / "precompiled_headers" / "locks")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ultralytics' head keeps its anchors between calls
        return torch.compile(torch.export.export(network, (torch.from_numpy(example),)).module())


def _end_compilers() -> None:
    """Ends the compiler's processes, which would otherwise run beside the measurement."""
    from torch._inductor.async_compile import shutdown_compile_workers

    shutdown_compile_workers()
