"""Parity: whether the engines find the same objects in the same frames, and whether these match the ground truth.

The engines run one after the other, so that only one is in memory. Each detects one frame at a time, with all of
replay's steps. Only the detections are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from streamer.accuracy.agreement import Agreement, AgreementMeter
from streamer.accuracy.ground_truth import GroundTruth, find_truth
from streamer.accuracy.mean_average_precision import LEAST_CONFIDENCE, SUPPRESSING_IOU, FrameTruth, evaluate
from streamer.detection.detections import Detections
from streamer.detection.input_spec import Fit
from streamer.detection.postprocess import Postprocess
from streamer.engines.config import precision_of
from streamer.engines.equivalence import Sameness
from streamer.engines.registry import open_engine, unavailable
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError, EngineUnavailable, ModelError, UsageError
from streamer.models.model import Model
from streamer.settings.option import ANY_SHARE, FROM_1, option, rows_of
from streamer.settings.settings import OPTIONS
from streamer.settings.study_options import TRUTH
from streamer.studies.frames import ChosenFrames
from streamer.studies.offline_detector import Opened
from streamer.studies.parity.rows import EngineParity, Verdict
from streamer.studies.reference import most_exact


@dataclass(frozen=True, slots=True, kw_only=True)
class ParitySettings:
    """The settings of a parity study, with the defaults of ``streamer parity``.

    ``engines`` and ``reference`` are parsed SPECs. Settings without a row here are those of a replay. They do not
    affect mean average precision, which is measured as COCO does. Raises UsageError for what makes no sense.
    """

    engines: tuple[EngineSpec, ...]
    reference: EngineSpec | None = option(
        None,
        "--reference SPEC",
        "The engine that the others are compared with.",
        default_text="the first that can run of onnx, ir (in f32), pytorch",
        read=parse_spec,
    )
    frames: int = option(
        100,
        "--frames N",
        "How many frames are compared, spread evenly over the source; the first N of an endless source.",
        read=int,
        range=FROM_1,
    )
    truth: Path | None = field(default=None, metadata={"option": TRUTH})
    min_agreement: float = option(
        0.9,
        "--min-agreement A",
        "Exit code 3 when an engine's agreement with the reference is under this share.",
        read=float,
        range=ANY_SHARE,
    )
    confidence: float = 0.25
    iou: float = 0.5
    fit: Fit | None = None
    video_stream: int | None = None

    def __post_init__(self) -> None:
        for name, row in PARITY_OPTIONS.items():
            row.refuse(getattr(self, name))
        for name in ("confidence", "iou", "video_stream"):
            OPTIONS[name].refuse(getattr(self, name))


PARITY_OPTIONS = rows_of(ParitySettings)
"""The rows of the options of parity alone."""
NOTHING = FrameTruth(np.empty((0, 4)), np.empty(0, np.int64), np.empty(0, np.bool_))
"""The truth of a frame without ground truth."""


@dataclass(slots=True)
class _Ran:
    """The detections of one engine in each frame: those of a replay, and with ground truth all that count for mAP."""

    precision: str = ""
    devices: tuple[str, ...] = ()
    same_as: str | None = None
    frames: list[int] = field(default_factory=list)
    found: list[Detections] = field(default_factory=list)
    everything: list[Detections] = field(default_factory=list)


class Parity:
    """The study of engines on one source and model.

    The constructor checks all that can be checked before anything runs. ``compared`` has the frames that the
    reference has seen, with their truth, `NOTHING` without ground truth. Raises UsageError, SourceError and
    ModelError, and EngineUnavailable when the reference cannot run here.
    """

    def __init__(self, source: str, model: Model, settings: ParitySettings) -> None:
        self.model = model
        self.settings = settings
        self.reference = settings.reference or most_exact(model)
        self.others = tuple(dict.fromkeys(spec for spec in settings.engines if spec != self.reference))
        if not self.others:
            raise UsageError(f"{self.reference.spec} is the reference itself: name another engine to compare with it")
        self.frames = ChosenFrames(source, settings.frames, video_stream=settings.video_stream)
        truth = find_truth(source, self.frames.info, model.names, settings.truth)
        self.truth: GroundTruth | None = None if isinstance(truth, str) else truth
        self.no_truth = truth if isinstance(truth, str) else None
        self._sameness = Sameness()
        self.compared: dict[int, FrameTruth] = {}
        self._present = {} if self.truth is None else self._truths(self.truth)
        why = unavailable(self.reference, model)
        if why:
            raise EngineUnavailable(f"the reference cannot run here: {why}")
        # Opening an engine checks its refinements: a wrong one is an error before the first has run.
        for spec in (self.reference, *self.others):
            with suppress(EngineError):
                open_engine(spec, model).close()

    def _truths(self, truth: GroundTruth) -> dict[int, FrameTruth]:
        if not self.frames.info.own_sizes:
            return {index: truth.of(index) for index in self.frames.indices}
        present = {}
        for frame in self.frames:
            height, width = frame.image.shape[:2]
            truth.check(frame.index, (width, height))
            present[frame.index] = truth.of(frame.index)
        return present

    def rows(
        self, advance: Callable[[str], None], meanwhile: Callable[[], object] = lambda: None
    ) -> Iterator[EngineParity]:
        """The reference's row, then that of each engine as soon as it is done.

        ``advance`` is called with an engine's SPEC after each of its frames, ``meanwhile`` for each frame that is
        read. Raises EngineError when the reference fails or none of the others can run, SourceError when the source
        fails.
        """
        self.frames.meanwhile = meanwhile
        reference = self._run(self.reference, advance)
        self.compared = {index: self._present.get(index, NOTHING) for index in reference.frames}
        yield self._row(self.reference, reference, None)
        failures = []
        for spec in self.others:
            try:
                ran = self._run(spec, advance)
            except (EngineError, ModelError) as error:
                failures.append(str(error))
                yield EngineParity(spec.spec, Verdict.UNAVAILABLE, why=str(error))
            else:
                yield self._row(spec, ran, _agreement(reference, ran))
        if len(failures) == len(self.others):
            raise EngineError(
                f"nothing to compare {self.reference.spec} with, no other engine can run: {failures[0]}"
            )

    def _run(self, spec: EngineSpec, advance: Callable[[str], None]) -> _Ran:
        settings, model = self.settings, self.model
        counted = Postprocess(model.decoder(), LEAST_CONFIDENCE, SUPPRESSING_IOU, model.names)
        ran = _Ran()
        with Opened(spec, model, fit=settings.fit, confidence=settings.confidence, iou=settings.iou) as opened:
            for frame in self.frames:
                if self.truth is None:
                    ran.found.append(opened.detect(frame))
                else:
                    found, everything = opened.detect_twice(frame, counted)
                    ran.found.append(found)
                    ran.everything.append(everything)
                ran.frames.append(frame.index)
                advance(spec.spec)
            ran.precision = precision_of(opened.engine.config_in_force)
            ran.devices = opened.engine.execution_devices
            ran.same_as = self._sameness.of(spec, model, opened.engine)
        return ran

    def _row(self, spec: EngineSpec, ran: _Ran, agreement: Agreement | None) -> EngineParity:
        accuracy = None
        if self.truth is not None:
            present = [self._present[index] for index in ran.frames]
            accuracy = evaluate(present, ran.everything, self.truth.classes)
        return EngineParity(
            spec=spec.spec,
            verdict=self._verdict(agreement),
            precision=ran.precision,
            devices=ran.devices,
            same_as=ran.same_as,
            frames=len(ran.frames),
            detections=sum(map(len, ran.found)),
            agreement=agreement,
            accuracy=accuracy,
        )

    def _verdict(self, agreement: Agreement | None) -> Verdict:
        if agreement is None:
            return Verdict.REFERENCE
        if agreement.smaller is None:
            return Verdict.UNCHECKED
        return Verdict.AGREES if agreement.smaller >= self.settings.min_agreement else Verdict.DISAGREES


def _agreement(reference: _Ran, other: _Ran) -> Agreement:
    meter = AgreementMeter()
    for one, another in zip(reference.found, other.found, strict=True):
        meter.add(one, another)
    return meter.result()
