"""The measurements of a run: its figures, its steadiness, its tail, and the machine around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from streamer.engines.base import Engine
from streamer.ledger.ledger import Watchers
from streamer.machine.contention import ContentionMeter, Reading, read_counters
from streamer.machine.suspension import Suspensions
from streamer.stats.backlog import Backlog
from streamer.stats.distribution import MOST_EXACT
from streamer.stats.steadiness import Windows
from streamer.stats.summary import Tally
from streamer.stats.tail import Tail


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """A change of devices by AUTO, from ``before`` to ``after``, ``at_us`` of the run."""

    at_us: int
    before: tuple[str, ...]
    after: tuple[str, ...]


class Measurements:
    """The watchers of a run. ``now_us`` reads the run's time; ``ticks_us`` has the period of each stream's ticks.

    ``engine_s`` returns the CPU seconds that an isolated engine has used. A figure keeps ``most_exact`` values exact.
    """

    def __init__(
        self,
        engine: Engine,
        now_us: Callable[[], int],
        *,
        closed_loop: bool,
        ticks_us: Sequence[Fraction | None],
        engine_s: Callable[[], float] = float,
        most_exact: int = MOST_EXACT,
    ) -> None:
        self._engine = engine
        self._now_us = now_us
        self._devices = engine.execution_devices
        self._collections = 0
        self._engine_s = engine_s
        self.device_changes: list[DeviceChange] = []
        self.tally = Tally(closed_loop=closed_loop, ticks_us=ticks_us, most_exact=most_exact)
        self.windows = Windows()
        self.backlog = Backlog()
        self.suspensions = Suspensions(now_us)
        self._suspended = 0
        self.meter = ContentionMeter(self._read())
        self.tail = Tail(self.meter)
        self.watcher = Watchers(self.tally, self.windows, self.backlog, self.tail)

    def sample(self, collections: int) -> None:
        """Looks at the machine and at the engine's devices, between frames, after so many garbage ``collections``."""
        now = self._now_us()
        self._collections = collections
        self._sample(now)
        self.tail.add_contention()
        devices = self._engine.execution_devices
        if devices != self._devices:
            self.device_changes.append(DeviceChange(now, self._devices, devices))
            self._devices = devices
            self.tally.split()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Keeps the machine's activity within it out of the measurements."""
        self._sample(self._now_us())
        try:
            yield
        finally:
            self.meter.resumed(self._read())

    def finish(self, end_us: int) -> None:
        """Ends the measurements with the run, at ``end_us``."""
        self.suspensions.end()
        self.tally.finish(end_us)
        self._sample(end_us)

    def _sample(self, now_us: int) -> None:
        self.suspensions.look()
        before, self._suspended = self._suspended, self.suspensions.count
        self.meter.sampled(now_us, self._read(), suspended=self._suspended > before)

    def _read(self) -> Reading:
        return read_counters(self._collections, self._engine_s())
