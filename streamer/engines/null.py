"""The null engine: a fixed answer after a fixed time. It measures the harness itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from streamer.engines.base import Tensor
from streamer.engines.spec import EngineSpec
from streamer.models import Model
from streamer.postprocess import Head

OBJECTS = ((0.25, 0.5, 0), (0.5, 0.4, 2), (0.75, 0.6, 5))
"""Centre x and y as shares of the input, and class, of the three objects that it always sees."""


class NullRequest:
    """Answers with the same prediction, after ``pause`` seconds."""

    def __init__(self, model: Model, pause: Callable[[], None]) -> None:
        height, width = model.input_size
        self.input: Tensor = np.zeros((1, 3, height, width), np.float32)
        self._answer = fixed_prediction(model)
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
        self.requests = (NullRequest(self._model, lambda: self._pause(delay) if delay else None),)

    def close(self) -> None:
        self.requests = ()


def fixed_prediction(model: Model) -> Tensor:
    """The model's raw layout with three objects in it."""
    height, width = model.input_size
    raw = np.zeros(model.output_shape, np.float32)
    rows = raw[0] if model.head is Head.OBJECTNESS else raw[0].T
    first_class = 5 if model.head is Head.OBJECTNESS else 4
    for row, (x, y, class_id) in zip(rows, OBJECTS, strict=False):
        row[:4] = x * width, y * height, width / 8, height / 6
        row[4:first_class] = 1
        row[first_class + class_id % len(model.names)] = 0.9
    return raw
