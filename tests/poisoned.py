"""An engine that wraps a real one and poisons the memory that nobody may rely on: a bug then shows at once.

What it wraps does the inference. Around that, each request holds its user to the contract of `Request`: nobody writes
its input while it reads, nobody infers on it from two threads at once, and nobody reads an answer after the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

import numpy as np

from streamer.detection.head import Array, Outputs
from streamer.engines.base import Engine, Input, Request


class Broken(Exception):
    """The user of a request did what the contract forbids."""


class PoisonedRequest:
    """A request that fills its input with garbage once it is read, and each answer once there is a next."""

    def __init__(self, request: Request) -> None:
        self.inferences = 0
        self._request = request
        self._under_way = Lock()
        self._given: list[Array] = []

    @property
    def input(self) -> Input:
        return self._request.input

    def infer(self) -> Outputs:
        if not self._under_way.acquire(blocking=False):
            raise Broken("two inferences on one request at once")
        try:
            return self._infer()
        finally:
            self._under_way.release()

    def _infer(self) -> Outputs:
        for given in self._given:
            _spoil(given)
        before = self.input.copy()
        outputs = self._request.infer()
        if not np.array_equal(self.input, before, equal_nan=before.dtype.kind == "f"):
            raise Broken("the input was written while it was read")
        self._given = [output.copy() for output in outputs]
        _spoil(self.input)
        self.inferences += 1
        return self._given


def _spoil(array: Array) -> None:
    array[...] = np.nan if array.dtype.kind == "f" else 0xAA


class PoisonedEngine:
    """Keeps the contract of Engine, with requests that poison."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.requests: tuple[PoisonedRequest, ...] = ()

    @property
    def execution_devices(self) -> tuple[str, ...]:
        return self._engine.execution_devices

    @property
    def config_in_force(self) -> Mapping[str, str]:
        return self._engine.config_in_force

    def read(self) -> None:
        self._engine.read()

    def compile(self) -> None:
        self._engine.compile()
        self.requests = tuple(map(PoisonedRequest, self._engine.requests))

    def close(self) -> None:
        # The requests stay, so that a test can ask what they did.
        self._engine.close()
