"""The table of heads that streamer knows, and how a model's head is recognised."""

from __future__ import annotations

from streamer.detection.head import By, Head, Hints, Outputs, Recognised
from streamer.detection.layouts.boxes_labels import (
    BoxesLabels,
    BoxesLabelsInShares,
    BoxesLabelsScores,
    BoxesLabelsScoresInPixels,
    Dets,
    TensorFlowDetections,
)
from streamer.detection.layouts.counted import Counted
from streamer.detection.layouts.detr import Detr, DetrOrNothing, OfSize, RfDetr
from streamer.detection.layouts.grids import NanoDet, NanoDetPlus, NanoDetStrides, PicoDet
from streamer.detection.layouts.paddle import PaddleDetr, PaddleNms
from streamer.detection.layouts.seven_columns import ClassThenScore, ScoreThenClass
from streamer.detection.layouts.ssd import BoxesScores, BoxesScoresInPixels, DetectionOutput, Priors
from streamer.detection.layouts.ultralytics_rtdetr import RtdetrChosen, RtdetrScores
from streamer.detection.layouts.yolo import Classes, ClassesAndMore, EndToEnd, NmsInside, Objectness
from streamer.detection.layouts.yolox import YoloxBoxes, YoloxGrid
from streamer.detection.looks_like import likeness
from streamer.detection.ports import Signature
from streamer.errors import ModelError

ROWS: tuple[type[Head], ...] = (
    Detr,
    DetrOrNothing,
    RfDetr,
    OfSize,
    PaddleNms,
    PaddleDetr,
    NanoDetStrides,
    PicoDet,
    NanoDetPlus,
    NanoDet,
    Classes,
    Objectness,
    YoloxGrid,
    YoloxBoxes,
    ClassesAndMore,
    EndToEnd,
    NmsInside,
    RtdetrChosen,
    RtdetrScores,
    ClassThenScore,
    ScoreThenClass,
    Counted,
    DetectionOutput,
    BoxesLabels,
    Dets,
    BoxesLabelsInShares,
    BoxesLabelsScores,
    BoxesLabelsScoresInPixels,
    TensorFlowDetections,
    BoxesScores,
    BoxesScoresInPixels,
    Priors,
)
"""The kinds of heads. Among those that fit a model by the same evidence, the first one whose outputs fit is used."""

HEADS = {row.name: row for row in ROWS}


def head_of(name: str, model: Signature, classes: int | None) -> Head:
    """The head of a model by its name. Raises ModelError for a name that this version does not know."""
    if name not in HEADS:
        raise ModelError(f"the model's head is {name!r}, which this streamer does not know: import the model again")
    return HEADS[name](model, classes)


def recognise(model: Signature, hints: Hints) -> Recognised:
    """The kind of a model's head, and the evidence. Raises ModelError for a head that streamer does not know."""
    found = _fitting(model, hints)
    if found is not None:
        return found

    outputs, (height, width) = "; ".join(map(str, model.outputs)), model.input_size
    like = likeness(model, lambda other: head_in_words(other, hints)) or ELSE
    raise ModelError(
        f"not a detector that streamer knows {like} (its outputs are {outputs} for an input of {width}x{height})"
    )


ELSE = "nor like one that it knows: give a detector with one of the heads in docs/reference/heads.md"


def head_in_words(model: Signature, hints: Hints) -> str | None:
    """The name and families of the head that a model has by its shapes; None for an unknown head."""
    fitting = _fitting(model, hints)
    return None if fitting is None else _in_words(fitting.kind)


def _in_words(kind: type[Head]) -> str:
    return f"{kind.name} ({kind.about})"


def _fitting(model: Signature, hints: Hints) -> Recognised | None:
    """The kind of a model's head, and the evidence; None for an unknown head."""
    fitting = [(by, row) for row in ROWS if (by := row.recognise(model, hints)) is not None]
    if not fitting:
        return None
    best: By = min(by for by, _ in fitting)
    first, *others = _with_as_many_classes([row for by, row in fitting if by is best], model, hints)
    _check_inputs(first, model)
    return Recognised(first, best, tuple(others))


def _check_inputs(kind: type[Head], model: Signature) -> None:
    """Raises ModelError for an input that is neither the picture's nor one that the head fills."""
    known = {model.picture, *kind(model).other_inputs()}
    unknown = [str(port) for at, port in enumerate(model.inputs) if at not in known]
    if unknown:
        raise ModelError(
            f"a detector with {len(model.inputs)} inputs, and nothing tells what goes into {'; '.join(unknown)}: "
            "export it with the picture alone"
        )


def _with_as_many_classes(kinds: list[type[Head]], model: Signature, hints: Hints) -> list[type[Head]]:
    """The kinds with room for as many classes as there are names, or any number; all kinds where there are none."""
    agreeing = [kind for kind in kinds if kind(model).classes in (None, hints.classes)]
    return kinds if hints.classes is None else agreeing or kinds


def settle(found: Recognised, model: Signature, classes: int | None, outputs: Outputs) -> Head:
    """The first head that fits these ``outputs`` of a trial run. Raises ModelError when none does."""
    reasons = []
    for kind in (found.kind, *found.others):
        head = kind(model, classes)
        reason = head.fits_answer(outputs)
        if reason is None:
            return head
        reasons.append(reason)
    raise ModelError(
        f"it looks like {_in_words(found.kind)}, but {reasons[0]}; export it again, or give another detector"
    )
