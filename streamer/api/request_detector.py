"""A request as a user's program calls it: preprocess, infer and postprocess, without a run."""

from __future__ import annotations

import os
from threading import Lock
from typing import Any, NoReturn

import numpy.typing as npt

from streamer.api.bgr_image import check_image
from streamer.detection.detections import Detections
from streamer.engines.base import Request
from streamer.engines.steps import Steps
from streamer.errors import EngineError, StreamerError, UsageError
from streamer.frame import Image


class RequestDetector:
    """Detects with one request of a `streamer.Detector`, and is closed with it.

    One thread may call it at a time; the next call may be by another thread.
    """

    def __init__(self, request: Request, steps: Steps) -> None:
        self._request: Request | None = request
        self._preprocess, self._postprocess = steps
        self._free = Lock()
        self._process = os.getpid()

    def __call__(self, image: npt.NDArray[Any]) -> Detections:
        """The objects in ``image``: height x width x 3 of uint8, BGR, which is not changed.

        Raises UsageError for anything else, when the detector is closed, and while another call is under way;
        EngineError when the runtime fails, and ModelError when the model's output is no boxes.
        """
        picture = check_image(image)
        request = self._usable()
        if not self._free.acquire(blocking=False):
            raise UsageError(
                "the detector is at another picture, in another thread: it takes one at a time; give each thread one "
                "of detector.requests, as of engine='ir,requests=4', or make the threads wait with a lock"
            )
        try:
            place = self._preprocess(picture, request.input)
            return self._postprocess(request.infer(), place)
        except StreamerError:
            raise
        except Exception as error:  # whatever a runtime raises
            raise EngineError(f"the engine failed: {error}") from error
        finally:
            self._free.release()

    def warm_up(self, image: Image, times: int) -> None:
        """Infers ``times`` times without postprocess. Raises EngineError."""
        request = self._usable()
        try:
            for _ in range(times):
                self._preprocess(image, request.input)
                request.infer()
        except Exception as error:  # as above
            raise EngineError(f"the engine failed while it was warmed up: {error}") from error

    def close(self) -> None:
        """Releases the request. A call that is under way in another thread keeps it until it has its result."""
        self._request = None

    def _usable(self) -> Request:
        request = self._request
        if request is None:
            raise UsageError("the detector is closed: call it before close(), within its with block, or make another")
        if os.getpid() != self._process:
            raise UsageError(
                "the detector was made before this process was forked, which has none of its threads: make one in "
                "each process"
            )
        return request

    def __reduce__(self) -> NoReturn:
        refuse_pickling()


def refuse_pickling() -> NoReturn:
    """Raises UsageError."""
    raise UsageError("a detector can be neither copied nor pickled: make one in each process, of the same options")
