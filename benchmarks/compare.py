"""`streamer compare` on known engines: the same one twice, null ones that differ by 10 %, and the tutorial's seven.

python -m benchmarks.compare [--times 20] [--frames 480]

The same engine twice on real input (YOLOv5n's COCO weights on OpenCV's vtest.avi at 30 fps) must be called no
different 19 times of 20. The tutorial's seven on the bundled clip take under 4 minutes, and PyTorch is the slowest.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.common import CLIP, COCO_MODEL, FOOTAGE, Report, needs, streamer

ENGINE = "ir-auto-shared"


def main() -> None:
    """Runs all three, and prints their figures and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--frames", type=int, default=480)
    options = parser.parse_args()
    needs(FOOTAGE, COCO_MODEL, CLIP)
    report = Report()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out"
        tutorial(report, out)
        slower(report, out)
        twice(report, out, options.times, options.frames)
    report.end()


def tutorial(report: Report, out: Path) -> None:
    """The tutorial's seven."""
    start = time.monotonic()
    document = streamer("compare", CLIP, "--engines", "tutorial", "--out", out)
    took = time.monotonic() - start
    for row in document["engines"]:
        report.say(f"{row['engine']:16} {line_of(row)}")
    report.say(document["answer"])
    report.below("compare --engines tutorial on the bundled clip", took, 240, " s")
    medians = {row["engine"]: row["median_ms"]["value"] for row in document["engines"] if row["median_ms"]}
    slowest = medians.pop("pytorch")
    report.at_least("pytorch's median, times that of the next slowest", slowest / max(medians.values()), 2.5)


def slower(report: Report, out: Path) -> None:
    """Two engines, one of which takes a tenth longer."""
    engines = ("--engine", "null,delay_ms=10", "--engine", "null,delay_ms=11")
    row = streamer("compare", CLIP, *engines, "--frames", "360", "--out", out)["engines"][1]
    report.say(f"null,delay_ms=11 against 10: {line_of(row)}")
    report.at_least("it is found to be slower", float(row["speed"] == "slower"), 1)


def twice(report: Report, out: Path, times: int, frames: int) -> None:
    """The same engine twice, so many times."""
    speeds: Counter[str] = Counter()
    ratios: list[float] = []
    common = ("--model", COCO_MODEL, "--fps", "30", "--frames", str(frames), "--out", out)
    for number in range(times):
        row = streamer("compare", FOOTAGE, "--engine", ENGINE, "--engine", ENGINE, *common)["engines"][1]
        speeds[row["speed"]] += 1
        ratios.append(row["ratio_p50"]["value"])
        report.say(f"{number + 1}: {line_of(row)}")
    deviation = statistics.stdev(map(math.log, ratios))
    report.say(
        f"deviation of the ratios {deviation:.4f}: of a process by itself {deviation / math.sqrt(2):.4f} at most"
    )
    report.at_least(f"no difference between {ENGINE} and itself, of {times}", speeds["no difference"], times * 0.95)


def line_of(row: dict[str, Any]) -> str:
    """A row in a line."""
    if row["median_ms"] is None:
        return f"{row['speed']}: {row['why']}"
    median = f"{row['median_ms']['value']:.2f} ms, dropped {row['drops_percent']:.1f} %, {row['precision']}"
    same = f", same as {row['same_as']}" if row["same_as"] else ""
    if row["ratio_p50"] is None:
        return f"{median}{same}, {row['speed']}"
    ratios = ", ".join(f"{name} {interval_of(row[f'ratio_{name}'])}" for name in ("p50", "p95"))
    return f"{median}{same}, {row['speed']}: {ratios}"


def interval_of(ratio: dict[str, float] | None) -> str:
    """A ratio with its interval."""
    return "-" if ratio is None else f"{ratio['value']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})"


if __name__ == "__main__":
    main()
