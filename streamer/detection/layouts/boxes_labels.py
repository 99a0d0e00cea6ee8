"""The heads with an output of selected boxes, one of their labels, and possibly one of their scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Head, Hints, Object, Outputs, floats
from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.layouts.chosen import (
    are_shares,
    as_rows,
    in_pixels,
    in_shares,
    no_classes,
    of_one_picture,
    side_inputs,
)
from streamer.detection.layouts.ssd import OPEN_MODEL_ZOO
from streamer.detection.layouts.tables import numbers
from streamer.detection.ports import Port, Signature

RTMDET = InputSpec(
    colour=Colour.BGR,
    high=255.0,
    mean=(103.53, 116.28, 123.675),
    scale=(57.375, 57.12, 58.395),
    fit=Fit.LETTERBOX_TOP_LEFT,
)
"""The preprocessing of MMDetection's RTMDet, which most exports of MMDeploy are."""
IMAGENET = InputSpec(mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225), fit=Fit.STRETCH)
BYTES = InputSpec(high=255.0, fit=Fit.STRETCH)

CONFIDENCE = 4
AXES_SWAPPED = [1, 0, 3, 2]
BOXES = ("boxes", "bboxes")
DETS = ("dets",)
IN_SHARES = "its boxes are read as shares of its input, 0 to 1"
IN_PIXELS = "its boxes are read as pixels of its input"
MASKS = "it is a model for segmentation and runs as a detector of its boxes; its masks are left out"


class Found(NamedTuple):
    """The numbers of the outputs with the boxes, the labels and the scores; None where they have no output."""

    boxes: int
    labels: int | None
    scores: int | None
    by: By


class Chosen(Head):
    """Boxes that the model has selected, with labels and scores in outputs of their own.

    ``shares``: the boxes are shares of the input, 0 to 1; otherwise they are in pixels of it. Where a trial finds
    nothing, ``_shares_by_form`` decides.
    """

    suppressed = True
    shares = False

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._at = self.find(model) or Found(0, None, None, By.SHAPE)

    @classmethod
    @abstractmethod
    def find(cls, model: Signature) -> Found | None:
        """The outputs of such a head; None when the model's are not."""

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        found = cls.find(model)
        return None if found is None or side_inputs(model) != {} else found.by

    def _parts(self, outputs: Outputs) -> tuple[Floats, Floats, Array]:
        """Corners (n x 4) in the model's units, confidence (n) and labels (n)."""
        at = self._at
        if at.scores is None:
            rows = as_rows(outputs[at.boxes], 5)
            boxes, confidence = rows[:, :4], rows[:, CONFIDENCE]
        else:
            boxes, confidence = as_rows(outputs[at.boxes], 4), floats(outputs[at.scores]).ravel()
        labels = np.zeros(len(boxes), np.int32) if at.labels is None else outputs[at.labels].ravel()
        return boxes, confidence, labels

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        boxes, confidence, labels = self._parts(outputs)
        above = confidence > threshold
        boxes = boxes[above]
        if self.shares:
            boxes = in_pixels(boxes, self.model.input_size)
        return boxes, confidence[above], numbers(labels[above])

    def scores(self, outputs: Outputs) -> Floats:
        return self._parts(outputs)[1]

    def fits_answer(self, outputs: Outputs) -> str | None:
        boxes, confidence, labels = self._parts(outputs)
        if not len(boxes) == len(confidence) == len(labels):
            return f"it puts out {len(boxes)} boxes with {len(confidence)} scores and {len(labels)} labels"
        if reason := no_classes(labels):
            return reason
        shares = are_shares(boxes)
        if (self._shares_by_form() if shares is None else shares) is self.shares:
            return None
        return f"its boxes are not in {'shares' if self.shares else 'pixels'} of its input"

    def _shares_by_form(self) -> bool:
        return False

    def example(self, objects: Sequence[Object]) -> list[Array]:
        at, size = self._at, self.model.input_size
        ports = enumerate(self.model.outputs)
        answer = [np.zeros(_for_objects(port, len(objects), 1 + (n == at.boxes)), port.dtype) for n, port in ports]
        boxes = answer[at.boxes].reshape(-1, answer[at.boxes].shape[-1])
        few = objects[: len(boxes)]
        for box, thing in zip(boxes, few, strict=False):
            box[:4] = in_shares(thing.corners, size) if self.shares else thing.corners
        scores = boxes[:, CONFIDENCE] if at.scores is None else answer[at.scores].reshape(-1)
        scores[: len(few)] = [thing.confidence for thing in few]
        if at.labels is not None:
            answer[at.labels].reshape(-1)[: len(few)] = [thing.class_id for thing in few]
        return answer

    def notes(self) -> list[str]:
        masks = any("mask" in port.name.lower() for port in self.model.outputs)
        return [MASKS] if masks else []


class BoxesLabels(Chosen):
    """Detections x (corners in pixels of the input, confidence), and a label for each; class 0 without labels."""

    name = "boxes+labels"
    about = "detectors of Geti, of OpenVINO Training Extensions and of the Open Model Zoo"
    assumed = OPEN_MODEL_ZOO

    @classmethod
    def find(cls, model: Signature) -> Found | None:
        return _five_columns(model, BOXES) or (_by_shape(model) if model.output(*DETS) is None else None)


class Dets(Chosen):
    """As `BoxesLabels`, by MMDeploy's name."""

    name = "dets+labels"
    about = "detectors of MMDetection and MMYOLO that MMDeploy exported"
    assumed = RTMDET

    @classmethod
    def find(cls, model: Signature) -> Found | None:
        return _five_columns(model, DETS)


class BoxesLabelsInShares(Chosen):
    """As `BoxesLabels`, with corners from 0 to 1, recognised by the values of a trial."""

    name = "boxes+labels in shares"
    about = "others of these, whose boxes go from 0 to 1 in a trial"
    assumed = OPEN_MODEL_ZOO
    untried = True
    shares = True

    @classmethod
    def find(cls, model: Signature) -> Found | None:
        return _five_columns(model, BOXES + DETS) or _by_shape(model)

    def notes(self) -> list[str]:
        return [IN_SHARES, *super().notes()]


class BoxesLabelsScores(Chosen):
    """Detections x 4 (corners as shares of the input), with a label and a score for each."""

    name = "boxes+labels+scores"
    about = "transformers of Geti and OpenVINO Training Extensions, SSD of MLPerf (ssd-resnet34)"
    assumed = IMAGENET
    untried = True
    shares = True

    @classmethod
    def find(cls, model: Signature) -> Found | None:
        return _three_outputs(model)

    def _shares_by_form(self) -> bool:
        # OpenVINO Training Extensions and MLPerf name shares "bboxes"; torchvision names pixels "boxes".
        return self.model.output("bboxes") is not None

    def notes(self) -> list[str]:
        return [IN_SHARES, *super().notes()]


class BoxesLabelsScoresInPixels(BoxesLabelsScores):
    """As `BoxesLabelsScores`, with corners in pixels, recognised by the values of a trial or by the names."""

    name = "boxes+labels+scores in pixels"
    about = "torchvision's SSD, RetinaNet, FCOS and Faster R-CNN"
    assumed = InputSpec()
    shares = False

    def notes(self) -> list[str]:
        return [IN_PIXELS, *Chosen.notes(self)]


class TensorFlowDetections(Chosen):
    """1 x detections x 4 (top, left, bottom, right as shares of the input), with their classes and scores."""

    name = "tensorflow"
    about = "TensorFlow's Object Detection API: detection_boxes, detection_classes, detection_scores"
    assumed = BYTES
    untried = True
    shares = True

    @classmethod
    def find(cls, model: Signature) -> Found | None:
        parts = ("boxes", "classes", "scores")
        boxes, classes, scores = (model.output(f"detection_{part}", f"detection_{part}:0") for part in parts)
        if boxes is None or classes is None or scores is None:
            return None
        return _alike(model, Found(boxes, classes, scores, By.NAMES))

    def _shares_by_form(self) -> bool:
        return True

    def _parts(self, outputs: Outputs) -> tuple[Floats, Floats, Array]:
        boxes, confidence, classes = super()._parts(outputs)
        return boxes[:, AXES_SWAPPED], confidence, classes

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = super().example(objects)
        answer[self._at.boxes] = answer[self._at.boxes][..., AXES_SWAPPED]
        return answer


def _for_objects(port: Port, count: int, rank: int) -> tuple[int, ...]:
    """The shape of an output for one picture and ``count`` objects; its last ``rank`` sides begin with theirs."""
    rows = len(port.shape) - rank
    return tuple(side if side is not None else count if at == rows else 1 for at, side in enumerate(port.shape))


def _five_columns(model: Signature, names: Sequence[str]) -> Found | None:
    """Boxes with their confidence by one of these names, and labels by name or as the only integers."""
    boxes = model.output(*names)
    if boxes is None or not _has_columns(model.outputs[boxes], 5):
        return None
    labels = _labels(model)
    return None if labels is None and len(model.outputs) > 1 else Found(boxes, labels, None, By.NAMES)


def _by_shape(model: Signature) -> Found | None:
    """The only output with five columns, beside the only one of integers."""
    boxes = [at for at, port in enumerate(model.outputs) if _has_columns(port, 5)]
    labels = _labels(model)
    return Found(boxes[0], labels, None, By.SHAPE) if len(boxes) == 1 and labels is not None else None


def _three_outputs(model: Signature) -> Found | None:
    """Boxes, labels and scores by their names, or three outputs of which one has boxes and one integers."""
    boxes, labels, scores = model.output(*BOXES), model.output("labels"), model.output("scores")
    if boxes is not None and labels is not None and scores is not None:
        return _alike(model, Found(boxes, labels, scores, By.NAMES))
    of_boxes = [at for at, port in enumerate(model.outputs) if _has_columns(port, 4)]
    labels = _labels(model)
    if len(model.outputs) != 3 or len(of_boxes) != 1 or labels is None:
        return None
    left = next(at for at in range(3) if at not in (of_boxes[0], labels))
    return _alike(model, Found(of_boxes[0], labels, left, By.SHAPE))


def _alike(model: Signature, found: Found) -> Found | None:
    """The outputs, if they are rows of four and one number for each."""
    singles = [model.outputs[at] for at in (found.labels, found.scores) if at is not None]
    fits = _has_columns(model.outputs[found.boxes], 4) and all(of_one_picture(one.shape, 1) for one in singles)
    return found if fits else None


def _has_columns(port: Port, columns: int) -> bool:
    sides = of_one_picture(port.shape, 2)
    return sides is not None and sides[1] == columns


def _labels(model: Signature) -> int | None:
    """The number of the output of labels, by its name, or as the only one of integers; None for neither."""
    named = model.output("labels")
    whole = [at for at, port in enumerate(model.outputs) if np.dtype(port.dtype).kind in "iu"]
    found = named if named is not None else whole[0] if len(whole) == 1 else None
    return None if found is None or of_one_picture(model.outputs[found].shape, 1) is None else found
