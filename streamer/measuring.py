"""Everything that watches a run: its figures, its steadiness, its tail, and the machine around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from streamer.engines.base import Engine
from streamer.ledger import Watchers
from streamer.summary import Tally
from streamer.tail import Tail
from streamer.windows import Windows
from streamer.witness import Witness, read_counters


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """AUTO moved the model from some devices to others, ``at_us`` of the run."""

    at_us: int
    before: tuple[str, ...]
    after: tuple[str, ...]


class Measurements:
    """The watchers of a run. ``now_us`` reads the run's time; ``ticks_us`` has the period of each stream's ticks."""

    def __init__(
        self, engine: Engine, now_us: Callable[[], int], *, closed_loop: bool, ticks_us: Sequence[Fraction | None]
    ) -> None:
        self._engine = engine
        self._now_us = now_us
        self._devices = engine.execution_devices
        self._collections = 0
        self.device_changes: list[DeviceChange] = []
        self.tally = Tally(closed_loop=closed_loop, ticks_us=ticks_us)
        self.windows = Windows()
        self.witness = Witness(read_counters(0))
        self.tail = Tail(self.witness)
        self.watcher = Watchers(self.tally, self.windows, self.tail)

    def sample(self, collections: int) -> None:
        """Looks at the machine and at the engine's devices, between frames; garbage was collected so often."""
        now = self._now_us()
        self._collections = collections
        self.witness.sampled(now, read_counters(collections))
        self.tail.witnessed()
        devices = self._engine.execution_devices
        if devices != self._devices:
            self.device_changes.append(DeviceChange(now, self._devices, devices))
            self._devices = devices
            self.tally.split()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What the machine does meanwhile does not count."""
        self.witness.sampled(self._now_us(), read_counters(self._collections))
        try:
            yield
        finally:
            self.witness.resumed(read_counters(self._collections))

    def finish(self, end_us: int) -> None:
        """The run is over, at ``end_us``."""
        self.witness.sampled(end_us, read_counters(self._collections))
        self.tally.finish(end_us)
