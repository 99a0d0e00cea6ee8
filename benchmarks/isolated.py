"""What isolation in a process of its own costs an engine: `--respawn 1` against none, in turns.

python -m benchmarks.isolated [--pairs 6] [--frames 150]

YOLOv5n's COCO weights on OpenCV's vtest.avi at 30 fps, by ir-auto-shared.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.common import COCO_MODEL, FOOTAGE, Report, needs, streamer

MOST_MS = 5.0
"""The most for copying 4 MB in and 6 MB out, and two messages."""


def main() -> None:
    """Runs the pairs, and prints the medians and the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--frames", type=int, default=150)
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL)
    report = Report()
    differences = []
    with tempfile.TemporaryDirectory() as scratch:
        common = (FOOTAGE, "--model", COCO_MODEL, "--fps", "30", "--frames", str(options.frames), "--video", "none")
        for pair in range(options.pairs):
            found = {}
            for respawn in (0, 1) if pair % 2 == 0 else (1, 0):
                out = Path(scratch) / f"{pair}-{respawn}"
                document = streamer("replay", *common, "--respawn", str(respawn), "--out", out)
                found[respawn] = document["infer_ms"]["p50"]
            differences.append(found[1] - found[0])
            report.say(f"{pair + 1}: infer p50 {found[0]:.2f} ms, isolated {found[1]:.2f} ms")
    report.below("what isolation adds to infer, median of the pairs", median(differences), MOST_MS, " ms")
    report.end()


if __name__ == "__main__":
    main()
