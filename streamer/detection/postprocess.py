"""From a model's raw prediction to detections: the heads, and class-aware non-maximum suppression."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.detection.detections import Detections, no_detections
from streamer.detection.preprocess import Geometry
from streamer.errors import ModelError
from streamer.vendors.opencv import cv2

STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 3
MAX_CANDIDATES = 30_000
MAX_DETECTIONS = 300
MAX_END_TO_END = 1000
"""More rows than this no end-to-end head puts out: it has chosen among its predictions, by default 300 of them."""

Raw = npt.NDArray[np.float32]


class Head(StrEnum):
    """How a model lays out its raw prediction."""

    OBJECTNESS = "boxes+objectness+classes"
    """1 x predictions x (4 + 1 + classes), as YOLOv5 v7 exports it."""
    CLASSES = "boxes+classes"
    """1 x (4 + classes) x predictions, as Ultralytics exports YOLOv5u, v8 and 11."""
    END_TO_END = "boxes+confidence+class"
    """1 x detections x (corners, confidence, class), as YOLOv10 and YOLO26 export it: nothing is left to suppress."""


def cells(input_size: tuple[int, int]) -> int:
    """How many cells the three grids of an input of ``input_size`` (height, width) have together."""
    height, width = input_size
    return sum((height // stride) * (width // stride) for stride in STRIDES)


def recognise_head(
    output_shape: tuple[int, ...], input_size: tuple[int, int], *, end_to_end: bool = False
) -> tuple[Head, int | None]:
    """The head that puts out ``output_shape`` for an input of ``input_size``, and its number of classes.

    The number of predictions follows from the input's size, so the raw layouts cannot be mistaken for others; six
    columns of any other number are those of an end-to-end head, which does not tell its classes (None). With
    ``end_to_end`` the metadata says that it is one. Raises ModelError for anything else.
    """
    if len(output_shape) == 3 and output_shape[0] == 1:
        _, rows, columns = output_shape
        chosen = columns == 6 and 0 < rows <= MAX_END_TO_END
        if chosen and end_to_end:
            return Head.END_TO_END, None
        if rows == ANCHORS_PER_CELL * cells(input_size) and columns > 5:
            return Head.OBJECTNESS, columns - 5
        if columns == cells(input_size) and rows > 4:
            return Head.CLASSES, rows - 4
        if chosen:
            return Head.END_TO_END, None
    raise ModelError(
        f"not a detector that streamer knows: an output of {list(output_shape)} for an input of "
        f"{input_size[1]}x{input_size[0]}; give a YOLO detector exported without NMS"
    )


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
