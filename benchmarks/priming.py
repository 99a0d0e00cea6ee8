"""Result latency of ir-primed against ir-auto-shared at the camera's pace, interleaved, and what it costs.

python -m benchmarks.priming [--rounds 8] [--seconds 12] [--fps 5,10,30] [--video]

Each round is one run of each, in an order that turns round. YOLOv5n's COCO weights on OpenCV's vtest.avi.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import COCO_MODEL, FOOTAGE, Report, interval, needs, records, replay

BASE, PRIMED = "ir-auto-shared", "ir-primed"
TARGETS = {5: 0.9, 10: 0.9, 30: 1.0}
DELAYED = 0.005


def main() -> None:
    """Measures at each rate, and gives the verdicts; with a video figures are published only."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--fps", default="5,10,30")
    parser.add_argument("--video", action="store_true", help="with the annotated video; no verdicts")
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    for fps in map(int, options.fps.split(",")):
        measure(report, fps, options)
    report.end()


def measure(report: Report, fps: int, options: argparse.Namespace) -> None:
    """The rounds at one rate."""
    medians: dict[str, list[float]] = {BASE: [], PRIMED: []}
    cpu_s: dict[str, list[float]] = {BASE: [], PRIMED: []}
    priming: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(options.rounds):
            for engine in (BASE, PRIMED) if number % 2 else (PRIMED, BASE):
                out = Path(scratch) / "run"
                run = replay(
                    *(FOOTAGE, out, "--model", COCO_MODEL, "--engine", engine, "--fps", str(fps), "--loop"),
                    *("--frames", str(round(fps * options.seconds))),
                    *("--video", "delivered" if options.video else "none"),
                )
                latencies = [one.result_latency / 1000 for one in records(out) if one.result_latency is not None]
                medians[engine].append(median(latencies))
                cpu_s[engine].append(run["resources"]["cpu_s"] / run["frames"]["delivered"])
                if engine == PRIMED:
                    priming.append({**run["priming"], "scheduled": run["frames"]["scheduled"]})
    ratios = [a / b for a, b in zip(medians[PRIMED], medians[BASE], strict=True)]
    low, high = interval(ratios)
    scheduled = sum(one["scheduled"] for one in priming)
    delayed = sum(one["frames_delayed"] for one in priming)
    report.say(
        f"{fps} fps: result latency p50 {median(medians[BASE]):.2f} ms, primed {median(medians[PRIMED]):.2f} ms, "
        f"ratio {median(ratios):.3f} ({low:.3f} to {high:.3f}), rounds {', '.join(f'{one:.2f}' for one in ratios)}"
    )
    report.say(
        f"{fps} fps: {sum(one['frames_primed'] for one in priming)} of {scheduled} frames primed, by "
        f"{sum(one['inferences'] for one in priming)} inferences; CPU time a frame "
        f"{1000 * median(cpu_s[BASE]):.0f} ms, primed {1000 * median(cpu_s[PRIMED]):.0f} ms; "
        f"{delayed} delayed, by at most {max(one['most_delay_ms'] for one in priming):.1f} ms"
    )
    if not options.video:
        report.at_most(
            f"{fps} fps: result latency p50, times unprimed: upper end of the interval", high, TARGETS[fps]
        )
        report.at_most(f"{fps} fps: real frames delayed, share", delayed / scheduled, DELAYED)


if __name__ == "__main__":
    main()
