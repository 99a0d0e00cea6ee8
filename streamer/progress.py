"""What is done between frames: telling how far the run is, and collecting garbage."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from streamer.ledger import Ledger, Outcome
from streamer.percentiles import nearest_rank
from streamer.summary import Tally

PROGRESS_EVERY_S = 0.5
COLLECT_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. ``p50_ms`` and ``p95_ms`` are latencies so far; ``rate`` is frames delivered a second."""

    scheduled: int
    delivered: int
    dropped: int
    elapsed_s: float
    rate: float
    p50_ms: float | None
    p95_ms: float | None


class Housekeeping:
    """Called once a frame, while none is being measured; does at most one of its jobs, and seldom."""

    def __init__(self, ledger: Ledger, tally: Tally, report: Callable[[Progress], None]) -> None:
        self._ledger = ledger
        self._tally = tally
        self._report = report
        self._started = self._reported = self._collected = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._reported >= PROGRESS_EVERY_S:
            self._reported = now
            self._report(self._progress(now - self._started))
        elif now - self._collected >= COLLECT_EVERY_S:
            self._collected = now
            gc.collect()

    def _progress(self, elapsed_s: float) -> Progress:
        outcomes = self._ledger.outcomes
        delivered = outcomes[Outcome.DELIVERED]
        latencies = self._tally.values["latency"]
        p50 = p95 = None
        if latencies:
            ordered = np.sort(np.frombuffer(latencies, np.int64))
            p50, p95 = nearest_rank(ordered, 0.5) / 1000, nearest_rank(ordered, 0.95) / 1000
        return Progress(
            scheduled=self._ledger.scheduled,
            delivered=delivered,
            dropped=outcomes[Outcome.DROPPED],
            elapsed_s=elapsed_s,
            rate=delivered / elapsed_s,
            p50_ms=p50,
            p95_ms=p95,
        )


@contextmanager
def garbage_frozen() -> Iterator[None]:
    """Python's garbage collector does not run by itself, and what lives now is left out of its rounds."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
