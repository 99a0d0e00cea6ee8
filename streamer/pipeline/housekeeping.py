"""Housekeeping, done between frames: looking at the machine, reporting progress, and collecting garbage."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from streamer.errors import StreamerError
from streamer.ledger.ledger import Ledger
from streamer.ledger.record import Outcome
from streamer.machine.usage import CANNOT_LOOK
from streamer.stats.percentiles import nearest_rank
from streamer.stats.summary import Tally

SAMPLE_US, REPORT_US, COLLECT_US = 250_000, 500_000, 10_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a chore; ``work`` is given the run's time in microseconds.

    It runs on the event loop, where it must be short, or on a thread (``aside``).
    """

    work: Callable[[int], None]
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that is done between frames every ``every_us`` of the run, ``behind_us`` after that, step by step.

    Frames may come between two steps.
    """

    name: str
    every_us: int
    steps: tuple[Step, ...]
    behind_us: int = 0

    def next_us(self, now_us: int) -> int:
        """When it is due for the first time after ``now_us``, in microseconds of the run.

        Its instants lie on a grid, so that windows counted by it do not drift. Missed ones are not made up for.
        """
        return ((now_us - self.behind_us) // self.every_us + 1) * self.every_us + self.behind_us


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Raises what the system refuses meanwhile as a StreamerError that names the work: it is no defect of ours."""
    try:
        yield
    except CANNOT_LOOK as error:
        raise StreamerError(f"housekeeping: could not {what}: {str(error) or type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run: frames and latencies so far; ``rate`` is frames delivered a second."""

    scheduled: int
    delivered: int
    dropped: int
    elapsed_s: float
    rate: float
    p50_ms: float | None
    p95_ms: float | None


class Housekeeping:
    """The chores of every run. ``sample`` looks at the machine, and takes the number of garbage collections."""

    def __init__(
        self, ledger: Ledger, tally: Tally, report: Callable[[Progress], None], sample: Callable[[int], None]
    ) -> None:
        self._ledger = ledger
        self._tally = tally
        self._report = report
        self._sample = sample
        self._collections = 0

    @property
    def chores(self) -> list[Chore]:
        """The chores, and how often each is done."""
        return [
            Chore("look at the machine", SAMPLE_US, (Step(lambda _: self._sample(self._collections)),)),
            Chore("report the progress", REPORT_US, (Step(lambda now_us: self._report(self._progress(now_us))),)),
            Chore("collect garbage", COLLECT_US, (Step(lambda _: self._collect()),)),
        ]

    def _collect(self) -> None:
        gc.collect()
        self._collections += 1

    def _progress(self, now_us: int) -> Progress:
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
            elapsed_s=now_us / 1_000_000,
            rate=delivered * 1_000_000 / now_us,
            p50_ms=p50,
            p95_ms=p95,
        )


@contextmanager
def garbage_frozen() -> Iterator[None]:
    """Keeps Python's garbage collector from running by itself, and leaves what lives now out of its rounds."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
