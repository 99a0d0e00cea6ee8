"""Detection outside the pipeline, one frame after the other, for studies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

import numpy as np

from streamer.accuracy.agreement import Agreement, AgreementMeter
from streamer.accuracy.mean_average_precision import FrameTruth
from streamer.detection.detections import Detections
from streamer.detection.head import Outputs
from streamer.detection.input_spec import Fit, InputSpec
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import preprocess_for
from streamer.engines.registry import open_engine
from streamer.engines.steps import steps_for
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError
from streamer.frame import Frame
from streamer.models.model import Model
from streamer.settings.settings import Settings


class Opened:
    """An engine with replay's steps around it, read and compiled while the context lasts.

    Raises EngineUnavailable when it cannot run here, UsageError for a wrong refinement, and EngineError when it
    fails, which names the frame.
    """

    def __init__(
        self, spec: EngineSpec, model: Model, *, fit: Fit | None = None, confidence: float = 0.25, iou: float = 0.5
    ) -> None:
        self.engine = open_engine(spec, model)
        self._how, self._model = spec.preprocess, model
        self._preprocess, self._postprocess = steps_for(spec, model, fit=fit, confidence=confidence, iou=iou)

    def __enter__(self) -> Opened:
        try:
            self.engine.read()
            self.engine.compile()
        except BaseException:
            self.engine.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.engine.close()

    def prepare_as(self, spec: InputSpec) -> None:
        """Prepares frames by ``spec`` from now on, unless the model's graph prepares them itself."""
        port = self._model.signature.picture_port
        self._preprocess = preprocess_for(self._how, port, self._model.input_size, spec)

    def outputs(self, frame: Frame) -> Outputs:
        """The model's outputs for the frame, valid until the next frame. Raises EngineError."""
        request = self.engine.requests[0]
        try:
            self._preprocess(frame.image, request.input)
            return request.infer()
        except Exception as error:  # as below
            raise EngineError(f"it failed at frame {frame.index}: {error}", frame=frame.index) from error

    def detect(self, frame: Frame) -> Detections:
        """The detections in the frame. Raises EngineError."""
        return self.detect_twice(frame, self._postprocess)[0]

    def detect_twice(self, frame: Frame, other: Postprocess) -> tuple[Detections, Detections]:
        """The detections in the frame, and those that ``other`` makes of the same outputs. Raises EngineError."""
        request = self.engine.requests[0]
        try:
            place = self._preprocess(frame.image, request.input)
            outputs = request.infer()
            found = self._postprocess(outputs, place)
            return found, found if other is self._postprocess else other(outputs, place)
        except Exception as error:  # whatever a runtime raises ends this engine, with the frame it came from
            raise EngineError(f"it failed at frame {frame.index}: {error}", frame=frame.index) from error


TRUTH_CONFIDENCE = 0.25
"""The least confidence of detections that stand for the truth where there is none."""


def detect_offline(
    frames: Iterable[Frame], spec: EngineSpec, model: Model, replay: Settings, advance: Callable[[], None]
) -> dict[int, Detections]:
    """The engine's detections by the frame's index, with the fit, confidence and IoU of ``replay``.

    ``advance`` is called after each frame. Raises EngineUnavailable, ModelError and EngineError when the engine
    cannot run here or fails, SourceError when the source fails.
    """
    found = {}
    with Opened(spec, model, fit=replay.fit, confidence=replay.confidence, iou=replay.iou) as opened:
        for frame in frames:
            found[frame.index] = opened.detect(frame)
            advance()
    return found


def agreement_of(reference: Mapping[int, Detections], other: Mapping[int, Detections]) -> Agreement:
    """The agreement of two engines over the frames that both have."""
    meter = AgreementMeter()
    for frame in sorted(reference.keys() & other.keys()):
        meter.add(reference[frame], other[frame])
    return meter.result()


def as_truth(found: Detections) -> FrameTruth:
    """Detections from `TRUTH_CONFIDENCE` on, as the truth of the frame."""
    sure = found.confidence >= TRUTH_CONFIDENCE
    return FrameTruth(
        found.xyxy[sure].astype(np.float64),
        found.class_id[sure].astype(np.int64),
        np.zeros(int(sure.sum()), np.bool_),
    )
