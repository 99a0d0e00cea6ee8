"""The harness measured by itself, over event loops and rates: the table of ``benchmarks.harness --backends``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import numpy as np

from benchmarks.common import COCO_MODEL, FOOTAGE, Report
from streamer.ledger.record import FrameRecord, elapsed
from streamer.run.finished import Run
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.stats.percentiles import PERCENTILES, frames_needed, nearest_rank, spoken
from streamer.vendors.openvino_quiet import ov
from streamer.video.writer import VideoWriter

CLIP_SIZE, MODEL_SIZE = (160, 120), 64
"""Small enough to be decoded and preprocessed a thousand times a second."""
SHOWN = ("p50", "p99", "p999")
COLUMN = 8


@dataclass(frozen=True, slots=True)
class Backend:
    """An event loop as anyio runs it; ``package`` must be installed for it."""

    name: str
    backend: str
    options: dict[str, Any]
    package: str


BACKENDS = (
    Backend("asyncio", "asyncio", {}, "asyncio"),
    Backend("asyncio+uvloop", "asyncio", {"use_uvloop": True}, "uvloop"),
    Backend("trio", "trio", {}, "trio"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """An engine at a rate; ``small`` takes a small clip and the inputs of a small model."""

    engine: str
    video: Video
    fps: int
    small: bool


CASES = (
    *(Case("null", Video.NONE, fps, small=fps > 60) for fps in (30, 60, 120, 1_000)),
    *(Case("ir-auto-shared", Video.DELIVERED, fps, small=False) for fps in (30, 60)),
)

FIGURES: dict[str, Callable[[FrameRecord], int | None]] = {
    "lateness": lambda record: record.lateness,
    "overhead": lambda record: elapsed(record.service, record.result_latency),
}
"""In microseconds. Service time begins with preprocess and ends with detected, so overhead (result latency less
service time) is to the microsecond what lies between due and preprocess: one figure has both names."""


def publish(report: Report, scratch: Path, seconds: float) -> None:
    """Runs every case on every event loop, in turn, for so long each, and prints a line for each."""
    small = _small_clip(scratch / "small.mp4"), _small_model(scratch / "small.xml")
    backends = [backend for backend in BACKENDS if find_spec(backend.package)]
    for backend in BACKENDS:
        if backend not in backends:
            report.say(f"{backend.name} is left out: {backend.package} is not installed")
    report.say(f"milliseconds; {seconds:g} s each")
    report.say("overhead: result latency less service time, that is due to preprocess_start")
    report.say(f"a percentile needs frames: {', '.join(_needs())}; * is small")
    width, height = CLIP_SIZE
    sizes = f"{width}x{height} and inputs of {MODEL_SIZE}x{MODEL_SIZE}"
    report.say(f"small: a clip of {sizes}; else {FOOTAGE.name}, {COCO_MODEL.name}")
    for line in _heading():
        report.say(line)
    for case in CASES:
        for backend in backends:
            source, model = small if case.small else (FOOTAGE, COCO_MODEL)
            settings = Settings(
                engine=case.engine,
                model=str(model),
                fps=case.fps,
                frames=max(1, round(seconds * case.fps)),
                loop=True,
                video=case.video,
                out=scratch / "run",
                overwrite=True,
            )
            done: Run = anyio.run(
                run, str(source), settings, backend=backend.backend, backend_options=backend.options
            )
            if done.failure is not None:
                raise done.failure
            report.say(_line(case, backend, done))


def _small_clip(path: Path) -> Path:
    """A second of moving gray at 30 fps."""
    width, height = CLIP_SIZE
    with VideoWriter(path, width, height, Fraction(30), Fraction(1, 30)) as video:
        for number in range(30):
            video.write(np.full((height, width, 3), 8 * number, np.uint8), Fraction(number, 30))
    return path


def _small_model(path: Path) -> Path:
    """A detector of which the null engine takes no more than its inputs and its layout."""
    op = ov.opset13
    image = op.parameter([1, 3, MODEL_SIZE, MODEL_SIZE], np.float32, "images")
    brightness = op.reduce_mean(image, op.constant(np.array([1, 2, 3])), keep_dims=False)
    model = ov.Model([op.multiply(op.constant(np.ones((1, 6, 84), np.float32)), brightness)], [image], "small")
    model.set_rt_info("person car", ["model_info", "labels"])
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def _needs() -> Iterator[str]:
    for name in SHOWN:
        yield f"{spoken(name)} {frames_needed(PERCENTILES[name]):,}"


def _heading() -> tuple[str, str]:
    names = f"{'':15} {'':6} {'':15} {'':15}" + "".join(f"  {name:>{COLUMN * len(SHOWN)}}" for name in FIGURES)
    percentiles = "".join(f"{spoken(name):>{COLUMN}}" for name in SHOWN)
    return names, f"{'engine':15} {'fps':>6} {'event loop':15} {'delivered':>15}" + f"  {percentiles}" * len(FIGURES)


def _line(case: Case, backend: Backend, done: Run) -> str:
    frames = done.ledger
    cells = "".join(f"  {_cells(map(figure, frames))}" for figure in FIGURES.values())
    delivered = f"{done.manifest['frames']['delivered']:,} of {len(frames):,}"
    return f"{case.engine:15} {f'{case.fps:,}' + '*' * case.small:>6} {backend.name:15} {delivered:>15}{cells}"


def _cells(values: Iterable[int | None]) -> str:
    """The percentiles of some microseconds in milliseconds; a dash where there are too few."""
    known = sorted(value for value in values if value is not None)
    return "".join(
        f"{known[nearest_rank(len(known), PERCENTILES[name]) - 1] / 1000:{COLUMN}.3f}"
        if len(known) >= frames_needed(PERCENTILES[name])
        else f"{'-':>{COLUMN}}"
        for name in SHOWN
    )
