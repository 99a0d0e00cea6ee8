"""``streamer.Detector``, called with pictures from memory: its time against a replay's and Ultralytics', its memory.

    python -m benchmarks.detector [--rounds 9] [--frames 100] [--calls 10000]

The bundled model on the bundled clip, by ir-auto-shared. The order of the three turns round from round to round.
Ultralytics predicts in a process of its own from the IR that it exports of the same weights.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from shutil import copy
from statistics import median

import numpy as np

import streamer
from benchmarks.common import CLIP, ROOT, Report, interval, needs, replay, spread
from benchmarks.memory import resident_mb
from benchmarks.predict import EXPORT, python
from streamer.frame import Image
from streamer.studies.frames import ChosenFrames

ENGINE = "ir-auto-shared"
PREDICT = """
import sys, time
import numpy as np
from ultralytics import YOLO
model = YOLO(sys.argv[1], task="detect")
frames = list(np.load(sys.argv[2]))
options = dict(imgsz=[480, 640], conf=0.25, iou=0.5, verbose=False)
for frame in frames[:20]:
    model.predict(frame, **options)
times = []
for frame in frames:
    start = time.perf_counter()
    model.predict(frame, **options)
    times.append(time.perf_counter() - start)
print(sorted(times)[len(times) // 2] * 1000)
"""
GROWTH_MB = 4
"""What the memory of a process may come to by chance: an arena of the C library's more or less."""


def ours(frames: list[Image]) -> float:
    """The median call, in milliseconds."""
    times = []
    with streamer.Detector(engine=ENGINE, warmup=20) as detector:
        for frame in frames:
            start = time.perf_counter()
            detector(frame)
            times.append((time.perf_counter() - start) * 1000)
    return median(times)


def grown_mb(frames: list[Image], calls: int, report: Report) -> float:
    """What the resident memory grew by from a tenth of the calls to the last."""
    with streamer.Detector(engine=ENGINE) as detector:
        seen = []
        for call in range(calls):
            detector(frames[call % len(frames)])
            if (call + 1) % (calls // 10) == 0:
                seen.append(resident_mb(os.getpid()))
    report.say("resident after each tenth of the calls: " + " ".join(f"{one:.1f}" for one in seen) + " MB")
    return seen[-1] - seen[0]


def timed(options: argparse.Namespace, frames: list[Image], report: Report) -> None:
    """The rounds, and their verdicts."""
    ultralytics = find_spec("ultralytics") is not None and find_spec("torch") is not None
    found: dict[str, list[float]] = {"detector": [], "replay": [], **({"predict": []} if ultralytics else {})}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if ultralytics:
            np.save(scratch / "frames.npy", np.stack(frames))
            copy(ROOT / "models" / "street" / "model.pt", scratch / "street.pt")
            python(EXPORT, scratch / "street.pt", scratch=scratch)
        measure = {
            "detector": lambda: ours(frames),
            "replay": lambda: float(
                replay(
                    *(CLIP, scratch / "run", "--engine", ENGINE, "--fps", "max", "--video", "none"),
                    *("--frames", str(len(frames)), "--warmup", "20", "--no-chart"),
                )["service_ms"]["p50"]
            ),
            "predict": lambda: float(
                python(PREDICT, scratch / "street_openvino_model", scratch / "frames.npy", scratch=scratch)
            ),
        }
        for number in range(options.rounds):
            for name in list(found)[:: -1 if number % 2 else 1]:
                found[name].append(measure[name]())
            report.say("  ".join(f"{name} {times[-1]:.2f}" for name, times in found.items()) + " ms")
    for name, what, target in (("replay", "service_ms of a replay", 1.03), ("predict", "Ultralytics' predict", 0.88)):
        if name not in found:
            report.say(f"{what}: not compared, Ultralytics is not installed")
            continue
        ratios = [a / b for a, b in zip(found["detector"], found[name], strict=True)]
        low, high = interval(ratios)
        report.say(f"detector(image), times {what}: {spread(ratios)}, interval {low:.3f} to {high:.3f}")
        report.at_most(f"median of detector(image), times {what}", median(ratios), target)


def main() -> None:
    """Measures time, then memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--calls", type=int, default=10_000)
    options = parser.parse_args()
    needs(CLIP)
    report = Report()
    frames = [frame.image for frame in ChosenFrames(str(CLIP), options.frames, among=options.frames)]
    timed(options, frames, report)
    growth = grown_mb(frames, options.calls, report)
    report.at_most(f"growth from call {options.calls // 10:,} to call {options.calls:,}", growth, GROWTH_MB, " MB")
    report.end()


if __name__ == "__main__":
    main()
