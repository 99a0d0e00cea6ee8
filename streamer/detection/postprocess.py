"""Turns a model's outputs into detections, with class-aware non-maximum suppression where the head needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.detection.detections import Detections
from streamer.detection.head import Floats, Head, Outputs
from streamer.detection.preprocess import Geometry
from streamer.errors import ModelError
from streamer.vendors.opencv import cv2

MAX_CANDIDATES = 30_000
MAX_DETECTIONS = 300
ELSE = "its output is of another kind than its head says, or the model is damaged"
MAX_CONFIDENCE = 1e6
"""A confidence may be over 1 by a damaged model's mistake; beyond this its numbers mean something else."""

Kept = npt.NDArray[np.intp]
"""The places of the kept candidates."""


class Postprocess:
    """Turns the outputs of a model with ``head`` into detections.

    ``confidence`` is the lowest confidence kept, 0 to 1. ``iou`` is the overlap, 0 to 1, from which the less
    confident of two boxes of a class is suppressed, unless the model did that itself. At most 300 detections are
    kept, as Ultralytics does. ``names`` are those of the classes, empty where they are unknown. Candidates of the
    head's classes for no object are left out.
    """

    def __init__(self, head: Head, confidence: float, iou: float, names: Sequence[str] = ()) -> None:
        self._confidence = confidence
        self._iou = iou
        self._names = names
        self._decode = head.decode
        self._suppressed = head.suppressed
        self._nothing = np.array(sorted(head.nothing), np.int32)

    def __call__(self, outputs: Outputs, place: Geometry) -> Detections:
        """The detections of the frame at ``place`` in the input. ``outputs`` are not kept.

        Raises ModelError for a class that has no name, and for an invalid box or confidence.
        """
        xyxy, confidence, class_id = self._decode(outputs, self._confidence)
        if len(self._nothing) and len(class_id):
            objects = ~np.isin(class_id, self._nothing)
            xyxy, confidence, class_id = xyxy[objects], confidence[objects], class_id[objects]
        kept = self._most_confident(confidence) if self._suppressed else self._suppress(xyxy, confidence, class_id)
        xyxy, confidence, class_id = xyxy[kept], confidence[kept], class_id[kept]
        if self._names and len(kept) and not 0 <= class_id.min() <= class_id.max() < len(self._names):
            raise ModelError(
                f"the model detects class {class_id.max()} and has names for {len(self._names)}: "
                "import it again with --names FILE"
            )
        return _sound(Detections(place.to_source(xyxy), confidence, class_id, self._names))

    def _most_confident(self, confidence: Floats) -> Kept:
        return np.argsort(-confidence, kind="stable")[:MAX_DETECTIONS]

    def _suppress(self, xyxy: Floats, confidence: Floats, class_id: npt.NDArray[np.int32]) -> Kept:
        """The candidates that no more confident one of their class overlaps, the most confident first."""
        if not len(confidence):
            return np.zeros(0, np.intp)
        best: Kept | None = None
        if len(confidence) > MAX_CANDIDATES:
            best = np.argpartition(-confidence, MAX_CANDIDATES)[:MAX_CANDIDATES]
            xyxy, confidence, class_id = xyxy[best], confidence[best], class_id[best]
        xywh = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
        xywh[np.isnan(xywh)] = 0  # OpenCV would drop such boxes, and they are to be reported
        # OpenCV's stubs require lists; it takes arrays without copying.
        suppress: Any = cv2.dnn.NMSBoxesBatched
        kept = np.asarray(suppress(xywh, confidence, class_id, self._confidence, self._iou), np.intp).ravel()
        kept = kept[np.argsort(-confidence[kept], kind="stable")][:MAX_DETECTIONS]
        return kept if best is None else best[kept]


def _sound(found: Detections) -> Detections:
    """The detections. Raises ModelError for an invalid box or confidence."""
    boxes, confidence = found.xyxy, found.confidence
    if not len(found):
        return found
    if not np.isfinite(boxes).all() or (boxes[:, 2:] < boxes[:, :2]).any():
        wrong = next(box for box in boxes if not np.isfinite(box).all() or (box[2:] < box[:2]).any())
        raise ModelError(
            f"the model puts out what is no box, corners {', '.join(f'{side:g}' for side in wrong)}; {ELSE}"
        )
    if not confidence.max() < MAX_CONFIDENCE:
        raise ModelError(f"the model puts out a confidence of {confidence.max():g}; {ELSE}")
    return found
