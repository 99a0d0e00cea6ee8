"""An engine for studies that take one frame after the other, outside the pipeline."""

from __future__ import annotations

from types import TracebackType

from streamer.detection.detections import Detections
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Fit, preprocess_for
from streamer.engines.registry import open_engine
from streamer.engines.variants import EngineSpec
from streamer.errors import EngineError
from streamer.frame import Frame
from streamer.models.model import Model


class Opened:
    """An engine that is read and compiled while the context lasts, with all of replay's steps around it.

    Raises EngineUnavailable when it cannot run here, UsageError for a refinement that is wrong, and EngineError when
    it fails, which then names the frame.
    """

    def __init__(
        self, spec: EngineSpec, model: Model, *, fit: Fit = Fit.LETTERBOX, confidence: float = 0.25, iou: float = 0.5
    ) -> None:
        self.engine = open_engine(spec, model)
        self._preprocess = preprocess_for(spec.preprocess, model.input_size, fit)
        self._postprocess = Postprocess(model.head, confidence, iou, len(model.names))

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

    def detect(self, frame: Frame) -> Detections:
        """What it finds in the frame."""
        return self.detect_twice(frame, self._postprocess)[0]

    def detect_twice(self, frame: Frame, other: Postprocess) -> tuple[Detections, Detections]:
        """What it finds in the frame, and what ``other`` makes of the same raw prediction."""
        request = self.engine.requests[0]
        try:
            place = self._preprocess(frame.image, request.input)
            raw = request.infer()
            found = self._postprocess(raw, place)
            return found, found if other is self._postprocess else other(raw, place)
        except Exception as error:  # whatever a runtime raises ends this engine, with the frame it came from
            raise EngineError(f"it failed at frame {frame.index}: {error}", frame=frame.index) from error
