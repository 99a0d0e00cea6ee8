"""The null engine: a fixed answer after a fixed time. It measures the harness itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from streamer.detection.head import Object, Outputs
from streamer.engines.base import Input, gray_input
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model

OBJECTS = ((0.25, 0.5, 0), (0.5, 0.4, 2), (0.75, 0.6, 5))
"""Centre x and y as shares of the input, and class, of the three objects that it always sees."""
CONFIDENCE = 0.9
MOST_CLASS = 6
"""Of a model that does not tell how many classes it has."""


class NullRequest:
    """Answers with the same prediction, after ``pause`` seconds."""

    def __init__(self, gray: Input, answer: Outputs, pause: Callable[[], None]) -> None:
        self.input = gray
        self._answer = answer
        self._pause = pause

    def infer(self) -> Outputs:
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
                gray_input(self._spec.preprocess, self._model),
                fixed_prediction(self._model),
                lambda: self._pause(delay) if delay else None,
            )
            for _ in range(self._spec.requests)
        )

    def close(self) -> None:
        self.requests = ()


def fixed_prediction(model: Model) -> Outputs:
    """The model's outputs with three objects in them."""
    height, width = model.input_size
    head = model.decoder()
    known = [number for number in range(model.classes or MOST_CLASS) if number not in head.nothing] or [0]
    objects = [
        Object(x * width, y * height, width / 8, height / 6, CONFIDENCE, known[class_id % len(known)])
        for x, y, class_id in OBJECTS
    ]
    return head.example(objects)
