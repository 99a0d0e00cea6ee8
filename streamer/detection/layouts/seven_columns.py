"""The heads with detections x 7 after NMS in the model; the first column is the picture's number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Head, Hints, Object, Outputs, floats
from streamer.detection.layouts.tables import numbers, with_room
from streamer.detection.layouts.yolo import NMS_INSIDE, ULTRALYTICS
from streamer.detection.ports import Signature

COLUMNS = 7
FLAT = "flat_predictions"
"""The end of SuperGradients' name for the output, after the name of a part of its graph."""


class ClassThenScore(Head):
    """detections x (picture, corners, class, confidence), as many as there are.

    Source: ONNX_ORT in models/experimental.py of the YOLOv7 repository, and in end2end.py of YOLOv6's.
    """

    name = "nms:picture+boxes+class+confidence"
    about = "YOLOv7 and YOLOv6 exported with --end2end for ONNX Runtime"
    assumed = ULTRALYTICS
    suppressed = True
    untried = True
    _class: ClassVar[int] = 5
    _score: ClassVar[int] = 6

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        return By.SHAPE if seven_columns(model) else None

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = floats(outputs[0])
        # Where the number of rows is fixed, unused rows belong to no picture.
        rows = rows[(rows[:, self._score] > threshold) & (rows[:, 0] >= 0)]
        return rows[:, 1:5], rows[:, self._score], numbers(rows[:, self._class])

    def scores(self, outputs: Outputs) -> Floats:
        rows = floats(outputs[0])
        return rows[rows[:, 0] >= 0][:, self._score]

    def fits_answer(self, outputs: Outputs) -> str | None:
        rows = floats(outputs[0])
        classes, scores = rows[:, self._class], rows[:, self._score]
        if (classes != np.round(classes)).any() or (scores > 1).any():
            return f"its column {self._class + 1} of {COLUMNS} holds no class numbers, or {self._score + 1} no scores"
        return None

    def example(self, objects: Sequence[Object]) -> list[Array]:
        port = self.model.outputs[0]
        (answer,) = self.blank()
        answer = with_room(answer, port.shape, len(objects))
        answer[len(objects) :, 0] = -1
        for row, thing in zip(answer, objects, strict=False):
            row[1:5] = thing.corners
            row[self._class], row[self._score] = thing.class_id, thing.confidence
        return [answer]

    def notes(self) -> list[str]:
        return [NMS_INSIDE]


class ScoreThenClass(ClassThenScore):
    """detections x (picture, corners, confidence, class), as many as there are.

    Source: documentation/source/models_export.md of SuperGradients, the flat format.
    """

    name = "nms:picture+boxes+confidence+class"
    about = "YOLO-NAS and PP-YOLOE of SuperGradients, in its flat format"
    _class = 6
    _score = 5

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        if not seven_columns(model):
            return None
        return By.NAMES if model.outputs[0].name.endswith(FLAT) else By.SHAPE


def seven_columns(model: Signature) -> bool:
    """There is one output, without a batch, with seven columns."""
    return len(model.outputs) == 1 and len(shape := model.outputs[0].shape) == 2 and shape[1] == COLUMNS
