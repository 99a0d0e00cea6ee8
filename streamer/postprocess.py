"""From a model's raw prediction to detections: the heads, and class-aware non-maximum suppression."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from streamer.detections import Detections, no_detections
from streamer.errors import ModelError
from streamer.preprocess import Geometry

STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 3
MAX_CANDIDATES = 30_000
MAX_DETECTIONS = 300

Raw = npt.NDArray[np.float32]


class Head(StrEnum):
    """How a model lays out its raw prediction."""

    OBJECTNESS = "boxes+objectness+classes"
    """1 x predictions x (4 + 1 + classes), as YOLOv5 v7 exports it."""
    CLASSES = "boxes+classes"
    """1 x (4 + classes) x predictions, as Ultralytics exports YOLOv5u, v8 and 11."""


def cells(input_size: tuple[int, int]) -> int:
    """How many cells the three grids of an input of ``input_size`` (height, width) have together."""
    height, width = input_size
    return sum((height // stride) * (width // stride) for stride in STRIDES)


def recognise_head(output_shape: tuple[int, ...], input_size: tuple[int, int]) -> tuple[Head, int]:
    """The head that puts out ``output_shape`` for an input of ``input_size``, and its number of classes.

    The number of predictions follows from the input's size, so the two layouts cannot be mistaken for each other.
    Raises ModelError for anything else.
    """
    if len(output_shape) == 3 and output_shape[0] == 1:
        _, rows, columns = output_shape
        if rows == ANCHORS_PER_CELL * cells(input_size) and columns > 5:
            return Head.OBJECTNESS, columns - 5
        if columns == cells(input_size) and rows > 4:
            return Head.CLASSES, rows - 4
    raise ModelError(
        f"not a detector that streamer knows: an output of {list(output_shape)} for an input of "
        f"{input_size[1]}x{input_size[0]}; give a YOLO detector exported without NMS"
    )


class Postprocess:
    """Turns raw predictions of one head into detections.

    ``confidence`` is the lowest confidence kept; ``iou`` is the overlap from which the weaker of two boxes of one
    class is suppressed. At most 300 detections are kept, as Ultralytics does.
    """

    def __init__(self, head: Head, confidence: float, iou: float) -> None:
        self._confidence = confidence
        self._iou = iou
        self._candidates = _with_objectness if head is Head.OBJECTNESS else _with_classes

    def __call__(self, raw: Raw, place: Geometry) -> Detections:
        """Detections of the frame that lies in the input at ``place``. ``raw`` is not kept."""
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
