"""Before the origin: reads, compiles and warms up the engine, and times each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from streamer.detection.annotate import annotate_stale
from streamer.detection.detections import no_detections
from streamer.detection.soundness import signs_of_damage
from streamer.engines.base import Engine
from streamer.frame import Frame
from streamer.ledger.record import FrameRecord
from streamer.models.model import Model
from streamer.pipeline.detector import Detector
from streamer.workers.clock import Clock


@dataclass(slots=True)
class Timings:
    """The durations of the steps before the origin, in milliseconds."""

    read_ms: float = 0.0
    compile_ms: float = 0.0
    first_inference_ms: float = 0.0
    warmup_ms: float = 0.0


REHEARSALS = 5
AGAIN = 3
"""The inferences that warm up again after other runs: their weights are in the caches."""


def make_ready(engine: Engine, clock: Clock, timings: Timings) -> None:
    """Reads and compiles the engine. Blocks."""
    timings.read_ms = _timed(engine.read, clock)
    timings.compile_ms = _timed(engine.compile, clock)


def warm_up(detectors: Sequence[Detector], frame: Frame, times: int, clock: Clock, timings: Timings) -> None:
    """Runs each detector on copies of ``frame``: once to time its first inference, then ``times``. Blocks."""
    for detector in detectors:
        first = FrameRecord(frame.stream, frame.index, 0, 0)
        detector.detect(frame, first)
        timings.first_inference_ms = max(timings.first_inference_ms, (first.infer or 0) / 1000)
    timings.warmup_ms = _timed(lambda: _repeat(detectors, frame, times), clock)


def warm_again(detectors: Sequence[Detector], frame: Frame) -> None:
    """Runs each detector on ``frame`` after the run was held. Blocks."""
    _repeat(detectors, frame, AGAIN)


def warm_inference_us(detector: Detector, frame: Frame) -> float:
    """The duration of an inference right behind another, in us: priming plans with it at first. Blocks."""
    records = [FrameRecord(frame.stream, frame.index, 0, 0) for _ in range(REHEARSALS)]
    for record in records:
        detector.detect(frame, record)
    return median(record.infer or 0 for record in records)


def damage_of(model: Model, detector: Detector, frame: Frame) -> list[str]:
    """The known doubts about the model, and the signs of damage in its outputs for ``frame``. Blocks."""
    signs = signs_of_damage(model.decoder(), detector.outputs(frame))
    known = (f"{model.name}: {doubt}" for doubt in model.doubts)
    return [*known, *(f"{model.name} looks damaged: {sign}" for sign in signs)]


def warm_drawing(frame: Frame, names: Sequence[str]) -> None:
    """Draws on a copy of ``frame``: OpenCV loads its font for the first text, which takes as long as an inference."""
    annotate_stale(frame.image.copy(), no_detections(), names, 0)


def _repeat(detectors: Sequence[Detector], frame: Frame, times: int) -> None:
    for detector in detectors:
        for _ in range(times):
            detector.detect(frame, FrameRecord(frame.stream, frame.index, 0, 0))


def _timed(work: Callable[[], None], clock: Clock) -> float:
    start = clock.now_us()
    work()
    return (clock.now_us() - start) / 1000
