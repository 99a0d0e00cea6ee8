"""The heads of the YOLO family: what is recognised as which, and that each finds what its outputs say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.detection.class_names import label_of
from streamer.detection.head import By, Head, Hints, Object
from streamer.detection.heads import HEADS, head_of, recognise, settle
from streamer.detection.input_spec import Fit
from streamer.detection.layouts.cells import cells
from streamer.detection.ports import Port, Signature
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import geometry
from streamer.errors import ModelError
from streamer.models.find import find_model
from streamer.models.model import Model
from streamer.models.torch_metadata import outputs_of
from tests.tiny_models import CELLS, raw, write_ir

SIZE = (64, 96)
ROWS = cells(SIZE, (8, 16, 32))
OBJECTS = [Object(60, 30, 20, 30, 0.75, 0), Object(20, 20, 10, 8, 0.5, 2)]
ULTRALYTICS = {"task": "detect", "stride": 32, "names": {0: "a", 1: "b", 2: "c"}}


def signature(*outputs: Port, size: tuple[int, int] = SIZE) -> Signature:
    return Signature((Port("images", (1, 3, *size)),), outputs, size)


def one(*shape: int | None, name: str = "output", dtype: str = "float32") -> Signature:
    return signature(Port(name, shape, dtype))


PROTOTYPES = Port("output1", (1, 32, 16, 24))
COUNTED = [Port("num_dets", (1, 1), "int64"), Port("det_boxes", (1, 9, 4)), Port("det_scores", (1, 9))]
MODELS = [
    ("boxes+objectness+classes", one(1, 3 * ROWS, 8)),
    ("boxes+objectness+classes", one(3 * ROWS, 8)),
    ("boxes+objectness+classes", one(1, ROWS, 8, name="outputs", dtype="float16")),
    ("boxes+objectness+classes", signature(Port("output0", (1, 3 * ROWS, 40)), PROTOTYPES)),
    ("boxes+classes", one(1, 7, ROWS)),
    ("boxes+classes", one(7, ROWS, dtype="float16")),
    ("boxes+classes", signature(PROTOTYPES, Port("output0", (1, 39, ROWS)))),
    ("boxes+classes+more", one(1, 58, ROWS)),
    ("boxes+confidence+class", one(1, 300, 6)),
    ("boxes+confidence+class", one(None, 6)),
    ("boxes+confidence+class", one(None, None, 57)),
    ("boxes+confidence+class", signature(Port("output0", (1, 300, 38), "float16"), PROTOTYPES)),
    ("nms:boxes+confidence+class", one(1, 300, 6)),
    ("rtdetr:boxes+confidence+class", one(1, 300, 6)),
    ("rtdetr:boxes+classes", one(1, 300, 7, dtype="float16")),
    ("yolox:grid+objectness+classes", one(1, ROWS, 8)),
    ("yolox:grid+objectness+classes", one(ROWS, 8, dtype="float16")),
    ("yolox:boxes+objectness+classes", one(1, ROWS, 8)),
    ("nms:picture+boxes+class+confidence", one(None, 7)),
    ("nms:picture+boxes+confidence+class", one(9, 7)),
    ("nms:count+boxes+confidence+class", signature(*COUNTED, Port("det_classes", (1, 9), "int32"))),
    ("nms:count+boxes+confidence+class", signature(*COUNTED, Port("det_classes", (1, 9)), Port("masks", (1, 9, 8)))),
    (
        "nms:count+boxes+confidence+class",
        signature(
            Port("graph2_pred_classes", (None, None), "int64"),
            Port("graph2_pred_scores", (None, None), "float16"),
            Port("graph2_pred_boxes", (None, None, 4), "float16"),
            Port("graph2_num_predictions", (None, 1), "int64"),
        ),
    ),
]
"""The heads' names, and models of three classes with them."""
EACH_MODEL = pytest.mark.parametrize(("name", "model"), MODELS)


@EACH_MODEL
def test_what_an_example_holds_is_found(name: str, model: Signature) -> None:
    head = head_of(name, model, 3)
    xyxy, confidence, class_id = head.decode(head.example(OBJECTS), 0.25)
    order = np.argsort(-confidence)
    assert np.allclose(xyxy[order], [thing.corners for thing in OBJECTS], atol=0.1)
    assert confidence[order].tolist() == pytest.approx([0.75, 0.5], abs=1e-3)
    assert class_id[order].tolist() == [0, 2]
    assert [values.dtype.name for values in (xyxy, confidence, class_id)] == ["float32", "float32", "int32"]


@EACH_MODEL
def test_the_threshold_is_left_out_and_scores_are_all_from_0_to_1(name: str, model: Signature) -> None:
    head = head_of(name, model, 3)
    answer = head.example(OBJECTS)
    assert len(head.decode(answer, 0.6)[1]) == 1
    assert len(head.decode(answer, 0.75)[1]) == 0
    assert head.scores(answer).min(initial=0) == 0
    assert head.scores(answer).max() == pytest.approx(1, abs=0.25)


@EACH_MODEL
def test_empty_outputs_and_numbers_that_are_not_finite_raise_nothing(name: str, model: Signature) -> None:
    head = head_of(name, model, 3)
    empty = head.example([])
    assert len(head.decode(empty, 0.25)[1]) == 0
    wrong = head.example(OBJECTS)
    for output in wrong:
        if output.dtype.kind == "f":
            output.fill(np.nan)
    head.decode(wrong, 0.25)
    head.decode(wrong, -1.0)
    head.fits_answer(wrong)


@pytest.mark.parametrize("name", ["boxes+objectness+classes", "boxes+classes", "yolox:grid+objectness+classes"])
def test_half_floats_that_are_rounded_to_the_threshold_are_compared_by_their_value(name: str) -> None:
    model = one(1, 7, ROWS, dtype="float16") if name == "boxes+classes" else one(1, ROWS, 8, dtype="float16")
    head = head_of(name, model, 3)
    for score, found in ((0.3, 1), (0.9, 0)):  # the nearest half floats are 0.30005 and 0.89990
        answer = head.example([Object(20, 20, 10, 8, score, 1)])
        assert len(head.decode(answer, score)[1]) == found


def by(model: Signature, **hints: Any) -> tuple[str, By]:
    """The head of a model, and the evidence by which it was recognised."""
    found = recognise(model, Hints(**hints))
    return found.kind.name, found.by


@pytest.mark.parametrize(
    ("strides", "rare"),
    [
        ((8, 16, 32), False), ((8, 16, 32, 64), True), ((4, 8, 16, 32), True), ((16, 32), True), ((8, 16), True),
        ((4, 8, 16), True), ((4, 8, 16, 32, 64), True), ((8, 16, 32, 64, 128), True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [(640, 640), (384, 640), (1280, 1280)])
def test_finer_and_coarser_grids_are_known(strides: tuple[int, ...], rare: bool, size: tuple[int, int]) -> None:
    how = By.RARE_SHAPE if rare else By.SHAPE
    count = cells(size, strides)
    assert by(signature(Port("", (1, 84, count)), size=size)) == ("boxes+classes", how)
    assert by(signature(Port("", (1, 3 * count, 85)), size=size)) == ("boxes+objectness+classes", how)


def test_the_raw_grids_may_be_outputs_beside_the_boxes_of_yolov5() -> None:
    maps = [Port(name, (1, 3, 64 // n, 96 // n, 8)) for name, n in (("a", 8), ("b", 16), ("c", 32))]
    model = signature(*maps, Port("output", (1, 3 * ROWS, 8)))
    head = recognise(model, Hints()).kind(model)
    assert (head.name, head.classes, head.notes()) == ("boxes+objectness+classes", 3, [])
    assert head.decode(head.example(OBJECTS), 0.25)[2].tolist() == [0, 2]


@pytest.mark.parametrize(
    "others",
    [[Port("logits", (1, 300, 80))], [Port("", (1, 32, 16, 24)), Port("", (1, 32, 16, 24))], [Port("", (1,))]],
)
def test_other_outputs_than_masks_make_it_no_yolo(others: list[Port]) -> None:
    with pytest.raises(ModelError, match="not a detector that streamer knows"):
        recognise(signature(Port("", (1, 84, ROWS)), *others), Hints())


def imported(tmp_path: Path, *outputs: Any, metadata: Mapping[str, Any] | None = None) -> Model:
    return find_model(str(write_ir(tmp_path / "tiny.xml", *outputs, metadata=metadata)))


POSE = {"task": "pose", "stride": 32, "names": {0: "person"}, "kpt_shape": [17, 3]}


def test_only_the_metadata_tells_a_pose_from_a_detector_of_52_classes(tmp_path: Path) -> None:
    pose = imported(tmp_path, raw(1, 56, CELLS), metadata=POSE)
    assert (pose.head, pose.names) == ("boxes+classes+more", ("person",))
    assert "keypoints" in pose.decoder().notes()[0]
    plain = imported(tmp_path, raw(1, 56, CELLS))
    assert (plain.head, len(plain.names)) == ("boxes+classes", 52)


def test_keypoints_are_no_classes(tmp_path: Path) -> None:
    answer = raw(1, 56, CELLS)
    answer[0, :5, 7] = 30, 30, 20, 20, 0.5
    answer[0, 5:, :] = 40  # pixels, and far over any score
    found = imported(tmp_path, answer, metadata=POSE).decoder().decode([answer], 0.25)
    assert [values.tolist() for values in found] == [[[20, 20, 40, 40]], [0.5], [0]]


def test_a_pose_of_two_classes_has_no_room_for_the_names_of_three(tmp_path: Path) -> None:
    names = {0: "cat", 1: "dog", 2: "cow"}
    with pytest.raises(ModelError, match=r"puts out 2 classes and its metadata, .* names 3"):
        imported(tmp_path, raw(1, 57, CELLS), metadata={**POSE, "names": names})
    without = {key: value for key, value in POSE.items() if key != "names"}
    assert imported(tmp_path, raw(1, 57, CELLS), metadata=without).names == ("class_0", "class_1")


def test_masks_whose_prototypes_were_cut_off_are_no_classes(tmp_path: Path) -> None:
    answer = raw(1, 4 + 3 + 32, CELLS)
    answer[0, :6, 7] = 30, 30, 20, 20, 0, 0.5
    answer[0, 7:, :] = 3
    model = imported(tmp_path, answer, metadata={**ULTRALYTICS, "task": "segment"})
    assert (model.head, model.names) == ("boxes+classes+more", ("a", "b", "c"))
    assert model.decoder().decode([answer], 0.25)[2].tolist() == [1]


def test_a_model_for_segmentation_says_that_masks_are_left_out(tmp_path: Path) -> None:
    model = imported(tmp_path, raw(1, 39, CELLS), raw(1, 32, 16, 16), metadata={**ULTRALYTICS, "task": "segment"})
    assert (model.head, model.names) == ("boxes+classes", ("a", "b", "c"))
    assert model.decoder().notes()[0].startswith("it is a model for segmentation")


def test_an_end_to_end_head_without_a_known_number_of_classes_has_numbers_for_labels(tmp_path: Path) -> None:
    answer = raw(1, 300, 6)
    answer[0, 0] = 10, 10, 40, 40, 0.9, 71
    model = imported(tmp_path, answer)
    assert (model.head, model.names) == ("boxes+confidence+class", ())
    found = Postprocess(model.decoder(), 0.25, 0.5, model.names)([answer], geometry(64, 64, (64, 64), Fit.LETTERBOX))
    assert [label_of(model.names, class_id) for class_id in found.class_id.tolist()] == ["class_71"]


def test_an_export_with_nms_inside_says_what_that_means(tmp_path: Path) -> None:
    inside = imported(tmp_path, raw(1, 300, 6), metadata={**ULTRALYTICS, "args": {"nms": True}})
    assert inside.head == "nms:boxes+confidence+class"
    assert "a lower --conf finds no more" in inside.decoder().notes()[0]
    outside = imported(tmp_path, raw(1, 300, 6), metadata={**ULTRALYTICS, "args": {"nms": None}, "end2end": True})
    assert (outside.head, outside.decoder().notes()) == ("boxes+confidence+class", [])


@pytest.mark.parametrize(
    ("columns", "hints", "name"),
    [
        (57, {"task": "pose", "keypoints": 51, "end_to_end": True}, "boxes+confidence+class"),
        (57, {"task": "pose", "keypoints": 51, "nms_inside": True}, "nms:boxes+confidence+class"),
        (57, {"task": "pose"}, "boxes+confidence+class"),
        (38, {"task": "segment"}, "boxes+confidence+class"),
        (6, {"nms_inside": True, "end_to_end": True}, "boxes+confidence+class"),
    ],
)
def test_chosen_boxes_may_have_more_columns(columns: int, hints: Mapping[str, Any], name: str) -> None:
    assert by(one(1, 300, columns), **hints)[0] == name
    notes = head_of(name, one(1, 300, columns), 1).notes()
    assert any("runs as a detector" in note for note in notes) == (columns > 6)


@pytest.mark.parametrize(
    ("model", "classes"), [(one(1, 1001, 6), None), (one(1, 300, 57), None), (one(1, 300, 5), 3), (one(2, 300, 6), 3)]
)
def test_tables_of_other_sizes_are_no_end_to_end_heads(model: Signature, classes: int | None) -> None:
    with pytest.raises(ModelError, match="not a detector that streamer knows"):
        recognise(model, Hints(classes=classes))


def settled(model: Signature, answer: Sequence[Any], **hints: Any) -> Head:
    return settle(recognise(model, Hints(**hints)), model, hints.get("classes"), answer)


def test_boxes_in_parts_of_the_picture_tell_an_rt_detr_from_an_end_to_end_yolo() -> None:
    model = one(1, 300, 6)
    answer = np.zeros((1, 300, 6), np.float32)
    answer[0, :, :4] = np.random.default_rng(5).uniform(-0.1, 1.1, (300, 4))
    assert settled(model, [answer]).name == "rtdetr:boxes+confidence+class"
    assert settled(model, [answer * np.float32(64)]).name == "boxes+confidence+class"
    assert settled(model, [answer * 0]).name == "boxes+confidence+class"


@pytest.mark.parametrize(
    ("columns", "hints", "name"),
    [
        (6, {"layer": "RTDETRDecoder", "classes": 80, "end_to_end": False}, "rtdetr:boxes+confidence+class"),
        (84, {"layer": "RTDETRDecoder", "classes": 80}, "rtdetr:boxes+classes"),
        (6, {"layer": "Detect", "classes": 2, "end_to_end": True}, "boxes+confidence+class"),
        (84, {"classes": 80, "task": "detect"}, "rtdetr:boxes+classes"),
        (5, {"classes": 1, "task": "detect"}, "rtdetr:boxes+classes"),
    ],
)
def test_the_metadata_tells_an_rt_detr(columns: int, hints: Mapping[str, Any], name: str) -> None:
    assert by(one(1, 300, columns), **hints)[0] == name


def test_an_older_rt_detr_of_two_classes_has_no_column_of_class_numbers() -> None:
    model = one(1, 300, 6)
    answer = np.random.default_rng(5).uniform(0.01, 0.9, (1, 300, 6)).astype(np.float32)
    for hints in ({"classes": 2}, {"classes": 2, "layer": "RTDETRDecoder"}):
        head = settled(model, [answer], **hints)
        assert (head.name, head.classes) == ("rtdetr:boxes+classes", 2)


@pytest.mark.parametrize("columns", [6, 7])
def test_an_rt_detr_of_ultralytics_is_fed_stretched_pictures(columns: int, tmp_path: Path) -> None:
    answer = raw(1, 300, columns)
    answer[0, :, :5] = 0.5, 0.5, 0.25, 0.5, 0.125
    answer[0, 0, 4] = 0.75
    model = imported(
        tmp_path, answer, metadata={**ULTRALYTICS, "head": "RTDETRDecoder"} if columns == 6 else ULTRALYTICS
    )
    assert model.input.fit is Fit.STRETCH
    xyxy, confidence, class_id = model.decoder().decode([answer], 0.25)
    assert (xyxy.tolist(), confidence.tolist(), class_id.tolist()) == ([[24, 16, 40, 48]], [0.75], [0])


def test_the_boxes_and_prototypes_that_a_network_returns_are_its_exports_outputs() -> None:
    boxes, prototypes = raw(1, 39, CELLS), raw(1, 32, 16, 16)
    assert outputs_of(boxes) == [boxes]
    assert outputs_of((boxes, {"feats": boxes}))[0] is boxes
    assert outputs_of((boxes, (boxes, None))) == [boxes]
    pair = outputs_of(((boxes, prototypes), {"feats": boxes}))
    assert [part is given for part, given in zip(pair, (boxes, prototypes), strict=True)] == [True, True]


def test_names_distinguish_what_has_as_many_cells_as_columns() -> None:
    square = signature(Port("", (1, 84, 84)), size=(64, 64))
    assert by(square, classes=80)[0] == "boxes+classes"
    assert by(square, classes=79)[0] == "boxes+objectness+classes"


def test_every_head_has_a_name_of_its_own_and_says_whose_it_is() -> None:
    assert len({row.about for row in HEADS.values()}) == len(HEADS)
