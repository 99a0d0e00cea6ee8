"""The resources of a run, once its sources and its engine are open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from streamer.engines.base import Engine
from streamer.engines.variants import EngineSpec
from streamer.faults.inject import Faults
from streamer.machine.load import LoadProcesses
from streamer.models.model import Model
from streamer.pipeline.camera import Camera
from streamer.run.warmup import Timings
from streamer.settings.settings import Settings
from streamer.sources.away import AwaitedSource
from streamer.workers.clock import MonotonicClock
from streamer.workers.threads import Threads


@dataclass(frozen=True, slots=True)
class Opened:
    """The opened resources; the engine is ready. ``awaited`` are the sources that may be away, by stream number."""

    settings: Settings
    started: datetime
    spec: EngineSpec
    cameras: Sequence[Camera]
    awaited: Mapping[int, AwaitedSource]
    model: Model
    engine: Engine
    timings: Timings
    clock: MonotonicClock
    threads: Threads
    load: LoadProcesses | None
    faults: Faults | None
