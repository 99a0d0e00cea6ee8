"""The heads of SSD: the output of DetectionOutput, and its inputs in models that were cut off before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from streamer.detection.head import Array, By, Candidates, Floats, Head, Hints, Object, Outputs, corners_of, floats
from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.layouts.chosen import are_shares, as_rows, in_pixels, in_shares, side_inputs
from streamer.detection.layouts.reaching import boxes_reaching
from streamer.detection.layouts.tables import numbers
from streamer.detection.ports import Port, Signature

OPEN_MODEL_ZOO = InputSpec(colour=Colour.BGR, high=255.0, fit=Fit.STRETCH)
"""BGR, 0 to 255, stretched: the preprocessing of Intel's own detectors."""
PYTORCH_SSD = InputSpec(high=255.0, mean=(127.0, 127.0, 127.0), scale=(128.0, 128.0, 128.0), fit=Fit.STRETCH)
CAFFE_SSD = InputSpec(colour=Colour.BGR, high=255.0, mean=(104.0, 117.0, 123.0), fit=Fit.STRETCH)

IMAGE, CLASS, CONFIDENCE = 0, 1, 2
COLUMNS = 7
BACKGROUND = 0
"""The column of the score for no object."""
ROUNDING = 0.02
"""The sum of a box's scores in half precision may differ from 1 by so much."""
VARIANCES = (0.1, 0.1, 0.2, 0.2)


class DetectionOutput(Head):
    """1 x 1 x detections x (image, class, confidence, corners as shares of the input); image -1 ends the rows."""

    name = "ssd"
    about = "SSD with DetectionOutput inside: Open Model Zoo, OpenVINO's conversions from Caffe and TensorFlow"
    assumed = OPEN_MODEL_ZOO
    suppressed = True

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        shape = model.outputs[0].shape
        if len(model.outputs) > 1 or len(shape) != 4 or shape[-1] != COLUMNS or side_inputs(model) is None:
            return None
        return By.SHAPE if {shape[0], shape[1]} <= {1, None} else None

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        rows = until_the_end(outputs[0])
        rows = rows[rows[:, CONFIDENCE] > threshold]
        return in_pixels(rows[:, 3:], self.model.input_size), rows[:, CONFIDENCE], numbers(rows[:, CLASS])

    def scores(self, outputs: Outputs) -> Floats:
        return until_the_end(outputs[0])[:, CONFIDENCE]

    def fits_answer(self, outputs: Outputs) -> str | None:
        rows = until_the_end(outputs[0])
        numbers = rows[:, [IMAGE, CLASS]]
        if (numbers != np.round(numbers)).any() or (numbers < 0).any():
            return "it is no SSD: its first two columns are not an image's number and a class's"
        if are_shares(rows[:, 3:]) is False:
            return "it is no SSD: its boxes are not in shares of the picture, 0 to 1"
        return None

    def other_inputs(self) -> Mapping[int, Array]:
        return side_inputs(self.model) or {}

    def example(self, objects: Sequence[Object]) -> list[Array]:
        port = self.model.outputs[0]
        answer = np.zeros((1, 1, port.shape[2] or len(objects) + 1, COLUMNS), port.dtype)
        answer[0, 0, len(objects) :, IMAGE] = -1
        for row, thing in zip(answer[0, 0], objects, strict=False):
            row[:] = 0, thing.class_id, thing.confidence, *in_shares(thing.corners, self.model.input_size)
        return [answer]


def until_the_end(output: Array) -> Floats:
    """The rows (n x 7) before the first one with image -1; later ones are unused."""
    rows = as_rows(output, COLUMNS)
    over = rows[:, IMAGE] < 0
    return rows[: over.argmax()] if over.any() else rows


class BoxesScores(Head):
    """1 x boxes x 4 (corners as shares of the input), and 1 x boxes x classes (softmax; the first is background)."""

    name = "boxes+scores"
    about = "SSD of pytorch-ssd and jetson-inference, ultra-lightweight-face-detection of the Open Model Zoo"
    assumed = PYTORCH_SSD
    untried = True
    nothing = frozenset({BACKGROUND})

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._boxes, self._scores = _boxes_and_scores(model) or (0, 0)

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        return By.NAMES if _boxes_and_scores(model) else None

    def classes_of(self, model: Signature) -> int | None:
        found = _boxes_and_scores(model)
        return None if found is None else model.outputs[found[1]].shape[-1]

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        scores = _matrix(outputs[self._scores])
        above, confidence, class_id = best_but_background(scores, threshold)
        boxes = floats(outputs[self._boxes].reshape(-1, 4)[above])
        return in_pixels(boxes, self.model.input_size), confidence, class_id

    def scores(self, outputs: Outputs) -> Floats:
        return floats(_matrix(outputs[self._scores]))

    def fits_answer(self, outputs: Outputs) -> str | None:
        if are_shares(as_rows(outputs[self._boxes], 4)) is not True:
            return (
                "its boxes are not corners in shares of the picture, 0 to 1: are they offsets from priors that it "
                "keeps to itself, export it with its boxes decoded"
            )
        return no_softmax(self.scores(outputs))

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        boxes, scores = answer[self._boxes].reshape(-1, 4), _matrix(answer[self._scores])
        scores[:, BACKGROUND] = 1
        for box, row, thing in zip(boxes, scores, objects, strict=False):
            box[:] = in_shares(thing.corners, self.model.input_size)
            row[[BACKGROUND, thing.class_id]] = 1 - thing.confidence, thing.confidence
        return answer


class BoxesScoresInPixels(BoxesScores):
    """1 x boxes x 4 (corners in pixels of the input), and 1 x boxes x classes (sigmoid; no background)."""

    name = "boxes+scores in pixels"
    about = "YOLO-NAS and PP-YOLOE exported without NMS, and others with a score of their own for every class"
    assumed = InputSpec()
    nothing = frozenset()

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        scores = _matrix(outputs[self._scores])
        few = boxes_reaching(scores, threshold)
        chosen = floats(scores[few])
        class_id = chosen.argmax(axis=1)
        confidence = chosen[np.arange(len(few)), class_id]
        above = confidence > threshold
        boxes = floats(outputs[self._boxes].reshape(-1, 4)[few[above]])
        return boxes, confidence[above], class_id[above].astype(np.int32)

    def fits_answer(self, outputs: Outputs) -> str | None:
        if are_shares(as_rows(outputs[self._boxes], 4)) is not False:
            return "its boxes are not corners in pixels of its input"
        return None

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        boxes, scores = answer[self._boxes].reshape(-1, 4), _matrix(answer[self._scores])
        for box, row, thing in zip(boxes, scores, objects, strict=False):
            box[:] = thing.corners
            row[thing.class_id] = thing.confidence
        return answer


class Priors(Head):
    """Offsets (4 for each prior), scores (softmax; the first class is background), and 1 x 2 x (corners, variances).

    They are the three inputs of DetectionOutput, in a model that was cut off before it: ``mbox_loc``,
    ``mbox_conf_flatten`` and ``mbox_priorbox`` of Caffe's SSD (https://arxiv.org/abs/1512.02325).
    """

    name = "offsets+scores+priors"
    about = "SSD cut off before its DetectionOutput, with its priors as an output"
    assumed = CAFFE_SSD
    untried = True
    nothing = frozenset({BACKGROUND})

    def __init__(self, model: Signature, classes: int | None = None) -> None:
        super().__init__(model, classes)
        self._offsets, self._scores, self._priors = _three_of_priors(model) or (0, 0, 0)

    @classmethod
    def recognise(cls, model: Signature, hints: Hints) -> By | None:
        return By.SHAPE if _three_of_priors(model) else None

    def classes_of(self, model: Signature) -> int | None:
        found = _three_of_priors(model)
        if found is None:
            return None
        _, scores, priors = (model.outputs[at] for at in found)
        return 4 * (_numbers(scores) or 0) // (priors.shape[-1] or 1)

    def decode(self, outputs: Outputs, threshold: float) -> Candidates:
        offsets = outputs[self._offsets].reshape(-1, 4)
        scores = outputs[self._scores].reshape(len(offsets), -1)
        above, confidence, class_id = best_but_background(scores, threshold)
        corners, variances = (floats(part[above]) for part in outputs[self._priors].reshape(2, -1, 4))
        moved = floats(offsets[above]) * variances
        sizes = corners[:, 2:] - corners[:, :2]
        centres = (corners[:, :2] + corners[:, 2:]) / 2 + moved[:, :2] * sizes
        boxes = corners_of(np.concatenate([centres, np.exp(moved[:, 2:]) * sizes], axis=1))
        return in_pixels(boxes, self.model.input_size), confidence, class_id

    def scores(self, outputs: Outputs) -> Floats:
        priors = outputs[self._priors].size // 8
        return floats(outputs[self._scores]).reshape(priors, -1)

    def fits_answer(self, outputs: Outputs) -> str | None:
        corners, variances = floats(outputs[self._priors]).reshape(2, -1, 4)
        if are_shares(corners) is not True or not (variances > 0).all():
            return "its priors are not corners in shares of the picture with a variance for each side"
        return no_softmax(self.scores(outputs))

    def example(self, objects: Sequence[Object]) -> list[Array]:
        answer = self.blank()
        corners, variances = answer[self._priors].reshape(2, -1, 4)
        variances[:] = VARIANCES
        scores = answer[self._scores].reshape(len(corners), -1)
        scores[:, BACKGROUND] = 1
        for prior, row, thing in zip(corners, scores, objects, strict=False):
            prior[:] = in_shares(thing.corners, self.model.input_size)
            row[[BACKGROUND, thing.class_id]] = 1 - thing.confidence, thing.confidence
        return answer


def best_but_background(scores: Array, threshold: float) -> tuple[Array, Floats, Array]:
    """The places of boxes with a class above the threshold other than the background, its score and its id.

    ``scores`` (boxes x classes) are a softmax: a background of more than 1 - threshold leaves no class above it.
    """
    few = np.flatnonzero(scores[:, BACKGROUND] < 1 + ROUNDING - threshold)
    chosen = floats(scores[few, 1:])
    class_id = chosen.argmax(axis=1)
    confidence = chosen[np.arange(len(few)), class_id]
    above = confidence > threshold
    return few[above], confidence[above], (class_id[above] + 1).astype(np.int32)


def no_softmax(scores: Floats) -> str | None:
    """The reason why these scores (boxes x classes) are no softmax; None when they may be."""
    if (np.abs(scores.sum(axis=1) - 1) > ROUNDING).any():
        return "the scores of a box do not add up to 1: export it with its softmax"
    return None


def _matrix(output: Array) -> Array:
    """A view of an output of one picture as boxes x classes, in its own type."""
    return output.reshape(-1, output.shape[-1])


def _boxes_and_scores(model: Signature) -> tuple[int, int] | None:
    """The numbers of the two outputs with the boxes and the scores of all classes, by their names; else None."""
    boxes, scores = model.output("boxes", "bboxes", "pred_boxes"), model.output("scores", "pred_scores", "confs")
    if len(model.outputs) != 2 or len(model.inputs) != 1 or boxes is None or scores is None:
        return None
    of_boxes, of_scores = model.outputs[boxes].shape, model.outputs[scores].shape
    if len(of_boxes) not in (2, 3) or len(of_boxes) != len(of_scores) or of_boxes[-1] != 4:
        return None
    whole = None not in of_boxes[-2:] and None not in of_scores[-2:]
    return (boxes, scores) if whole and of_boxes[:-1] == of_scores[:-1] else None


def _three_of_priors(model: Signature) -> tuple[int, int, int] | None:
    """The numbers of the outputs with the offsets, the scores and the priors, by their shapes; else None."""
    shapes = [port.shape for port in model.outputs]
    priors = next((at for at, shape in enumerate(shapes) if len(shape) == 3 and shape[:2] == (1, 2)), None)
    if len(shapes) != 3 or len(model.inputs) != 1 or priors is None:
        return None
    sides = shapes[priors][-1]
    others = [at for at in range(3) if at != priors]
    offsets = [at for at in others if sides and _numbers(model.outputs[at]) == sides]
    if not offsets or sides is None:
        return None
    scores = next(at for at in others if at != offsets[0])
    numbers = _numbers(model.outputs[scores])
    return (offsets[0], scores, priors) if numbers and numbers % (sides // 4) == 0 and sides % 4 == 0 else None


def _numbers(port: Port) -> int | None:
    """The size of an output; None where it is open."""
    return None if None in port.shape else int(np.prod([side or 0 for side in port.shape]))
