"""What every engine offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[np.float32]


class Request(Protocol):
    """One inference that can be under way; a worker of its own serves it."""

    @property
    def input(self) -> Tensor:
        """1 x 3 x height x width float32, RGB, 0 to 1. Preprocess writes here; the same array for ever."""
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
