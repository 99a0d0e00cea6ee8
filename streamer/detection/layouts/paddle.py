"""The heads of models that PaddleDetection exports with their postprocessing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Head, Hints, Object, Outputs
from streamer.detection.input_spec import InputSpec
from streamer.detection.layouts.detr import IMAGENET, PLAIN, blank, flat_view, rows_of
from streamer.detection.layouts.tables import flat
from streamer.detection.ports import Signature, fixed

COLUMNS = 6
"""Class, confidence and corners."""
SCALE, SHAPE = "scale_factor", "im_shape"


class PaddleNms(Head):
    """Detections x (class, confidence, corners), and their number; a class below 0 marks no detection.

    The model divides boxes by its input `scale_factor`. That is 1, so that boxes are in pixels of the input.
    """

    name = "class+confidence+boxes"
    about = "PicoDet and PP-YOLOE of PaddleDetection, with NMS inside (second input `scale_factor`)"
    assumed: ClassVar[InputSpec] = IMAGENET
    suppressed = True
    untried = True
    beside: ClassVar[frozenset[str]] = frozenset({SCALE})
    """The names of the inputs beside the picture."""

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        names = {port.name.lower() for at, port in enumerate(model.inputs) if at != model.picture}
        return By.NAMES if names == cls.beside and _detections(model) is not None else None

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._detections = _detections(model) or 0

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = flat(outputs[self._detections])
        rows = rows[(rows[:, 1] > threshold) & (rows[:, 0] >= 0)]
        return rows[:, 2:], rows[:, 1], rows[:, 0].astype(np.int32)

    def scores(self, outputs: Outputs) -> Floats:
        return flat(outputs[self._detections])[:, 1]

    def fits_answer(self, outputs: Outputs) -> str | None:
        labels = flat(outputs[self._detections])[:, 0]
        return None if (labels == np.round(labels)).all() else "its first column holds no numbers of classes"

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = blank(self.model, rows_of(self.model.outputs[self._detections]))
        rows = flat_view(answer[self._detections])
        rows[:, 0] = -1
        for row, thing in zip(rows, objects, strict=False):
            row[:] = thing.class_id, thing.confidence, *thing.corners
        for at, counts in enumerate(answer):
            if at != self._detections:
                counts[:] = min(len(rows), len(objects))
        return answer

    def other_inputs(self) -> Mapping[int, Array]:
        height, width = self.model.input_size
        numbers = {SCALE: (1, 1), SHAPE: (height, width)}
        return {
            at: np.array(numbers[port.name.lower()], port.dtype).reshape(fixed(port))
            for at, port in enumerate(self.model.inputs)
            if at != self.model.picture
        }


class PaddleDetr(PaddleNms):
    """As `PaddleNms`, with the size of the model's input as a third input."""

    name = "class+confidence+boxes of a shape"
    about = "RT-DETR of PaddleDetection (inputs `im_shape` and `scale_factor`)"
    assumed = PLAIN
    beside = frozenset({SCALE, SHAPE})


def _detections(model: Signature) -> int | None:
    """The number of the output with the detections; None when there is none."""
    tables = [at for at, port in enumerate(model.outputs) if len(port.shape) in (2, 3)]
    fitting = [at for at in tables if model.outputs[at].shape[-1] == COLUMNS and model.outputs[at].dtype[0] == "f"]
    return fitting[0] if len(fitting) == 1 else None
