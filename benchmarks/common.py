"""What the benchmarks share: running streamer in a process of its own, and printing a verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from streamer.ledger.record import FrameRecord
from streamer.machine.info import this_machine
from streamer.rundir.frames_csv import read_frames
from streamer.vendors.versions import versions

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
FOOTAGE = SHARED / "footage" / "vtest.avi"
COCO_MODEL = SHARED / "models" / "yolov5n-coco.onnx"
RESAMPLES = 10_000
CONFIDENCE = 0.99
CLIP = ROOT / "samples" / "street.mp4"


class Report:
    """Collects verdicts; the process ends with 1 if one was a MISS."""

    def __init__(self) -> None:
        self._missed = 0
        machine = this_machine()
        installed = ", ".join(f"{name} {version}" for name, version in versions().items())
        print(f"{machine.cpu}, {machine.usable_cores} usable cores, load {machine.load}")
        print(installed, flush=True)

    def say(self, line: str) -> None:
        """A line of measurement."""
        print(line, flush=True)

    def at_most(self, what: str, figure: float, target: float, unit: str = "") -> None:
        """A verdict on a figure that should be small."""
        self._check(what, figure, "at most", target, unit, figure <= target)

    def below(self, what: str, figure: float, target: float, unit: str = "") -> None:
        """A verdict on a figure that must not reach a bound."""
        self._check(what, figure, "below", target, unit, figure < target)

    def at_least(self, what: str, figure: float, target: float, unit: str = "") -> None:
        """A verdict on a figure that should be large."""
        self._check(what, figure, "at least", target, unit, figure >= target)

    def _check(self, what: str, figure: float, side: str, target: float, unit: str, passed: bool) -> None:
        self._missed += not passed
        print(
            f"{'PASS' if passed else 'MISS'}  {what}: {figure:.3f}{unit}, target {side} {target:g}{unit}", flush=True
        )

    def end(self) -> None:
        """Ends the process."""
        sys.exit(1 if self._missed else 0)


@contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """Puts the cache into ``folder``, here and in processes started meanwhile."""
    before = os.environ.get("STREAMER_CACHE")
    os.environ["STREAMER_CACHE"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["STREAMER_CACHE"]
        else:
            os.environ["STREAMER_CACHE"] = before


def streamer(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """The document that a command of streamer prints with ``--json``, in a process of its own."""
    command = [sys.executable, "-m", "streamer", *map(str, arguments), "--overwrite", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in codes:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def replay(source: Path, out: Path, *options: str | Path) -> dict[str, Any]:
    """The manifest of ``streamer replay`` in a process of its own."""
    return streamer("replay", source, "--out", out, *options)


def records(out: Path) -> list[FrameRecord]:
    """The ledger of a run, in the order of the frames."""
    return sorted(read_frames(out / "frames.csv"), key=lambda record: record.frame)


def spread(values: Sequence[float]) -> str:
    """Median and range, as text."""
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """The median's bootstrap interval with 99 % confidence, over the rounds."""
    drawn = np.random.default_rng(1).choice(np.asarray(ratios), (RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def needs(*paths: Path) -> None:
    """Ends the process with a message when a file is missing."""
    for path in paths:
        if not path.exists():
            sys.exit(f"needs {path}, which is not here")
