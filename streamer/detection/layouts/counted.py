"""The head with the four outputs of TensorRT's NMS: the number of detections, boxes, scores and classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Head, Hints, Object, Outputs, floats
from streamer.detection.layouts.tables import numbers
from streamer.detection.layouts.yolo import NMS_INSIDE, ULTRALYTICS
from streamer.detection.ports import Signature

COUNT = ("num_dets", "num_predictions")
BOXES = ("det_boxes", "pred_boxes", "boxes")
SCORES = ("det_scores", "pred_scores", "scores")
CLASSES = ("det_classes", "pred_classes", "labels")


class Counted(Head):
    """Number of detections (1 x 1), corners (1 x n x 4), confidence (1 x n) and class (1 x n); the rest is padding.

    Sources: ONNX_TRT in models/experimental.py of the YOLOv7 repository, documentation/source/models_export.md of
    SuperGradients (the batch format), easydeploy of MMYOLO.
    """

    name = "nms:count+boxes+confidence+class"
    about = "YOLO-NAS in SuperGradients' batch format; YOLOv6, YOLOv7 and MMYOLO exported for TensorRT's NMS"
    assumed = ULTRALYTICS
    suppressed = True
    untried = True

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._count, self._boxes, self._scores, self._classes = places(model) or (0, 1, 2, 3)

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        found = places(model)
        if found is None:
            return None
        boxes = model.outputs[found[1]].shape
        return By.NAMES if len(boxes) in (2, 3) and boxes[-1] == 4 else None

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        confidence = self.scores(outputs)
        above = np.flatnonzero(confidence > threshold)
        boxes = floats(outputs[self._boxes]).reshape(-1, 4)[above]
        return boxes, confidence[above], numbers(outputs[self._classes].ravel()[above])

    def scores(self, outputs: Outputs) -> Floats:
        count = numbers(outputs[self._count].ravel()[:1])
        return floats(outputs[self._scores]).ravel()[: max(0, int(count.sum()))]

    def fits_answer(self, outputs: Outputs) -> str | None:
        counts, found = outputs[self._count], outputs[self._scores].size
        if counts.size != 1 or not 0 <= counts.ravel()[0] <= found:
            return f"it counts {counts.ravel().tolist()} detections and has room for {found}"
        return None

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        room = self.model.outputs[self._boxes].shape[-2]
        if room is None:
            room = len(objects)
            for at in (self._boxes, self._scores, self._classes):
                shape = self.model.outputs[at].shape
                batch = [side or 1 for side in shape[:1]] if len(shape) > 1 else []
                last = [4] if at == self._boxes else []
                answer[at] = np.zeros([*batch, room, *last], answer[at].dtype)
        shown = list(objects)[:room]
        answer[self._count] = np.full(
            [side or 1 for side in self.model.outputs[self._count].shape], len(shown), answer[self._count].dtype
        )
        for at, thing in enumerate(shown):
            answer[self._boxes].reshape(-1, 4)[at] = thing.corners
            answer[self._scores].reshape(-1)[at] = thing.confidence
            answer[self._classes].reshape(-1)[at] = thing.class_id
        return answer

    def notes(self) -> list[str]:
        left_out = ["it has outputs beside its boxes, such as masks; they are left out"]
        return [*(left_out if len(self.model.outputs) > 4 else []), NMS_INSIDE]


def places(model: Signature) -> tuple[int, int, int, int] | None:
    """The numbers of the outputs with the count, the boxes, the scores and the classes; None when one is missing."""
    found = tuple(_ending(model, names) for names in (COUNT, BOXES, SCORES, CLASSES))
    count, boxes, scores, classes = found
    if count is None or boxes is None or scores is None or classes is None or len(set(found)) < 4:
        return None
    return count, boxes, scores, classes


def _ending(model: Signature, names: Sequence[str]) -> int | None:
    """The number of the output with one of the names, alone or after the name of a part of the graph."""
    for at, port in enumerate(model.outputs):
        if any(port.name == name or port.name.endswith(f"_{name}") for name in names):
            return at
    return None
