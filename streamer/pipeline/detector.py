"""One hop per frame: preprocess, infer and postprocess in one call, stamped where they happen.

A hop between threads costs 0.1 to 0.3 ms. Three of them, stamped after the hop, would cost more than all
preprocessing. So one worker does all three, and stamps them itself.
"""

from __future__ import annotations

from collections.abc import Callable

from streamer.detection.detections import Detections
from streamer.detection.head import Outputs
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Preprocessor
from streamer.engines.base import Request
from streamer.errors import EngineError, EngineLost
from streamer.frame import Frame
from streamer.ledger.record import FrameRecord
from streamer.machine.info import involuntary_switches
from streamer.pipeline.priming import Primer


class Detector:
    """A request with its own preprocess and postprocess; serves one worker. ``stamp`` reads the run's time."""

    def __init__(
        self,
        request: Request,
        preprocess: Preprocessor,
        postprocess: Postprocess,
        stamp: Callable[[], int],
    ) -> None:
        self._request = request
        self._preprocess = preprocess
        self._postprocess = postprocess
        self._stamp = stamp

    def detect(self, frame: Frame, record: FrameRecord) -> Detections:
        """Detections in the frame, in its pixels; stamps ``record``. Raises EngineError, which names the frame."""
        switches = involuntary_switches()
        try:
            record.preprocess_start = self._stamp()
            place = self._preprocess(frame.image, self._request.input)
            record.preprocess_end = record.infer_start = self._stamp()
            outputs = self._request.infer()
            record.infer_end = self._stamp()
            detections = self._postprocess(outputs, place)
            record.detected = self._stamp()
        except Exception as error:  # whatever a runtime raises ends the run, with the frame it came from
            kind = EngineLost if isinstance(error, EngineLost) else EngineError
            raise kind(f"the engine failed at frame {frame.index}: {error}", frame=frame.index) from error
        record.switches = involuntary_switches() - switches
        record.detections = len(detections)
        record.surest = float(detections.confidence[0]) if record.detections else 0.0
        return detections

    def outputs(self, frame: Frame) -> Outputs:
        """The model's outputs for the frame, valid until the next inference. Raises EngineError."""
        try:
            self._preprocess(frame.image, self._request.input)
            return self._request.infer()
        except Exception as error:  # as above
            raise EngineError(f"the engine failed at frame {frame.index}: {error}", frame=frame.index) from error

    def prime(self, primer: Primer, due_us: int) -> None:
        """Runs throw-away inferences on the last input, before the frame due at ``due_us``. Raises EngineError."""
        try:
            primer.prime(self._request.infer, due_us)
        except Exception as error:  # as above, without a frame
            raise EngineError(f"the engine failed while it was primed: {error}") from error
