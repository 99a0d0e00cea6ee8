"""The heads of YOLO models with boxes in pixels of their input: raw, and end to end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from streamer.detection.head import Array, By, Candidates, Floats, Head, Hints, Object, Outputs, corners_of, floats
from streamer.detection.input_spec import InputSpec
from streamer.detection.layouts.cells import STRIDES, by_grids, grids
from streamer.detection.layouts.tables import (
    Table,
    column_of_classes,
    flat,
    numbers,
    open_plane,
    parts_of_picture,
    sides_of,
    table_in,
    table_of,
    with_room,
)
from streamer.detection.ports import Signature

ANCHORS_PER_CELL = 3
MAX_END_TO_END = 1000
"""The most rows of an end-to-end head, which selects among its predictions, by default 300 of them."""
ULTRALYTICS = InputSpec()
"""RGB, 0 to 1, letterboxed with gray 114: the preprocessing of Ultralytics and of the YOLOv5 repository."""
YOLOV6 = "outputs"
"""The name of YOLOv6's output; YOLOX's, of the same shape, has another name."""
ALWAYS = 0.99
"""Since version 2 YOLOv6 gives every box an objectness of 1, which INT8 may round."""
RTDETR = "RTDETRDecoder"
"""The class of the last layer of Ultralytics' RT-DETR."""
BOXES_ALONE = "it finds more than boxes and runs as a detector of these; the rest, such as keypoints, is left out"
NMS_INSIDE = (
    "its NMS is inside, with thresholds that were fixed when it was exported: a lower --conf finds no more, "
    "and --iou changes nothing"
)


class YoloHead(Head):
    """A head with the boxes in one output; another may have the prototypes of masks."""

    assumed = ULTRALYTICS

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._table = table_of(model) or Table(0)

    def rows(self, outputs: Outputs) -> Floats:
        """The output with the boxes, as rows x columns in float32."""
        return flat(outputs[self._table.at])

    def notes(self) -> list[str]:
        if self._table.masks:
            return ["it is a model for segmentation and runs as a detector of its boxes; its masks are left out"]
        return []


class Objectness(YoloHead):
    """1 x predictions x (centre, size, objectness, classes), then perhaps the coefficients of masks.

    Confidence = objectness x class score.
    """

    name = "boxes+objectness+classes"
    about = "YOLOv5 and YOLOv7 with three anchors a cell, those for segmentation as well; YOLOv6 with one"

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        sides, table = sides_of(model)
        if sides is None or sides[1] - table.masks <= 5:
            return None
        if one_per_cell(model) and model.outputs[table.at].name == YOLOV6:
            return By.NAMES
        by_anchors = by_grids(model.input_size, sides[0], ANCHORS_PER_CELL)
        return by_anchors or by_grids(model.input_size, sides[0], 1, STRIDES)

    def classes_of(self, model: Signature) -> int | None:
        sides, table = sides_of(model)
        return None if sides is None else sides[1] - 5 - table.masks

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = table_in(outputs[self._table.at])
        rows = floats(rows[rows[:, 4] >= threshold])
        scores = rows[:, 5 : 5 + (self.classes or 0)] * rows[:, 4:5]
        class_id = scores.argmax(axis=1)
        confidence = scores[np.arange(len(rows)), class_id]
        above = confidence > threshold
        return corners_of(rows[above, :4]), confidence[above], class_id[above].astype(np.int32)

    def scores(self, outputs: Outputs) -> Floats:
        return self.rows(outputs)[:, 4 : 5 + (self.classes or 0)]

    def fits_answer(self, outputs: Outputs) -> str | None:
        rows = self.rows(outputs)
        if (rows[:, 2:4] < 0).any():
            return "its boxes have sizes below 0"
        named = self.model.outputs[self._table.at].name == YOLOV6
        if one_per_cell(self.model) and not named and (rows[:, 4] < ALWAYS).any():
            return "some of its boxes are no objects, and YOLOv6 leaves that to its classes"
        return None

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        for row, thing in zip(table_in(answer[self._table.at]), objects, strict=False):
            row[:4] = thing.x, thing.y, thing.width, thing.height
            row[4] = 1
            row[5 + thing.class_id] = thing.confidence
        return answer


class Classes(YoloHead):
    """1 x (centre, size, classes) x predictions; after the classes perhaps the coefficients of masks."""

    name = "boxes+classes"
    about = "YOLOv5u, v8, v9, 11, 12, 26 and others of Ultralytics; those for segmentation as well"

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        sides, table = sides_of(model)
        if sides is None or sides[0] - 4 - table.masks < 1 or _more_than_classes(sides[0], table, hints):
            return None
        return by_grids(model.input_size, sides[1])

    def classes_of(self, model: Signature) -> int | None:
        sides, table = sides_of(model)
        return None if sides is None else sides[0] - 4 - table.masks

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        columns = table_in(outputs[self._table.at])[: 4 + (self.classes or 0)]
        columns = floats(columns[:, some_from(columns[4:], threshold)])
        class_id = columns[4:].argmax(axis=0)
        confidence = columns[4:][class_id, np.arange(columns.shape[1])]
        above = confidence > threshold
        boxes = np.ascontiguousarray(columns[:4, above].T)
        return corners_of(boxes), confidence[above], class_id[above].astype(np.int32)

    def scores(self, outputs: Outputs) -> Floats:
        return self.rows(outputs)[4 : 4 + (self.classes or 0)]

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        for row, thing in zip(table_in(answer[self._table.at]).T, objects, strict=False):
            row[:4] = thing.x, thing.y, thing.width, thing.height
            row[4 + thing.class_id] = thing.confidence
        return answer


class ClassesAndMore(Classes):
    """`Classes` with further columns that only the metadata declares: keypoints, or masks without prototypes."""

    name = "boxes+classes+more"
    about = "Ultralytics' models for poses, and those for segmentation whose prototypes were cut off"

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        sides, table = sides_of(model)
        if sides is None or not _more_than_classes(sides[0], table, hints):
            return None
        return None if by_grids(model.input_size, sides[1]) is None else By.METADATA

    @classmethod
    def declared_classes(cls, model: Signature, hints: Hints) -> int | None:
        sides, _ = sides_of(model)
        return hints.classes if sides is None or hints.keypoints is None else sides[0] - 4 - hints.keypoints

    def classes_of(self, model: Signature) -> int | None:
        return None

    def notes(self) -> list[str]:
        return [BOXES_ALONE]


class EndToEnd(YoloHead):
    """1 x detections x (corners, confidence, class), then perhaps the coefficients of masks or keypoints."""

    name = "boxes+confidence+class"
    about = "YOLOv10 and YOLO26 end to end; those for segmentation and poses as well"
    suppressed = True

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        if not six_columns(model, hints) or hints.layer == RTDETR:
            return None
        return By.METADATA if hints.end_to_end else By.SHAPE

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = self.rows(outputs)
        rows = rows[rows[:, 4] > threshold]
        return rows[:, :4], rows[:, 4], numbers(rows[:, 5])

    def scores(self, outputs: Outputs) -> Floats:
        return self.rows(outputs)[:, 4]

    def fits_answer(self, outputs: Outputs) -> str | None:
        rows = self.rows(outputs)
        if parts_of_picture(rows[:, :4]) and (rows[:, :4] > 0).any():
            return "its boxes are no larger than a pixel"
        return column_of_classes(rows[:, 5])

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        at = self._table.at
        answer[at] = with_room(answer[at], self.model.outputs[at].shape, len(objects))
        for row, thing in zip(table_in(answer[at]), objects, strict=False):
            row[:6] = *thing.corners, thing.confidence, thing.class_id
        return answer

    def notes(self) -> list[str]:
        more = super().notes()
        columns = open_plane(self.model, self._table.at)[1] or 6
        if columns > 6 + self._table.masks:
            more.append(BOXES_ALONE)
        return more


class NmsInside(EndToEnd):
    """`EndToEnd`, for a model that was exported with NMS inside."""

    name = "nms:boxes+confidence+class"
    about = "Ultralytics' exports with nms=True"
    untried = True

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        inside = hints.nms_inside and not hints.end_to_end and hints.layer != RTDETR
        return By.METADATA if inside and six_columns(model, hints) else None

    def notes(self) -> list[str]:
        return [*super().notes(), NMS_INSIDE]


def one_per_cell(model: Signature) -> bool:
    """There is a prediction for each cell of the usual grids."""
    sides, _ = sides_of(model)
    return sides is not None and grids(model.input_size, sides[0]) is not None


def _more_than_classes(rows: int, table: Table, hints: Hints) -> bool:
    """The metadata declares more columns than classes, among ``rows`` per prediction, without prototypes of masks."""
    if table.masks:
        return False
    if hints.keypoints is not None:
        return rows - 4 - hints.keypoints >= 1
    return hints.task in ("pose", "segment") and 0 < (hints.classes or 0) < rows - 4


def six_columns(model: Signature, hints: Hints) -> bool:
    """The output with the boxes has columns for corners, confidence, class, and declared masks or keypoints."""
    table = table_of(model)
    if table is None:
        return False
    rows, columns = open_plane(model, table.at)
    if columns is None or (rows is not None and not 0 < rows <= MAX_END_TO_END):
        return False
    if table.masks == 0 and hints.keypoints is None and hints.task in ("pose", "segment"):
        return columns >= 6
    return columns == 6 + (table.masks or hints.keypoints or 0)


def some_from(scores: Array, threshold: float) -> npt.NDArray[np.intp]:
    """The numbers of the columns with a score of ``threshold`` or more."""
    if scores.dtype == np.float16 and threshold >= 0:
        # Half floats of 0 and more have the order of their bits, in which NumPy finds the maximum far faster.
        return np.flatnonzero(scores.view(np.int16).max(axis=0) >= np.float16(threshold).view(np.int16))
    return np.flatnonzero(scores.max(axis=0) >= threshold)
