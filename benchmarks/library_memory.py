"""Whether a process that runs one replay after another keeps anything of them: memory, threads, open files.

python -m benchmarks.library_memory [--runs 50]
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.common import CLIP, Report
from benchmarks.memory import resident_mb

SETTLED = 10
"""The run after which the first figures are read: libraries have loaded, and pools have their size."""
ALLOWED_GROWTH_MB = 8
ENGINES = {"null engine": "null,delay_ms=1", "ir": "ir"}
FRAMES = 30


def look() -> tuple[float, int, int]:
    """What this process has now: resident MB, threads of Python and of libraries, open files."""
    gc.collect()
    return (
        resident_mb(os.getpid()),
        len(list(Path("/proc/self/task").iterdir())),
        len(list(Path("/proc/self/fd").iterdir())),
    )


def runs(engine: str, number: int) -> None:
    """Runs the engine ``number`` times, and prints a line of figures after each run, for the parent process."""
    import streamer

    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(number):
            run = streamer.replay(
                CLIP, engine=engine, frames=FRAMES, fps="max", out=Path(scratch) / "run", overwrite=True
            )
            if run.manifest["frames"]["delivered"] != FRAMES:
                raise RuntimeError(f"{engine}: {run.manifest['frames']}")
            del run
            print(*look(), threading.active_count(), flush=True)


def measured(report: Report, name: str, engine: str, number: int) -> None:
    """Verdicts on the runs of one engine, in a process of their own."""
    statement = f"from benchmarks.library_memory import runs; runs({engine!r}, {number})"
    done = subprocess.run([sys.executable, "-c", statement], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{name}: a run failed")
    lines = [[float(value) for value in line.split()] for line in done.stdout.splitlines()]
    for count in sorted({1, SETTLED, *range(20, number, 10), number}):
        memory, threads, files, python = lines[count - 1]
        report.say(
            f"{name}, run {count}: {memory:.1f} MB, {threads:g} threads ({python:g} of Python), {files:g} open files"
        )
    first, last = lines[SETTLED - 1], lines[-1]
    between = f"from run {SETTLED} to run {number}"
    report.at_most(f"{name}: memory grown {between}", last[0] - first[0], ALLOWED_GROWTH_MB, " MB")
    report.at_most(f"{name}: threads more {between}", last[1] - first[1], 0)
    report.at_most(f"{name}: open files more {between}", last[2] - first[2], 0)


def main() -> None:
    """Each engine's runs, video and chart included."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    options = parser.parse_args()
    report = Report()
    report.say(f"{options.runs} runs one after another in one process, {FRAMES} frames each, with video and chart")
    for name, engine in ENGINES.items():
        measured(report, name, engine, options.runs)
    report.end()


if __name__ == "__main__":
    main()
