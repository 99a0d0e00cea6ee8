"""What is done between frames: telling how far the run is, and collecting garbage."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from streamer.ledger.ledger import Ledger
from streamer.ledger.record import Outcome
from streamer.stats.percentiles import nearest_rank
from streamer.stats.summary import Tally


class Job(Enum):
    """What is done between frames."""

    SAMPLE = "look at the machine"
    REPORT = "tell how far it is"
    COLLECT = "collect garbage"


EVERY_S = {Job.SAMPLE: 0.25, Job.REPORT: 0.5, Job.COLLECT: 10.0}


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
    """Called once a frame, while none is being measured; does at most one of its jobs, the one that is most overdue.

    ``sample`` looks at the machine, and is given the number of garbage collections so far.
    """

    def __init__(
        self, ledger: Ledger, tally: Tally, report: Callable[[Progress], None], sample: Callable[[int], None]
    ) -> None:
        self._ledger = ledger
        self._tally = tally
        self._report = report
        self._sample = sample
        self._collections = 0
        self._started = time.monotonic()
        self._done = dict.fromkeys(EVERY_S, self._started)

    def __call__(self) -> None:
        now = time.monotonic()
        # By how far it is overdue: at a frame a second each call finds several that are.
        job = max(EVERY_S, key=lambda job: (now - self._done[job]) / EVERY_S[job])
        if now - self._done[job] < EVERY_S[job]:
            return
        self._done[job] = now
        if job is Job.SAMPLE:
            self._sample(self._collections)
        elif job is Job.REPORT:
            self._report(self._progress(now - self._started))
        else:
            gc.collect()
            self._collections += 1

    def _progress(self, elapsed_s: float) -> Progress:
        outcomes = self._ledger.outcomes
        delivered = outcomes[Outcome.DELIVERED]
        latencies = self._tally.figures["latency"]
        p50 = p95 = None
        if latencies.n:
            ranks = [nearest_rank(latencies.n, p) for p in (0.5, 0.95)]
            p50, p95 = (us / 1000 for us in latencies.estimates(ranks))
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
