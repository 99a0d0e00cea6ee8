"""From a model's raw prediction to detections: class-aware non-maximum suppression, where the head leaves any."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamer.detection.detections import Detections, no_detections
from streamer.detection.heads import HEADS, Candidates, Head, Raw
from streamer.detection.preprocess import Geometry
from streamer.errors import ModelError
from streamer.vendors.opencv import cv2

MAX_CANDIDATES = 30_000
MAX_DETECTIONS = 300


class Postprocess:
    """Turns raw predictions of one head into detections.

    ``confidence`` is the lowest confidence kept; ``iou`` is the overlap from which the weaker of two boxes of one
    class is suppressed. At most 300 detections are kept, as Ultralytics does. An end-to-end head has suppressed them
    itself; of ``classes`` only those are known that have a name.
    """

    def __init__(self, head: Head, confidence: float, iou: float, classes: int | None = None) -> None:
        self._confidence = confidence
        self._iou = iou
        self._classes = classes
        self._decode = HEADS[head].decode
        self._end_to_end = HEADS[head].end_to_end

    def __call__(self, raw: Raw, place: Geometry) -> Detections:
        """Detections of the frame that lies in the input at ``place``. ``raw`` is not kept.

        Raises ModelError when an end-to-end head finds a class that has no name.
        """
        candidates = self._decode(raw[0], self._confidence)
        return self._chosen(candidates, place) if self._end_to_end else self._suppressed(candidates, place)

    def _suppressed(self, candidates: Candidates, place: Geometry) -> Detections:
        """Those that no more confident one of their class overlaps."""
        cxcywh, confidence, class_id = candidates
        if not len(confidence):
            return no_detections()
        if len(confidence) > MAX_CANDIDATES:
            best = np.argpartition(-confidence, MAX_CANDIDATES)[:MAX_CANDIDATES]
            cxcywh, confidence, class_id = cxcywh[best], confidence[best], class_id[best]
        xyxy = np.empty_like(cxcywh)
        half = cxcywh[:, 2:] / 2
        np.subtract(cxcywh[:, :2], half, out=xyxy[:, :2])
        np.add(cxcywh[:, :2], half, out=xyxy[:, 2:])
        xywh = np.concatenate([xyxy[:, :2], cxcywh[:, 2:]], axis=1)
        # OpenCV's stubs ask for lists; arrays are what it takes without copying.
        suppress: Any = cv2.dnn.NMSBoxesBatched
        kept = np.asarray(suppress(xywh, confidence, class_id, self._confidence, self._iou), np.intp).ravel()
        kept = kept[np.argsort(-confidence[kept], kind="stable")][:MAX_DETECTIONS]
        return Detections(place.to_source(xyxy[kept]), confidence[kept], class_id[kept])

    def _chosen(self, candidates: Candidates, place: Geometry) -> Detections:
        """Those that an end-to-end head has chosen, the most confident first."""
        xyxy, confidence, class_id = candidates
        best = np.argsort(-confidence, kind="stable")[:MAX_DETECTIONS]
        xyxy, confidence, class_id = xyxy[best], confidence[best], class_id[best]
        if self._classes is not None and len(best) and not 0 <= class_id.min() <= class_id.max() < self._classes:
            raise ModelError(
                f"the model detects class {class_id.max()} and has names for {self._classes}: "
                "import it again with --names FILE"
            )
        return Detections(place.to_source(xyxy), confidence, class_id)
