"""The heads of RT-DETR as Ultralytics exports it: boxes in shares of the picture, without NMS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Hints, Object, Outputs, corners_of
from streamer.detection.input_spec import Fit
from streamer.detection.layouts.tables import column_of_classes, numbers, open_plane, parts_of_picture, table_in
from streamer.detection.layouts.yolo import MAX_END_TO_END, RTDETR, ULTRALYTICS, YoloHead
from streamer.detection.ports import Signature

STRETCHED = replace(ULTRALYTICS, fit=Fit.STRETCH)
"""Ultralytics stretches the pictures for its RT-DETR (models/rtdetr/predict.py)."""


class _Parts(YoloHead):
    """Boxes as centre and size in shares of the picture, one per query."""

    assumed = STRETCHED
    suppressed = True
    untried = True

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        height, width = model.input_size
        self._sides = np.array([width, height, width, height], np.float32)

    def _corners(self, rows: Floats) -> Floats:
        return corners_of(rows[:, :4] * self._sides)

    def _place(self, row: Array, thing: Object) -> None:
        row[:4] = (thing.x, thing.y, thing.width, thing.height) / self._sides


class RtdetrChosen(_Parts):
    """1 x detections x (centre, size, confidence, class): the shape of an end-to-end YOLO, with other boxes."""

    name = "rtdetr:boxes+confidence+class"
    about = "Ultralytics' RT-DETR since 8.4"

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        if not queries(model) or open_plane(model)[1] != 6 or (hints.layer or RTDETR) != RTDETR:
            return None
        if hints.layer == RTDETR:
            return By.METADATA
        return None if hints.end_to_end or hints.nms_inside else By.SHAPE

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = self.rows(outputs)
        rows = rows[rows[:, 4] > threshold]
        return self._corners(rows), rows[:, 4], numbers(rows[:, 5])

    def scores(self, outputs: Outputs) -> Floats:
        return self.rows(outputs)[:, 4]

    def fits_answer(self, outputs: Outputs) -> str | None:
        rows = self.rows(outputs)
        return column_of_classes(rows[:, 5]) or _no_parts(rows[:, :4])

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        for row, thing in zip(table_in(answer[0]), objects, strict=False):
            self._place(row, thing)
            row[4:6] = thing.confidence, thing.class_id
        return answer


class RtdetrScores(_Parts):
    """1 x queries x (centre, size, classes)."""

    name = "rtdetr:boxes+classes"
    about = "Ultralytics' RT-DETR before 8.4"

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        columns = open_plane(model)[1] if queries(model) else None
        if columns is None or columns < 5 or (hints.layer or RTDETR) != RTDETR:
            return None
        # Any table with so few rows has this shape: only the number of names makes it this head.
        if hints.classes != columns - 4:
            return None
        return By.METADATA if hints.layer == RTDETR else By.SHAPE

    def classes_of(self, model: Signature) -> int | None:
        columns = open_plane(model)[1]
        return None if columns is None else columns - 4

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = self.rows(outputs)
        rows = rows[rows[:, 4:].max(axis=1) > threshold]
        class_id = rows[:, 4:].argmax(axis=1)
        confidence = rows[np.arange(len(rows)), 4 + class_id]
        return self._corners(rows), confidence, class_id.astype(np.int32)

    def scores(self, outputs: Outputs) -> Floats:
        return self.rows(outputs)[:, 4:]

    def fits_answer(self, outputs: Outputs) -> str | None:
        rows = self.rows(outputs)
        return _no_parts(rows[:, :4]) or ("its scores are over 1" if (rows[:, 4:] > 1).any() else None)

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        for row, thing in zip(table_in(answer[0]), objects, strict=False):
            self._place(row, thing)
            row[4 + thing.class_id] = thing.confidence
        return answer


def queries(model: Signature) -> bool:
    """The model has one output, with as many rows as an RT-DETR may have queries."""
    if len(model.outputs) != 1:
        return False
    rows, _ = open_plane(model)
    return rows is not None and 0 < rows <= MAX_END_TO_END


def _no_parts(boxes: Floats) -> str | None:
    return (
        None if parts_of_picture(boxes[np.isfinite(boxes).all(axis=1)]) else "its boxes are no parts of the picture"
    )
