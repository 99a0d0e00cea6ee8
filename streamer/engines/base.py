"""What every engine offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from streamer.detection.preprocess import PADDING_GRAY, Preprocessing

Tensor = npt.NDArray[np.float32]
Input = npt.NDArray[np.float32] | npt.NDArray[np.uint8]


class Request(Protocol):
    """One inference that can be under way; a worker of its own serves it."""

    @property
    def input(self) -> Input:
        """Preprocess writes here; the same array for ever, gray at first.

        1 x 3 x height x width float32, RGB, 0 to 1; with preprocessing in the graph 1 x height x width x 3 uint8,
        BGR.
        """
        ...

    def infer(self) -> Tensor:
        """The raw prediction for what is in ``input``; valid until this request's next ``infer``."""
        ...


class Engine(Protocol):
    """One way of running a model. It holds no clock and no thread, and knows nothing of the pipeline.

    ``read`` and ``compile`` come first, in this order, once each; ``close`` comes last, and may be called twice.
    Each raises EngineUnavailable when the variant cannot run here, and EngineError when the runtime fails.
    """

    @property
    def requests(self) -> tuple[Request, ...]:
        """The requests, once it is compiled."""
        ...

    @property
    def execution_devices(self) -> tuple[str, ...]:
        """The devices that run the model now; AUTO may change them."""
        ...

    @property
    def config_in_force(self) -> Mapping[str, str]:
        """The configuration read back from the compiled model."""
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


def gray_input(how: Preprocessing, input_size: tuple[int, int]) -> Input:
    """An input of the padding's gray, as preprocess expects it, for a model of ``input_size`` (height, width)."""
    height, width = input_size
    if how is Preprocessing.GRAPH:
        return np.full((1, height, width, 3), PADDING_GRAY, np.uint8)
    return np.full((1, 3, height, width), PADDING_GRAY / 255, np.float32)
