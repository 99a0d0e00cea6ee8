"""What idling between frames costs: infer at a camera's pace against back to back, in interleaved rounds.

python -m benchmarks.pace [--duration 60s] [--fps 10,max]

YOLOv5n's COCO weights on OpenCV's vtest.avi, by ir-auto-shared. With more rates than these two, the rounds that are
compared are further from each other, and on a machine that changes its speed the interval becomes wider.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.common import COCO_MODEL, FOOTAGE, Report, needs, streamer

OWN_RATE = "10"


def main() -> None:
    """Runs the study and prints its rates, and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", default="60s")
    parser.add_argument("--fps", default=f"{OWN_RATE},max")
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    with tempfile.TemporaryDirectory() as scratch:
        common = ("--fps", options.fps, "--duration", options.duration, "--out", Path(scratch) / "out")
        document = streamer("pace", FOOTAGE, "--model", COCO_MODEL, *common)
    for row in document["rates"]:
        penalty = row["idle_penalty"]
        text = "" if penalty is None else f"{penalty['value']:.3f} ({penalty['low']:.3f} to {penalty['high']:.3f})"
        report.say(
            f"{row['fps']:>4} fps: infer {row['infer_median_ms']['value']:.2f} ms, times back to back {text or '-'}, "
            f"dropped {row['drops_percent']:.1f} %"
        )
        if row["fps"] == OWN_RATE:
            low = penalty["low"]
    report.say(document["answer"])
    report.at_least(f"idle penalty at {OWN_RATE} fps, the footage's own rate: lower end of its interval", low, 1.0)
    report.end()


if __name__ == "__main__":
    main()
