"""How little streamer adds: the null engine at 30 fps, and how punctual it is beside an engine and an encoder.

python -m benchmarks.harness [--rounds 3] [--frames 600]
python -m benchmarks.harness --backends [--seconds 30]    the same figures over event loops and rates, as a table
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.backends import publish
from benchmarks.common import COCO_MODEL, FOOTAGE, Report, needs, records, replay, spread
from streamer.ledger.record import FrameRecord

CASES = {
    "null": ("--engine", "null", "--video", "none"),
    "null,delay_ms=8": ("--engine", "null,delay_ms=8", "--video", "none"),
    "ir-auto-shared and video": ("--engine", "ir-auto-shared", "--video", "delivered"),
}


def quantile(values: list[float], p: float) -> float:
    """The nearest rank."""
    return sorted(values)[max(0, -(-round(p * 1000 * len(values)) // 1000) - 1)]


def figures(frames: list[FrameRecord]) -> dict[str, float]:
    """Milliseconds: lateness, due to preprocess, and what lies between service time and result latency."""
    late, start, added = [], [], []
    for frame in frames:
        if frame.service is None or frame.result_latency is None or frame.preprocess_start is None:
            continue
        late.append((frame.lateness or 0) / 1000)
        start.append((frame.preprocess_start - frame.scheduled) / 1000)
        added.append((frame.result_latency - frame.service) / 1000)
    return {
        "lateness p50": median(late),
        "lateness p99": quantile(late, 0.99),
        "due to preprocess p50": median(start),
        "due to preprocess p99": quantile(start, 0.99),
        "result latency less service p50": median(added),
        "result latency less service p99": quantile(added, 0.99),
    }


def main() -> None:
    """Gives verdicts, or publishes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--backends", action="store_true")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    if options.backends:
        with tempfile.TemporaryDirectory() as scratch:
            publish(report, Path(scratch), options.seconds)
    else:
        measure(report, options.rounds, options.frames)
    report.end()


def measure(report: Report, rounds: int, frames: int) -> None:
    """Runs the cases in turn, round by round, and gives the verdicts."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(rounds):
            for name, case in CASES.items():
                out = Path(scratch) / "run"
                replay(FOOTAGE, out, "--model", COCO_MODEL, "--fps", "30", "--frames", str(frames), *case)
                measured[name].append(figures(records(out)))
    middle: dict[str, dict[str, float]] = {}
    for name, of_rounds in measured.items():
        report.say(f"{name} at 30 fps, milliseconds, median of {rounds} rounds and range")
        middle[name] = {}
        for figure in of_rounds[0]:
            values = [one[figure] for one in of_rounds]
            middle[name][figure] = median(values)
            report.say(f"  {figure:34} {spread(values)}")
    null, video = middle["null"], middle["ir-auto-shared and video"]
    report.at_most("null: result latency less service, median", null["result latency less service p50"], 0.3, " ms")
    report.at_most("null: result latency less service, p99", null["result latency less service p99"], 0.6, " ms")
    report.at_most("null: lateness, median", null["lateness p50"], 0.05, " ms")
    report.at_most("ir-auto-shared and video: lateness p99", video["lateness p99"], 1.0, " ms")


if __name__ == "__main__":
    main()
