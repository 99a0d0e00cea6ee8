"""From a model's raw prediction to detections: the heads, and class-aware non-maximum suppression."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.detection.detections import Detections, no_detections
from streamer.detection.heads import Head
from streamer.detection.preprocess import Geometry
from streamer.errors import ModelError
from streamer.vendors.opencv import cv2

MAX_CANDIDATES = 30_000
MAX_DETECTIONS = 300

Raw = npt.NDArray[np.float32]


class Postprocess:
    """Turns raw predictions of one head into detections.

    ``confidence`` is the lowest confidence kept; ``iou`` is the overlap from which the weaker of two boxes of one
    class is suppressed. At most 300 detections are kept, as Ultralytics does. An end-to-end head has suppressed them
    itself; of ``classes`` only those are known that have a name.
    """

    def __init__(self, head: Head, confidence: float, iou: float, classes: int | None = None) -> None:
        self._head = head
        self._confidence = confidence
        self._iou = iou
        self._classes = classes
        self._candidates = _with_objectness if head is Head.OBJECTNESS else _with_classes

    def __call__(self, raw: Raw, place: Geometry) -> Detections:
        """Detections of the frame that lies in the input at ``place``. ``raw`` is not kept.

        Raises ModelError when an end-to-end head finds a class that has no name.
        """
        if self._head is Head.END_TO_END:
            return self._chosen(raw[0], place)
        cxcywh, confidence, class_id = self._candidates(raw[0], self._confidence)
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

    def _chosen(self, rows: npt.NDArray[np.float32], place: Geometry) -> Detections:
        """Of an end-to-end head's rows (corners, confidence, class) those that are confident enough."""
        rows = rows[rows[:, 4] > self._confidence]
        rows = rows[np.argsort(-rows[:, 4], kind="stable")][:MAX_DETECTIONS]
        class_id = rows[:, 5].astype(np.int32)
        if self._classes is not None and len(rows) and not 0 <= class_id.min() <= class_id.max() < self._classes:
            raise ModelError(
                f"the model detects class {class_id.max()} and has names for {self._classes}: "
                "import it again with --names FILE"
            )
        return Detections(place.to_source(rows[:, :4]), rows[:, 4].copy(), class_id)


Candidates = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int32]]


def _with_objectness(rows: npt.NDArray[np.float32], threshold: float) -> Candidates:
    """Candidates among predictions x (box, objectness, classes): confidence = objectness x class score."""
    rows = rows[rows[:, 4] > threshold]
    scores = rows[:, 5:] * rows[:, 4:5]
    class_id = scores.argmax(axis=1)
    confidence = scores[np.arange(len(rows)), class_id]
    above = confidence > threshold
    return rows[above, :4], confidence[above], class_id[above].astype(np.int32)


def _with_classes(columns: npt.NDArray[np.float32], threshold: float) -> Candidates:
    """Candidates among (box, classes) x predictions: confidence = class score."""
    above = np.flatnonzero(columns[4:].max(axis=0) > threshold)
    chosen = columns[:, above]
    class_id = chosen[4:].argmax(axis=0)
    confidence = chosen[4:][class_id, np.arange(len(above))]
    return np.ascontiguousarray(chosen[:4].T), confidence, class_id.astype(np.int32)
