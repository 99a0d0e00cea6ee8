"""``streamer.Detector``: the engine that was measured, in one's own program."""

from __future__ import annotations

import os
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Any, NoReturn, Unpack

import numpy as np
import numpy.typing as npt

from streamer.api.effective import Effective, effective
from streamer.api.forked import keep_when_forked
from streamer.api.request_detector import RequestDetector, refuse_pickling
from streamer.detection.detections import Detections
from streamer.detection.input_spec import PADDING_GRAY
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.engines.steps import steps_for
from streamer.engines.variants import EngineSpec
from streamer.errors import UsageError
from streamer.models.find import find_model
from streamer.settings.keywords import DetectorOptions, no_such_option
from streamer.settings.library_words import in_library_words
from streamer.settings.settings import Settings

CAMERA = (720, 1280)
"""Height and width of the gray warm-up picture in pixels: those of a camera, so that it is scaled."""


class Detector:
    """A detector that is called with pictures: the engine of a replay, without the replay.

    ::

        with streamer.Detector(engine="ir-auto-shared", model="mine.onnx") as detector:
            found = detector(image)
            print(found.xyxy, found.confidence, found.labels)

    ``engine``, ``model``, ``trust``, ``conf``, ``iou``, ``fit`` and ``warmup`` are the options of `replay`, with its
    defaults. The constructor reads and compiles the model, and infers ``warmup`` times with each request on a gray
    picture, since the first inferences are slow. It blocks for a tenth of a second to minutes.

    A detector holds the model and the runtime's threads until it is closed: by the end of the ``with``, or by
    `close`. It belongs to the process that made it, and cannot be used in one that is forked from that.

    Raises UsageError for a name that is no option, for a value that an option does not take, and for priming, which
    needs the time at which the next frame is due; UntrustedModel for a .pt without ``trust``; ModelError,
    EngineUnavailable or EngineError when the model cannot be run.
    """

    def __init__(self, **options: Unpack[DetectorOptions]) -> None:
        for unknown in options.keys() - DetectorOptions.__annotations__.keys():
            raise no_such_option(unknown, DetectorOptions.__annotations__)
        with in_library_words():
            settings = Settings(**options)
            spec = parse_spec(settings.engine)
            _refuse_priming(spec)
            model = find_model(settings.model, settings.trust)
            self._engine = open_engine(spec, model)
            try:
                self._engine.read()
                self._engine.compile()
                keep_when_forked(self._engine)
                self._requests = tuple(
                    RequestDetector(
                        request,
                        steps_for(spec, model, fit=settings.fit, confidence=settings.confidence, iou=settings.iou),
                    )
                    for request in self._engine.requests
                )
                self._effective = effective(spec, model, self._engine, settings)
                gray = np.full((*CAMERA, 3), PADDING_GRAY, np.uint8)
                for one in self._requests:
                    one.warm_up(gray, settings.warmup)
            except BaseException:
                self._engine.close()
                raise
        self._first = self._requests[0]
        self._closed = False
        self._process = os.getpid()

    def __call__(self, image: npt.NDArray[Any]) -> Detections:
        """The objects in ``image``, detected by the first of `requests`.

        ``image`` is height x width x 3 of uint8, BGR, as ``cv2`` reads pictures. It is not changed, need not be
        contiguous, and may be of another size in each call. Boxes are in its pixels.

        Raises UsageError for anything else, when the detector is closed, and while another call is under way;
        EngineError when the runtime fails, and ModelError when the model's output is no boxes.
        """
        return self._first(image)

    @property
    def requests(self) -> tuple[RequestDetector, ...]:
        """A detector for each request of the engine, all of one compiled model; one, unless the SPEC has more.

        Each is called with a picture, as the detector is. They may be called at the same time, each in a thread of
        its own: ``engine="ir,requests=4"`` has four. A call of the detector itself uses the first. All are closed
        with the detector.
        """
        return self._requests

    @property
    def effective(self) -> Effective:
        """The effective configuration now, as AUTO may change the device; the last one once it is closed."""
        if not self._closed:
            devices = self._engine.execution_devices
            if devices != self._effective.execution_devices:
                config = MappingProxyType(dict(self._engine.config_in_force))
                self._effective = replace(self._effective, execution_devices=devices, config_in_force=config)
        return self._effective

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each class, by ``class_id``; empty when the model has no names."""
        return self._effective.names

    def close(self) -> None:
        """Frees the model and the runtime. It may be called twice. A call that is under way still returns its result.

        It does nothing in a process that was forked from the one that made the detector.
        """
        if self._closed or os.getpid() != self._process:
            return
        self._effective = self.effective
        self._closed = True
        for one in self._requests:
            one.close()
        self._engine.close()

    def __enter__(self) -> Detector:
        if self._closed:
            raise UsageError("the detector is closed: make another")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        shown = self._effective
        state = "closed" if self._closed else f"on {', '.join(shown.execution_devices)}"
        return f"<streamer.Detector {shown.spec}, model {shown.model}, {state}>"

    def __reduce__(self) -> NoReturn:
        refuse_pickling()


def _refuse_priming(spec: EngineSpec) -> None:
    if spec.prime:
        raise UsageError(
            f"engine {spec.spec}: prime=on fills the time until a frame is due, and here none is due: "
            "give prime=off, or ir-auto-shared for ir-primed"
        )
