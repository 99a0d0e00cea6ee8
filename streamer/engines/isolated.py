"""An engine in a process of its own. When it hangs or dies it is replaced, and the run goes on.

Both processes share the memory of the input and of the outputs. A message each way says when they are ready. The
exchange is part of the time of ``infer``; docs/benchmarks.md has its cost.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap
from multiprocessing.connection import Connection

import numpy as np

from streamer.detection.head import Array, Outputs
from streamer.detection.ports import Port
from streamer.engines.base import Engine, Input, gray_input
from streamer.engines.registry import open_engine
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError, EngineLost, StreamerError
from streamer.models.model import Model
from streamer.workers.processes import Child, ChildLost, end_with_parent, send
from streamer.workers.shared_memory import SharedMemory
from streamer.workers.threads import beside

MOST_ROWS = 4096
"""The rows that an output of no fixed length may have. Detectors with NMS inside put out a few hundred."""
ALIGNED = 64
"""Outputs begin at multiples of so many bytes."""
STARTS_WITHIN_S = 600.0
"""A GPU may compile for minutes."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The message of a compiled engine; ``cpu_s`` is its process's CPU time so far, in seconds."""

    devices: tuple[str, ...]
    effective: dict[str, str]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Placed:
    """The place of an output in the shared memory: its shape, NumPy's name of its type, and its first byte."""

    shape: tuple[int, ...]
    dtype: str
    offset: int


@dataclass(frozen=True, slots=True)
class Inferred:
    """The message after an inference: the places of its outputs, and its devices. ``cpu_s`` is as in `Compiled`."""

    outputs: tuple[Placed, ...]
    devices: tuple[str, ...]
    cpu_s: float


class IsolatedEngine:
    """Implements `Engine`, with one request. An inference of more than ``within_s`` seconds counts as hanging.

    When its process is lost, ``infer`` raises EngineLost. Then ``replace`` starts another one, read and compiled.
    """

    def __init__(self, spec: EngineSpec, model: Model, within_s: float) -> None:
        self._spec = spec
        self._model = model
        self._within_s = within_s
        self._gray = gray_input(spec.preprocess, model)
        self._input = SharedMemory(self._gray.nbytes)
        self._output = SharedMemory(sum(map(_room_of, model.signature.outputs)))
        self._child: Child | None = None
        self.requests: tuple[IsolatedRequest, ...] = ()
        self.execution_devices: tuple[str, ...] = ()
        self.config_in_force: Mapping[str, str] = {}
        self._cpu_of_lost_s = self._cpu_s = 0.0

    @property
    def cpu_s(self) -> float:
        """The CPU time of its processes until the newest inference, in seconds."""
        return self._cpu_of_lost_s + self._cpu_s

    def read(self) -> None:
        self._child = Child(serve, self._spec, self._model, self._input, self._output)
        self._hear(STARTS_WITHIN_S)

    def compile(self) -> None:
        self._tell()
        compiled = self._hear(STARTS_WITHIN_S)
        assert isinstance(compiled, Compiled)
        self.execution_devices, self.config_in_force = compiled.devices, compiled.effective
        self._cpu_s = compiled.cpu_s
        if not self.requests:
            shared: Input = np.ndarray(self._gray.shape, self._gray.dtype, self._input.bytes)
            shared[:] = self._gray
            self.requests = (IsolatedRequest(self, shared),)

    def replace(self) -> None:
        """Kills the process, and makes another one ready. Raises EngineError."""
        self.kill()
        self._cpu_of_lost_s, self._cpu_s = self.cpu_s, 0.0
        self.read()
        self.compile()

    def infer(self) -> Outputs:
        """The outputs for the shared input. Raises EngineLost, and EngineError when the runtime fails."""
        self._tell()
        inferred = self._hear(self._within_s)
        assert isinstance(inferred, Inferred)
        self.execution_devices, self._cpu_s = inferred.devices, inferred.cpu_s
        return [np.ndarray(one.shape, one.dtype, self._output.bytes, one.offset) for one in inferred.outputs]

    def signal(self, number: int) -> None:
        """Sends its process a signal; injected faults do."""
        if self._child is not None:
            self._child.signal(number)

    def kill(self) -> None:
        """Kills its process."""
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None
            self.requests = ()

    def _tell(self) -> None:
        assert self._child is not None
        try:
            self._child.tell(None)
        except ChildLost as error:
            raise EngineLost(f"the engine was lost: {error}") from error

    def _hear(self, within_s: float) -> object:
        assert self._child is not None
        try:
            message: object = self._child.hear(within_s)
        except ChildLost as error:
            raise EngineLost(f"the engine was lost: {error}") from error
        if isinstance(message, StreamerError):
            raise message
        return message


class IsolatedRequest:
    """The request of an isolated engine."""

    def __init__(self, engine: IsolatedEngine, shared: Input) -> None:
        self.input = shared
        self._engine = engine

    def infer(self) -> Outputs:
        return self._engine.infer()


def serve(link: Connection, spec: EngineSpec, model: Model, shared_input: mmap, shared_output: mmap) -> None:
    """The child's function: reads, compiles and then infers, one step per message of the parent."""
    beside(end_with_parent)
    engine = open_engine(spec, model)
    try:
        engine.read()
        send(link, None)
        link.recv()
        engine.compile()
        send(link, Compiled(engine.execution_devices, dict(engine.config_in_force), time.process_time()))
    except StreamerError as error:
        send(link, error)
        return
    _infer_for_ever(link, engine, shared_input, shared_output)


def _infer_for_ever(link: Connection, engine: Engine, shared_input: mmap, shared_output: mmap) -> None:
    request = engine.requests[0]
    given: Input = np.ndarray(request.input.shape, request.input.dtype, shared_input)
    while True:
        link.recv()
        try:
            np.copyto(request.input, given)
            placed = _place(request.infer(), shared_output)
        except Exception as error:  # a runtime may raise anything: the parent gets it, and the process goes on
            send(link, EngineError(str(error)))
        else:
            send(link, Inferred(placed, engine.execution_devices, time.process_time()))


def _room_of(port: Port) -> int:
    """The bytes reserved for an output; one of no fixed length gets `MOST_ROWS`."""
    size = np.dtype(port.dtype).itemsize * int(np.prod([MOST_ROWS if side is None else side for side in port.shape]))
    return -(-size // ALIGNED) * ALIGNED


def _place(outputs: Outputs, shared: mmap) -> tuple[Placed, ...]:
    """Copies the outputs into the shared memory, and returns their places. Raises EngineError without room."""
    placed, offset = [], 0
    for output in map(np.asarray, outputs):
        if offset + output.nbytes > len(shared):
            raise EngineError(f"the model puts out {output.shape}, more than an isolated engine can return")
        room: Array = np.ndarray(output.shape, output.dtype, shared, offset)
        np.copyto(room, output)
        placed.append(Placed(output.shape, output.dtype.name, offset))
        offset += -(-output.nbytes // ALIGNED) * ALIGNED
    return tuple(placed)
