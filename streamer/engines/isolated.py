"""An engine in a process of its own: when it hangs or dies it is replaced, and the run goes on.

The input is written into memory that both processes share, and the prediction comes back the same way; a message each
way says when. That takes time, which is in ``infer`` (`python -m benchmarks.isolated`).
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
"""Of an output of no fixed length: detectors that suppress by themselves put out a few hundred."""
ALIGNED = 64
"""Outputs begin at multiples of so many bytes."""
STARTS_WITHIN_S = 600.0
"""A GPU may compile for minutes."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a compiled engine says of itself; ``cpu_s`` is what its process took so far."""

    devices: tuple[str, ...]
    effective: dict[str, str]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an output is in the shared memory: its shape, NumPy's name of its type, and its first byte."""

    shape: tuple[int, ...]
    dtype: str
    offset: int


@dataclass(frozen=True, slots=True)
class Inferred:
    """The outputs are in the shared memory; it ran on these devices. ``cpu_s`` as in `Compiled`."""

    outputs: tuple[Placed, ...]
    devices: tuple[str, ...]
    cpu_s: float


class IsolatedEngine:
    """Keeps the contract of Engine, with one request. An inference may take ``within_s``: after that it hangs.

    When its process is lost, ``infer`` raises EngineLost; ``replace`` starts another one, read and compiled.
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
        """CPU seconds of its processes until the newest prediction."""
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
        """Ends the process, whatever it is at, and makes another one ready. Raises EngineError."""
        self.kill()
        self._cpu_of_lost_s, self._cpu_s = self.cpu_s, 0.0
        self.read()
        self.compile()

    def infer(self) -> Outputs:
        """The outputs for what is in the shared input."""
        self._tell()
        inferred = self._hear(self._within_s)
        assert isinstance(inferred, Inferred)
        self.execution_devices, self._cpu_s = inferred.devices, inferred.cpu_s
        return [np.ndarray(one.shape, one.dtype, self._output.bytes, one.offset) for one in inferred.outputs]

    def signal(self, number: int) -> None:
        """Sends its process a signal: what faults on purpose do to it."""
        if self._child is not None:
            self._child.signal(number)

    def kill(self) -> None:
        """Ends its process, whatever that is at."""
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
    """The request of an engine in a process of its own."""

    def __init__(self, engine: IsolatedEngine, shared: Input) -> None:
        self.input = shared
        self._engine = engine

    def infer(self) -> Outputs:
        return self._engine.infer()


def serve(link: Connection, spec: EngineSpec, model: Model, shared_input: mmap, shared_output: mmap) -> None:
    """In the child: reads, compiles, and then infers, each when it is told."""
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
        except Exception as error:  # whatever a runtime raises is told: the process itself goes on
            send(link, EngineError(str(error)))
        else:
            send(link, Inferred(placed, engine.execution_devices, time.process_time()))


def _room_of(port: Port) -> int:
    """The bytes that an output may take; one of no fixed length has so many rows at most."""
    size = np.dtype(port.dtype).itemsize * int(np.prod([MOST_ROWS if side is None else side for side in port.shape]))
    return -(-size // ALIGNED) * ALIGNED


def _place(outputs: Outputs, shared: mmap) -> tuple[Placed, ...]:
    """Copies the outputs into the shared memory. Raises EngineError when there is no room."""
    placed, offset = [], 0
    for output in map(np.asarray, outputs):
        if offset + output.nbytes > len(shared):
            raise EngineError(f"the model puts out {output.shape}, more than a process of its own hands over")
        room: Array = np.ndarray(output.shape, output.dtype, shared, offset)
        np.copyto(room, output)
        placed.append(Placed(output.shape, output.dtype.name, offset))
        offset += -(-output.nbytes // ALIGNED) * ALIGNED
    return tuple(placed)
