"""The null engine: fixed outputs after a fixed time. It measures the harness itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from streamer.detection.head import Object, Outputs
from streamer.engines.base import Input, gray_input
from streamer.engines.variants import EngineSpec
from streamer.models.model import Model

OBJECTS = ((0.25, 0.5, 0), (0.5, 0.4, 2), (0.75, 0.6, 5))
"""The three objects that it always detects: centre x and y as shares of the input, and class."""
CONFIDENCE = 0.9
MOST_CLASS = 6
"""The number of classes of a model that does not determine it."""


class NullRequest:
    """Returns the same outputs every time, after calling ``pause``."""

    def __init__(self, gray: Input, answer: Outputs, pause: Callable[[], None]) -> None:
        self.input = gray
        self._answer = answer
        self._pause = pause

    def infer(self) -> Outputs:
        self._pause()
        return self._answer


class NullEngine:
    """Implements `Engine`. ``pause`` blocks for a number of seconds; virtual time has its own."""

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
    """The model's outputs with `OBJECTS` in them."""
    height, width = model.input_size
    head = model.decoder()
    known = [number for number in range(model.classes or MOST_CLASS) if number not in head.nothing] or [0]
    objects = [
        Object(x * width, y * height, width / 8, height / 6, CONFIDENCE, known[class_id % len(known)])
        for x, y, class_id in OBJECTS
    ]
    return head.example(objects)
