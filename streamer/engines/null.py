"""The null engine: a fixed answer after a fixed time. It measures the harness itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from streamer.detection.heads import HEADS
from streamer.engines.base import Input, Tensor, gray_input
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model

OBJECTS = ((0.25, 0.5, 0), (0.5, 0.4, 2), (0.75, 0.6, 5))
"""Centre x and y as shares of the input, and class, of the three objects that it always sees."""
CONFIDENCE = 0.9


class NullRequest:
    """Answers with the same prediction, after ``pause`` seconds."""

    def __init__(self, gray: Input, answer: Tensor, pause: Callable[[], None]) -> None:
        self.input = gray
        self._answer = answer
        self._pause = pause

    def infer(self) -> Tensor:
        self._pause()
        return self._answer


class NullEngine:
    """Keeps the contract of Engine. ``pause`` blocks for a number of seconds: virtual time brings its own."""

    execution_devices = ("none",)

    def __init__(self, spec: EngineSpec, model: Model, pause: Callable[[float], None] = time.sleep) -> None:
        self._spec = spec
        self._model = model
        self._pause = pause
        self.requests: tuple[NullRequest, ...] = ()
        self.config_in_force: Mapping[str, str] = {"delay_ms": f"{spec.delay_ms:g}"}

    def read(self) -> None:
        pass

    def compile(self) -> None:
        delay = self._spec.delay_ms / 1000
        self.requests = tuple(
            NullRequest(
                gray_input(self._spec.preprocess, self._model.input_size),
                fixed_prediction(self._model),
                lambda: self._pause(delay) if delay else None,
            )
            for _ in range(self._spec.requests)
        )

    def close(self) -> None:
        self.requests = ()


def fixed_prediction(model: Model) -> Tensor:
    """The model's raw layout with three objects in it."""
    height, width = model.input_size
    raw = np.zeros(model.output_shape, np.float32)
    objects = [
        (x * width, y * height, width / 8, height / 6, CONFIDENCE, class_id % len(model.names))
        for x, y, class_id in OBJECTS
    ]
    HEADS[model.head].write(raw[0], objects)
    return raw
