"""A million frames: what the figures of a run keep in memory, and how long the summary takes.

python -m benchmarks.million
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.common import Report
from benchmarks.memory import resident_mb
from benchmarks.synthetic import PERIOD_US, all_that_watches, synthetic_frames
from streamer.ledger.ledger import Ledger, Watcher
from streamer.ledger.record import Outcome
from streamer.stats.summary import Statistics, Tally, statistics

FRAMES, WARMUP = 1_000_000, 2_000
"""The warm-up loads what is loaded once, and keeps too little to leave room for what is measured."""
FRAMES_PER_SAMPLE = 1_000
GROWTH_MB, SUMMARY_S = 20, 3


def feed(n: int, watcher: Watcher, sample: Callable[[], object]) -> float:
    """Puts ``n`` frames through a ledger; ``sample`` is called now and then. Returns the most MB resident then."""
    most_mb = 0.0
    ledger = Ledger(PERIOD_US, watcher, lambda record: None)
    for record in synthetic_frames(n):
        ledger.open(record)
        if record.detected is None:
            ledger.close(record, Outcome.DROPPED, "queue_full")
        else:
            ledger.detected(record)
            ledger.close(record, Outcome.DELIVERED)
        if record.frame % FRAMES_PER_SAMPLE == 0:
            sample()
            most_mb = max(most_mb, resident_mb(os.getpid()))
    return most_mb


def summary(tally: Tally) -> dict[str, Statistics]:
    """The statistics of each figure over the whole run."""
    return {name: statistics(values) for name, values in tally.whole().items()}


def summed_up() -> tuple[float, float]:
    """Memory grown in MB, and seconds for the summary, with the figures of the summary alone."""
    feed(WARMUP, Tally(closed_loop=False), lambda: None)
    before_mb = resident_mb(os.getpid())
    tally = Tally(closed_loop=False)
    most_mb = feed(FRAMES, tally, lambda: None)
    start = time.monotonic()
    tally.finish(FRAMES * PERIOD_US)
    figures = summary(tally)
    seconds = time.monotonic() - start
    assert figures["latency"].n > 0.97 * FRAMES
    return max(most_mb, resident_mb(os.getpid())) - before_mb, seconds


def watched() -> float:
    """Memory grown in MB, with all that watches a run."""
    warm = all_that_watches()
    feed(WARMUP, warm.watcher, lambda: warm.sample(0))
    before_mb = resident_mb(os.getpid())
    measured = all_that_watches()
    most_mb = feed(FRAMES, measured.watcher, lambda: measured.sample(0))
    measured.finish(FRAMES * PERIOD_US)
    summary(measured.tally)
    measured.tail.explain()
    return max(most_mb, resident_mb(os.getpid())) - before_mb


def main() -> None:
    """Feeds a million twice, each time in a process of its own: one would grow into what the other has left."""
    report = Report()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
        growth_mb, seconds = processes.submit(summed_up).result()
        watched_mb = processes.submit(watched).result()
    report.at_most(f"memory grown over {FRAMES:,} frames", growth_mb, GROWTH_MB, " MB")
    report.at_most("the same with all that watches a run", watched_mb, GROWTH_MB, " MB")
    report.at_most(f"summary of {FRAMES:,} frames", seconds, SUMMARY_S, " s")
    report.end()


if __name__ == "__main__":
    main()
