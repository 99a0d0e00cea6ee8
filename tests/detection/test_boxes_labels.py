"""Heads that put out the boxes they have chosen, and their labels beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from streamer.detection.head import By, Head, Hints, Object, Outputs
from streamer.detection.heads import recognise, settle
from streamer.detection.layouts.boxes_labels import (
    BoxesLabels,
    BoxesLabelsInShares,
    BoxesLabelsScores,
    BoxesLabelsScoresInPixels,
    Dets,
    TensorFlowDetections,
)
from streamer.detection.ports import Port, Signature
from streamer.engines.base import Engine
from streamer.engines.isolated import IsolatedEngine
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.errors import ModelError
from streamer.models.find import find_model
from streamer.models.model import Model

SIZE = (200, 400)
"""Height and width of the input."""
PICTURE = Port("image", (1, 3, *SIZE))
FIRST = Object(100, 50, 40, 20, 0.75, 1)
SECOND = Object(300, 150, 20, 60, 0.5, 0)
CORNERS = [[80, 40, 120, 60], [290, 120, 310, 180]]

FIVE = (Port("boxes", (None, 5)), Port("labels", (None,), "int64"))
DETS = (Port("dets", (1, None, 5)), Port("labels", (1, None), "int64"))
THREE = (Port("bboxes", (1, 30, 4)), Port("labels", (1, 30), "int64"), Port("scores", (1, 30)))
TORCHVISION = (Port("boxes", (None, 4)), Port("scores", (None,)), Port("labels", (None,), "int64"))
TENSORFLOW = (
    Port("detection_boxes:0", (1, 30, 4)),
    Port("detection_classes:0", (1, 30)),
    Port("detection_scores:0", (1, 30)),
    Port("num_detections:0", (1,)),
)
CASES = [
    (BoxesLabels, FIVE),
    (BoxesLabels, (Port("boxes", (100, 5)), Port("labels", (100,), "int32"))),
    (BoxesLabels, (Port("boxes", (1, 100, 5), "float16"), Port("labels", (1, 100)))),
    (BoxesLabels, (Port("labels", (None, None), "int64"), Port("boxes", (None, None, 5)))),
    (BoxesLabels, (*FIVE, Port("masks", (None, 28, 28)))),
    (BoxesLabels, (*FIVE, Port("feature_vector", (1, 64)), Port("saliency_map", (1, 2, 7, 7)))),
    (BoxesLabels, (Port("17", (None, 5)), Port("18", (None,), "int64"))),
    (Dets, DETS),
    (BoxesLabelsInShares, FIVE),
    (BoxesLabelsInShares, DETS),
    (BoxesLabelsScores, THREE),
    (BoxesLabelsScores, TORCHVISION),
    (BoxesLabelsScoresInPixels, TORCHVISION),
    (BoxesLabelsScoresInPixels, THREE),
    (BoxesLabelsScoresInPixels, (Port("a", (None,)), Port("b", (None, 4)), Port("c", (None,), "int64"))),
    (TensorFlowDetections, TENSORFLOW),
]
HEADS = pytest.mark.parametrize(("kind", "outputs"), CASES)


def model(outputs: Sequence[Port], inputs: Sequence[Port] = (PICTURE,)) -> Signature:
    """A model for pictures of 400x200."""
    return Signature(tuple(inputs), tuple(outputs), SIZE)


@HEADS
def test_both_objects_of_two_are_decoded_in_pixels_of_the_input(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    head = kind(model(outputs))
    xyxy, confidence, class_id = head.decode(head.example([FIRST, SECOND]), 0.25)
    assert np.allclose(xyxy, CORNERS, atol=1e-3)
    assert confidence.tolist() == pytest.approx([0.75, 0.5])
    assert class_id.tolist() == [1, 0]
    assert (class_id.dtype.name, xyxy.dtype.name) == ("int32", "float32")


@HEADS
def test_an_output_without_objects_is_decoded_to_none(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    head = kind(model(outputs))
    assert [len(part) for part in head.decode(head.example([]), 0.25)] == [0, 0, 0]


@HEADS
def test_the_threshold_decides_what_comes_out(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    head = kind(model(outputs))
    assert head.decode(head.example([FIRST, SECOND]), 0.6)[2].tolist() == [1]


@HEADS
def test_numbers_that_are_not_finite_raise_nothing_in_decode(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    head = kind(model(outputs))
    for at in range(len(outputs)):
        answer = head.example([FIRST, SECOND])
        if answer[at].dtype.kind == "f":
            answer[at][:] = np.nan
        head.decode(answer, 0.25)


@HEADS
def test_the_values_of_a_trial_distinguish_pixels_from_shares(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    signature = model(outputs)
    answer = kind(signature).example([FIRST, SECOND])
    assert type(settle(recognise(signature, Hints()), signature, None, answer)) is kind


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        (FIVE, BoxesLabels),
        (DETS, Dets),
        (THREE, BoxesLabelsScores),
        (TORCHVISION, BoxesLabelsScoresInPixels),
        (TENSORFLOW, TensorFlowDetections),
    ],
)
def test_the_outputs_names_distinguish_them_where_a_trial_finds_nothing(
    outputs: tuple[Port, ...], kind: type[Head]
) -> None:
    signature = model(outputs)
    found = recognise(signature, Hints())
    assert found.by is By.NAMES
    assert type(settle(found, signature, None, kind(signature).example([]))) is kind


def test_a_small_box_in_the_corner_does_not_make_pixels_shares() -> None:
    signature = model(FIVE)
    corner = Object(0.5, 0.5, 1, 1, 0.1, 0)
    answer = BoxesLabels(signature).example([corner, FIRST, SECOND])
    assert type(settle(recognise(signature, Hints()), signature, None, answer)) is BoxesLabels


def test_boxes_without_labels_are_all_of_class_0() -> None:
    head = BoxesLabels(model((Port("boxes", (None, 5)),)))
    assert head.decode(head.example([FIRST]), 0.25)[2].tolist() == [0]


def test_rows_that_are_not_used_may_have_the_label_minus_one() -> None:
    head = Dets(model(DETS))
    answer = head.example([FIRST, SECOND])
    answer[0][0, 1, 4], answer[1][0, 1] = 0, -1
    assert head.fits_answer(answer) is None
    assert head.decode(answer, 0.25)[2].tolist() == [1]


@pytest.mark.parametrize("label", [0.5, -2])
def test_labels_that_are_no_class_numbers_are_refused(label: float) -> None:
    signature = model((Port("boxes", (None, 5)), Port("labels", (None,))))
    answer = BoxesLabels(signature).example([FIRST])
    answer[1][:] = label
    with pytest.raises(ModelError, match="its labels are no class numbers"):
        settle(recognise(signature, Hints()), signature, None, answer)


def test_another_number_of_labels_than_of_boxes_is_refused() -> None:
    answer: Outputs = [np.zeros((3, 5), np.float32), np.zeros(2, np.int64)]
    assert BoxesLabels(model(FIVE)).fits_answer(answer) == "it puts out 3 boxes with 3 scores and 2 labels"


@pytest.mark.parametrize(
    ("outputs", "inputs"),
    [
        ((Port("dets", (1, 300, 4)), Port("labels", (1, 300, 91))), (PICTURE,)),  # RF-DETR
        ((Port("boxes", (2, 100, 5)), Port("labels", (2, 100), "int64")), (PICTURE,)),  # a batch
        ((Port("boxes", (None, 5)), Port("other", (None,))), (PICTURE,)),
        ((Port("17", (None, 5)),), (PICTURE,)),  # without labels only the name tells
        ((Port("labels", (1, 300), "int64"), *THREE[::2]), (PICTURE, Port("orig_target_sizes", (1, 2), "int64"))),
    ],
)
def test_what_belongs_to_other_heads_is_left_to_them(outputs: tuple[Port, ...], inputs: tuple[Port, ...]) -> None:
    kinds = {kind for kind, _ in CASES}
    signature = model(outputs, inputs)
    assert not [kind for kind in kinds if kind.recognise(signature, Hints()) is not None]


def test_a_note_says_that_masks_are_left_out() -> None:
    notes = BoxesLabels(model((*FIVE, Port("masks", (None, 28, 28))))).notes()
    assert notes == ["it is a model for segmentation and runs as a detector of its boxes; its masks are left out"]
    assert BoxesLabels(model(FIVE)).notes() == []


def test_a_note_says_whether_boxes_are_read_as_pixels_or_as_shares() -> None:
    assert BoxesLabelsScores(model(THREE)).notes() == ["its boxes are read as shares of its input, 0 to 1"]
    assert BoxesLabelsScoresInPixels(model(THREE)).notes() == ["its boxes are read as pixels of its input"]


def write_ir_of_as_many_as_are_bright(path: Path) -> Path:
    """A detector that finds one object in a gray picture, two in a white one, and none in a black one."""
    from streamer.vendors.openvino_quiet import ov

    op = ov.opset13
    picture = op.parameter([1, 3, 64, 64], np.float32, "image")
    brightest = op.reduce_max(picture, op.constant([0, 1, 2, 3]), keep_dims=False)
    found = op.squeeze(
        op.non_zero(op.less(op.constant(np.array([100, 200], np.float32)), brightest)), op.constant([0])
    )
    rows = op.constant(np.array([[8, 8, 24, 40, 0.9], [30, 8, 60, 20, 0.8]], np.float32))
    boxes = op.gather(rows, found, op.constant(0))
    labels = op.gather(op.constant(np.array([1, 0])), found, op.constant(0))
    model = ov.Model([op.result(boxes), op.result(labels)], [picture], "bright")
    for port, name in zip(model.outputs, ("boxes", "labels"), strict=True):
        port.set_names({name})
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def in_this_process(spec: str, model: Model) -> Engine:
    return open_engine(parse_spec(spec), model)


def in_one_of_its_own(spec: str, model: Model) -> Engine:
    return IsolatedEngine(parse_spec(spec), model, within_s=60)


@pytest.mark.parametrize(
    ("spec", "opened"),
    [
        ("ir", in_this_process),
        ("ir-auto-shared", in_this_process),
        ("ir-graph", in_this_process),
        ("ir", in_one_of_its_own),
    ],
)
def test_an_engine_hands_over_as_many_rows_as_there_are_and_none_of_none(
    tmp_path: Path, spec: str, opened: Callable[[str, Model], Engine]
) -> None:
    model = find_model(str(write_ir_of_as_many_as_are_bright(tmp_path / "bright.xml")))
    assert (model.head, model.signature.outputs[0].shape) == ("boxes+labels", (None, 5))
    engine = opened(spec, model)
    engine.read()
    engine.compile()
    try:
        request, head = engine.requests[0], model.decoder()
        found = []
        for brightness in (150, 0, 250, 0):
            request.input[:] = brightness
            found.append(head.decode(request.infer(), 0.25)[2].tolist())
    finally:
        engine.close()
    assert found == [[1], [], [1, 0], []]
