"""The interface of every engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamer.detection.head import Outputs
from streamer.detection.ports import channels_last, fixed
from streamer.detection.preprocess import Preprocessing
from streamer.models.model import Model

Input = npt.NDArray[Any]


class Request(Protocol):
    """One inference that can be in flight; a worker of its own serves it."""

    @property
    def input(self) -> Input:
        """The array that preprocess writes into: always the same one, gray at first.

        It has the model's shape and type; with preprocessing in the graph 1 x height x width x 3 uint8, BGR.
        """
        ...

    def infer(self) -> Outputs:
        """The model's outputs for ``input``, in the model's order; valid until this request's next ``infer``.

        Raises EngineError when the runtime fails.
        """
        ...


class Engine(Protocol):
    """One way of running a model. It has no clock and no thread, and does not know the pipeline.

    Call ``read`` and ``compile`` first, in this order, once each; call ``close`` last, twice if need be. Each raises
    EngineUnavailable when the variant cannot run here, and EngineError when the runtime fails.
    """

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests; empty before ``compile`` and after ``close``."""
        ...

    @property
    def execution_devices(self) -> tuple[str, ...]:
        """The devices that run the model now; AUTO may change them."""
        ...

    @property
    def config_in_force(self) -> Mapping[str, str]:
        """The effective configuration, read back from the compiled model."""
        ...

    def read(self) -> None:
        """Reads the model's file."""
        ...

    def compile(self) -> None:
        """Makes the model ready to run, and its requests."""
        ...

    def close(self) -> None:
        """Frees what the engine holds."""
        ...


def gray_input(how: Preprocessing, model: Model) -> Input:
    """An input filled with the padding's gray, in the shape and type that ``how`` writes."""
    port = model.signature.picture_port
    batch = (1,) * (len(port.shape) - 3)
    if how is Preprocessing.GRAPH:
        return np.full((*batch, *model.input_size, 3), model.input.pad, np.uint8)
    gray = model.input.padding.reshape((1, 1, 3) if channels_last(port) else (3, 1, 1))
    return np.broadcast_to(gray, fixed(port)).astype(port.dtype, order="C")
