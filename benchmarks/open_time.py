"""The time to open a video and the peak memory of a replay by the null engine, times those of another checkout.

python -m benchmarks.open_time BEFORE FILE... [--rounds 15] [--opens 5] [--frames 1000]

BEFORE is a checkout of an earlier commit, as of ``git worktree add --detach BEFORE COMMIT``. Both take turns, each
time in a process of its own that opens the file ``--opens`` times; ratios are computed within rounds. Every third
round replays ``--frames`` frames, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import ROOT, Report, interval, needs

AT_MOST = 1.05
"""Two measurements of the same differ by less."""
REPLAYS_EVERY = 3
OPENS = """
import json, sys, time
from pathlib import Path
import streamer
from streamer.video.reader import VideoReader
took = []
for _ in range(int(sys.argv[2]) + 1):
    start = time.perf_counter()
    reader = VideoReader(Path(sys.argv[1]))
    took.append(time.perf_counter() - start)
    reader.close()
print(json.dumps({"from": streamer.__file__, "seconds": took[1:]}))
"""
"""What a process runs; its first time loads what is loaded once, and does not count."""


def main() -> None:
    """Takes turns on each file, and prints the figures and the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--opens", type=int, default=5)
    parser.add_argument("--frames", type=int, default=1000)
    options = parser.parse_args()
    needs(options.before / "streamer", *options.files)
    report = Report()
    for file in options.files:
        opened: dict[Path, list[float]] = {options.before: [], ROOT: []}
        peaks: dict[Path, list[float]] = {options.before: [], ROOT: []}
        for number in range(options.rounds):
            for checkout in list(opened) if number % 2 == 0 else list(opened)[::-1]:
                opened[checkout].append(open_ms(checkout, file, options.opens))
                if number % REPLAYS_EVERY == 0:
                    peaks[checkout].append(peak_mb(checkout, file, options.frames))
        compared(report, f"{file.name}: time to open", opened[options.before], opened[ROOT], "ms")
        compared(report, f"{file.name}: peak memory of a replay", peaks[options.before], peaks[ROOT], "MB")
    report.end()


def compared(report: Report, what: str, before: Sequence[float], after: Sequence[float], unit: str) -> None:
    """Prints medians, the median ratio of the rounds with its interval, and the verdict on it."""
    ratios = [one / other for one, other in zip(after, before, strict=True)]
    low, high = interval(ratios)
    report.say(
        f"{what}: {median(before):.2f} {unit} before, {median(after):.2f} {unit} now; ratio {low:.3f} to {high:.3f}"
    )
    report.at_most(f"{what}, times that before", median(ratios), AT_MOST)


def open_ms(checkout: Path, file: Path, times: int) -> float:
    """The least time in which a checkout's code opens a file, in a new process; contention only adds to it."""
    document = _document(checkout, "-c", OPENS, str(file.resolve()), str(times))
    assert Path(document["from"]).is_relative_to(checkout.resolve()), f"{document['from']} is not from {checkout}"
    return float(min(document["seconds"])) * 1000


def peak_mb(checkout: Path, file: Path, frames: int) -> float:
    """The peak of resident memory of a replay by the null engine, in MB."""
    with tempfile.TemporaryDirectory() as scratch:
        wanted = (
            "--engine",
            "null",
            "--fps",
            "max",
            "--frames",
            str(frames),
            "--video",
            "none",
            "--no-chart",
            "--json",
        )
        document = _document(
            checkout, "-m", "streamer", "replay", str(file.resolve()), "--out", f"{scratch}/run", *wanted
        )
    return float(document["resources"]["peak_resident_mb"])


def _document(checkout: Path, *arguments: str) -> dict[str, Any]:
    """The JSON document that Python prints with the code of a checkout."""
    # -P: not the code of the working directory.
    command = [sys.executable, "-P", *arguments]
    there = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
    done = subprocess.run(command, env=there, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{checkout}: {done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


if __name__ == "__main__":
    main()
