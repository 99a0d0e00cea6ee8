"""The heads of YOLOX: the raw one, in cells of its grids, and the decoded one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Hints, Object, Outputs, corners_of, floats
from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.layouts.cells import STRIDES, by_grids, cell_corners, grids, rows_are_raw
from streamer.detection.layouts.tables import sides_of, table_in
from streamer.detection.layouts.yolo import YOLOV6, Objectness
from streamer.detection.ports import Signature

YOLOX = InputSpec(colour=Colour.BGR, low=0.0, high=255.0, fit=Fit.LETTERBOX_TOP_LEFT)
"""BGR, 0 to 255, in the upper left corner: the preprocessing of Megvii's repository since its version 0.1.1."""


class YoloxBoxes(Objectness):
    """`Objectness` with one prediction per cell, exported with ``--decode_in_inference``."""

    name = "yolox:boxes+objectness+classes"
    about = "YOLOX, decoded in the model"
    assumed = YOLOX
    untried = True

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        sides, _ = sides_of(model)
        if sides is None or sides[1] <= 5 or len(model.outputs) > 1:
            return None
        by = by_grids(model.input_size, sides[0], 1, STRIDES)
        if by is not None and hints.family == "yolox":
            return By.METADATA
        return None if model.outputs[0].name == YOLOV6 else by

    def fits_answer(self, outputs: Outputs) -> str | None:
        rows = self.rows(outputs)
        if (rows[:, 2:4] < 0).any():
            return "its boxes have sizes below 0"
        return "its boxes lie in none of its cells" if rows_are_raw(self.model.input_size, rows) else None


class YoloxGrid(YoloxBoxes):
    """1 x cells x (centre in the cell, logarithm of the size, objectness, classes), in units of the grid's stride.

    Centre = (output + the cell's column and row) x stride; size = exp(output) x stride; confidence = objectness x
    class score (Ge et al., YOLOX: Exceeding YOLO Series in 2021, arXiv:2107.08430).
    """

    name = "yolox:grid+objectness+classes"
    about = "YOLOX as Megvii's export_onnx.py gives it"
    untried = False

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        sides, _ = sides_of(model)
        rows = None if sides is None else sides[0]
        strides = grids(model.input_size, rows) or ()
        self._corner, self._stride = cell_corners(model.input_size, strides)

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = table_in(outputs[0])
        objects = np.flatnonzero(rows[:, 4] >= threshold)
        rows = floats(rows[objects])
        scores = rows[:, 5:] * rows[:, 4:5]
        class_id = scores.argmax(axis=1)
        confidence = scores[np.arange(len(rows)), class_id]
        above = confidence > threshold
        boxes, stride = rows[above, :4], self._stride[objects[above]]
        boxes[:, :2] = (boxes[:, :2] + self._corner[objects[above]]) * stride
        with np.errstate(over="ignore"):  # an infinite box is clipped at the edges
            boxes[:, 2:] = np.exp(boxes[:, 2:]) * stride
        return corners_of(boxes), confidence[above], class_id[above].astype(np.int32)

    def scores(self, outputs: Outputs) -> Floats:
        return self.rows(outputs)[:, 4:]

    def fits_answer(self, outputs: Outputs) -> str | None:
        if not rows_are_raw(self.model.input_size, self.rows(outputs)):
            return "it is no raw grid of YOLOX's: what it gives are no places in cells"
        return None

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        for row, corner, stride, thing in zip(
            table_in(answer[0]), self._corner, self._stride[:, 0], objects, strict=False
        ):
            row[0], row[1] = thing.x / stride - corner[0], thing.y / stride - corner[1]
            row[2], row[3] = np.log(thing.width / stride), np.log(thing.height / stride)
            row[4] = 1
            row[5 + thing.class_id] = thing.confidence
        return answer
