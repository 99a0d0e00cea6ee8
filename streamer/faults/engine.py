"""Faults of an engine: requests that are slow, raise, hang, die or leak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamer.detection.detections import Detections
from streamer.detection.head import Outputs
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Preprocessor
from streamer.engines.base import Input, Request
from streamer.faults.kinds import Kind
from streamer.faults.trigger import Trigger
from streamer.frame import Frame
from streamer.ledger.record import FrameRecord
from streamer.pipeline.detector import Detector


@dataclass(frozen=True, slots=True)
class Means:
    """The means of making an engine fail: ``block`` it for seconds, ``hang`` it for good, ``kill`` its process."""

    block: Callable[[float], None]
    hang: Callable[[], None]
    kill: Callable[[], None]


class FaultyRequest:
    """A request with faults, which are injected at the current ``frame``; None: nothing is injected."""

    def __init__(self, request: Request, faults: Sequence[Trigger], means: Means, stamp: Callable[[], int]) -> None:
        self._request = request
        self._faults = faults
        self._means = means
        self._stamp = stamp
        self._leaked: list[bytes] = []
        self.frame: Frame | None = None

    @property
    def input(self) -> Input:
        return self._request.input

    def infer(self) -> Outputs:
        if self.frame is not None:
            for trigger in self._faults:
                if trigger.fault.stream == self.frame.stream and trigger.fires(self.frame.index, self._stamp()):
                    self._fail(trigger)
        return self._request.infer()

    def _fail(self, trigger: Trigger) -> None:
        match trigger.fault.kind:
            case Kind.ENGINE_SLOW:
                self._means.block(trigger.fault.ms / 1000)
            case Kind.ENGINE_RAISE:
                raise RuntimeError(trigger.fault.name)
            case Kind.ENGINE_HANG:
                self._means.hang()
            case Kind.ENGINE_KILL:
                self._means.kill()
            case Kind.ENGINE_LEAK:
                # Not zeros: the system would not have to keep them anywhere.
                self._leaked.append(b"\1" * round(trigger.fault.kb * 1024))


class FaultyDetector(Detector):
    """A detector whose request has faults."""

    def __init__(
        self,
        request: Request,
        preprocess: Preprocessor,
        postprocess: Postprocess,
        stamp: Callable[[], int],
        faults: Sequence[Trigger],
        means: Means,
    ) -> None:
        self._faulty = FaultyRequest(request, faults, means, stamp)
        super().__init__(self._faulty, preprocess, postprocess, stamp)

    def detect(self, frame: Frame, record: FrameRecord) -> Detections:
        # The frame of the warm-up and the canary were not captured in the run.
        self._faulty.frame = None if record.captured is None else frame
        try:
            return super().detect(frame, record)
        finally:
            self._faulty.frame = None
