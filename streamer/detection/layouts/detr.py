"""The heads of detection transformers: a box and the scores of all classes for each of a few hundred queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from streamer.detection.head import (
    Array,
    By,
    Candidates,
    Floats,
    Head,
    Hints,
    Object,
    Outputs,
    corners_of,
    floats,
    no_candidates,
)
from streamer.detection.input_spec import Fit, InputSpec
from streamer.detection.layouts.activations import logit, logit_of_example, sigmoid, softmax
from streamer.detection.layouts.tables import flat
from streamer.detection.ports import Port, Signature, fixed

PLAIN = InputSpec(fit=Fit.STRETCH)
"""RGB, 0 to 1, stretched: RT-DETR, D-FINE and DEIM."""
IMAGENET = InputSpec(mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225), fit=Fit.STRETCH)
"""RGB, with ImageNet's mean and standard deviation, stretched."""
QUERIES = 300
"""The usual number of queries."""
NOT_THERE = -20.0
"""The logit of a class that is not detected."""
LARGEST_SHARE = 4.0
"""The largest number of a box in shares of the picture, even of one partly outside."""
NOTHING_THERE = 0.9
"""At least this share of the queries detects nothing in a black picture."""
SURE_OF_NOTHING = 10.0
"""The logit of the class for nothing, where nothing is."""


class Detr(Head):
    """Logits of the classes, and boxes as centre and size in shares: confidence = sigmoid of the best logit."""

    name = "logits+boxes"
    about = "RT-DETR, D-FINE, Deformable DETR and others of Hugging Face (`logits` or `pred_logits`, `pred_boxes`)"
    assumed = PLAIN
    suppressed = True
    untried = True
    logits: ClassVar[tuple[str, ...]] = ("logits", "pred_logits")
    boxes: ClassVar[tuple[str, ...]] = ("pred_boxes",)
    beside: ClassVar[int] = 0
    """The number of columns after those of the classes."""
    sure_of_nothing: ClassVar[float | None] = None
    """The last column's logit where nothing is; None for a head without a class for nothing."""

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        logits, boxes = model.output(*cls.logits), model.output(*cls.boxes)
        if logits is None or boxes is None or not takes_only(model, "pixel_mask"):
            return None
        scores, corners = model.outputs[logits], model.outputs[boxes]
        if not is_table(scores) or not is_table(corners) or len(scores.shape) != len(corners.shape):
            return None
        columns = scores.shape[-1]
        enough = columns is not None and columns > cls.beside
        return By.NAMES if enough and corners.shape[-1] == 4 else None

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._logits = model.output(*self.logits) or 0
        self._boxes = model.output(*self.boxes) or 0
        height, width = model.input_size
        self._size = np.array([width, height] * 2, np.float32)

    def classes_of(self, model: Signature) -> int | None:
        columns = model.outputs[model.output(*self.logits) or 0].shape[-1]
        return None if columns is None else columns - self.beside

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        logits = self._of_classes(outputs)
        best = logits.max(axis=1)
        above = np.flatnonzero(best > logit(threshold))
        confidence = sigmoid(best[above])
        return self._corners(outputs, above), confidence, logits[above].argmax(axis=1).astype(np.int32)

    def _of_classes(self, outputs: Outputs) -> Floats:
        return flat(outputs[self._logits])[:, : self.classes]

    def _corners(self, outputs: Outputs, chosen: Array) -> Floats:
        return corners_of(flat(outputs[self._boxes])[chosen]) * self._size

    def scores(self, outputs: Outputs) -> Floats:
        return sigmoid(self._of_classes(outputs))

    def fits_answer(self, outputs: Outputs) -> str | None:
        boxes = flat(outputs[self._boxes])
        if not (np.abs(boxes) <= LARGEST_SHARE).all():
            return "its boxes are not in shares of the picture, as a detection transformer's are"
        if nothing_is_last(flat(outputs[self._logits])) != (self.sure_of_nothing is not None):
            return (
                "its last class is that of nothing there"
                if self.sure_of_nothing is None
                else "it has no class for nothing"
            )
        return None

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = blank(self.model, rows_of(self.model.outputs[self._boxes]))
        logits, boxes = flat_view(answer[self._logits]), flat_view(answer[self._boxes])
        logits[:] = NOT_THERE
        if self.sure_of_nothing is not None:
            logits[:, -1] = self.sure_of_nothing
        for row, box, thing in zip(logits, boxes, objects, strict=False):
            row[thing.class_id] = logit_of_example(thing.confidence) + (self.sure_of_nothing or 0)
            box[:] = np.array([thing.x, thing.y, thing.width, thing.height]) / self._size
        return answer

    def other_inputs(self) -> Mapping[int, Array]:
        # The mask marks the picture's pixels: all of them.
        at = self.model.input("pixel_mask")
        if at is None:
            return {}
        port = self.model.inputs[at]
        return {at: np.ones(fixed(port), port.dtype)}

    def notes(self) -> list[str]:
        return without_masks(self.model)


class DetrOrNothing(Detr):
    """As `Detr`, but the last column is a class for nothing, and confidence = softmax over all columns."""

    name = "logits+boxes+nothing"
    about = "DETR and YOLOS, which have a class for nothing (`logits` or `pred_logits`, `pred_boxes`)"
    assumed = IMAGENET
    beside = 1
    sure_of_nothing = SURE_OF_NOTHING

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        scores = self.scores(outputs)
        best = scores.max(axis=1)
        above = np.flatnonzero(best > threshold)
        return self._corners(outputs, above), best[above], scores[above].argmax(axis=1).astype(np.int32)

    def scores(self, outputs: Outputs) -> Floats:
        return softmax(flat(outputs[self._logits]))[:, : self.classes]


class RfDetr(Detr):
    """As `Detr`, with an unused last column, and with output names that other detectors use for other outputs."""

    name = "dets+logits"
    about = "RF-DETR (`dets` of four columns, `labels` of logits)"
    assumed = IMAGENET
    logits = ("labels",)
    boxes = ("dets",)
    beside = 1

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        labels = model.output(*cls.logits)
        # MMDeploy's labels are class ids.
        if labels is None or np.dtype(model.outputs[labels].dtype).kind != "f":
            return None
        return super().recognise(model, hints)


class OfSize(Head):
    """Labels, boxes and scores, selected in the model; boxes are in pixels of the size that is its second input."""

    name = "labels+boxes+scores of a size"
    about = "RT-DETR, D-FINE and DEIM as their own repositories export them (second input `orig_target_sizes`)"
    assumed = PLAIN
    suppressed = True
    labels: ClassVar[tuple[str, ...]] = ("labels",)
    sizes: ClassVar[tuple[str, ...]] = ("orig_target_sizes", "orig_target_size", "target_sizes")

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        size, found = model.input(*cls.sizes), cls._places(model)
        if size is None or found is None or not takes_only(model, *cls.sizes):
            return None
        boxes = model.outputs[found[1]]
        return By.NAMES if is_table(boxes) and boxes.shape[-1] == 4 else None

    @classmethod
    def _places(cls, model: Signature) -> tuple[int, int, int] | None:
        labels, boxes, scores = (model.output(name) for name in ("labels", "boxes", "scores"))
        return None if labels is None or boxes is None or scores is None else (labels, boxes, scores)

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._labels, self._boxes, self._scores = self._places(model) or (0, 1, 2)

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        confidence = self.scores(outputs)
        above = np.flatnonzero(confidence > threshold)
        if not len(above):
            return no_candidates()
        class_id = outputs[self._labels].reshape(-1)[above].astype(np.int32)
        return flat(outputs[self._boxes])[above], confidence[above], class_id

    def scores(self, outputs: Outputs) -> Floats:
        return floats(outputs[self._scores]).reshape(-1)

    def fits_answer(self, outputs: Outputs) -> str | None:
        labels = outputs[self._labels]
        if (labels != np.round(labels)).any() or (labels < 0).any():
            return "it is no detection transformer: its labels are no numbers of classes"
        return None

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = blank(self.model, rows_of(self.model.outputs[self._boxes]))
        boxes = flat_view(answer[self._boxes])
        labels, scores = answer[self._labels].reshape(-1), answer[self._scores].reshape(-1)
        for at, thing in enumerate(objects[: len(boxes)]):
            boxes[at] = thing.corners
            labels[at], scores[at] = thing.class_id, thing.confidence
        return answer

    def other_inputs(self) -> Mapping[int, Array]:
        at = self.model.input(*self.sizes)
        if at is None:
            return {}
        height, width = self.model.input_size
        port = self.model.inputs[at]
        return {at: np.array([width, height], port.dtype).reshape(fixed(port))}

    def notes(self) -> list[str]:
        return without_masks(self.model)


def takes_only(model: Signature, *names: str) -> bool:
    """All inputs beside the picture have one of these names."""
    return all(at == model.picture or port.name.lower() in names for at, port in enumerate(model.inputs))


def nothing_is_last(logits: Floats) -> bool:
    """The last class is the one for nothing, by the logits for a black picture: nearly every query selects it.

    Its logit is then above 0: with softmax the sum of the logits stays where training began, at 0. A sigmoid's logits
    are all below 0 there.
    """
    if not len(logits) or logits.shape[1] == 1:
        return False
    found = (logits[:, -1] > 0) & (logits.argmax(axis=1) == logits.shape[1] - 1)
    return bool(found.mean() >= NOTHING_THERE)


def is_table(port: Port) -> bool:
    """The output has rows of floating-point numbers, with or without a batch."""
    return len(port.shape) in (2, 3) and np.dtype(port.dtype).kind == "f"


def without_masks(model: Signature) -> list[str]:
    """The note that a model for segmentation runs as a detector of boxes; empty for others."""
    if any(len(port.shape) == 4 for port in model.outputs):
        return ["it is a model for segmentation and runs as a detector of its boxes; its masks are left out"]
    return []


def blank(model: Signature, rows: int) -> list[Array]:
    """Outputs of zeros; where the number of rows (on the axis ``rows``) is open, there are `QUERIES` rows."""
    return [
        np.zeros([side or (QUERIES if at == rows else 1) for at, side in enumerate(port.shape)], port.dtype)
        for port in model.outputs
    ]


def rows_of(port: Port) -> int:
    """The axis of a table's rows, and of the lists beside it."""
    return len(port.shape) - 2


def flat_view(output: Array) -> Array:
    """A writable view of an output of one picture as rows x columns, in its own type."""
    return output[0] if output.ndim == 3 else output
