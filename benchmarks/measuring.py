"""What measuring costs: stamps, ledger and CSV row of a frame, in CPU time on one thread.

python -m benchmarks.measuring
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.common import Report, spread
from benchmarks.synthetic import all_that_watches
from streamer.ledger.ledger import Ledger, Watcher
from streamer.ledger.record import FrameRecord, Outcome
from streamer.machine.info import involuntary_switches
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row
from streamer.stats.summary import Tally
from streamer.workers.clock import MonotonicClock
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Threads

FRAMES, ROUNDS = 20_000, 5
PERIOD_US = 33_333
TARGET_US = 50


def microseconds_per_frame(ledger: Ledger, now: RunTime) -> float:
    """CPU time of what a replay does for each frame only to measure it."""
    start = time.thread_time_ns()
    for index in range(FRAMES):
        due = index * PERIOD_US
        # Now is when the frame is due, so that age goes on as in a replay: one more look at the clock.
        now.start(-due)
        record = FrameRecord(0, index, due, due)
        record.captured = now.stamp()
        ledger.open(record)
        switches = involuntary_switches()
        record.preprocess_start = now.stamp()
        record.preprocess_end = now.stamp()
        record.infer_start = now.stamp()
        record.infer_end = now.stamp()
        record.detected = now.stamp()
        record.switches = involuntary_switches() - switches
        record.detections = 12
        ledger.detected(record)
        record.sink_start = now.stamp()
        record.written = now.stamp()
        ledger.close(record, Outcome.DELIVERED)
    return (time.thread_time_ns() - start) / 1_000 / FRAMES


def cost(watcher: Watcher, directory: Path) -> float:
    """Microseconds per frame with this watcher and a real table."""
    clock = MonotonicClock()
    now = RunTime(clock, Threads(clock))
    table = Table(directory / "frames.csv", FRAME_COLUMNS, Reserve(directory / ".reserve"))
    try:
        ledger = Ledger(PERIOD_US, watcher, lambda record: table.append(frame_row(record)))
        return microseconds_per_frame(ledger, now)
    finally:
        table.close()


def main() -> None:
    """The ledger with its summary, then with all that watches a run."""
    report = Report()
    alone, whole = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(ROUNDS):
            alone.append(cost(Tally(closed_loop=False), Path(scratch)))
            whole.append(cost(all_that_watches().watcher, Path(scratch)))
    report.say(f"microseconds of CPU a frame over {FRAMES:,} frames, median of {ROUNDS} rounds and range")
    report.say(f"  stamps, ledger, summary and CSV row     {spread(alone)}")
    report.say(f"  the same with all that watches a run    {spread(whole)}")
    report.at_most("stamps, ledger and CSV row, worst round", max(alone), TARGET_US, " us")
    report.at_most("with all that watches a run, worst round", max(whole), TARGET_US, " us")
    report.end()


if __name__ == "__main__":
    main()
