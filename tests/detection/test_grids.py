"""The heads of NanoDet and PicoDet."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.detection.detections import Detections
from streamer.detection.head import By, Head, Hints, Object, Outputs
from streamer.detection.heads import HEADS, head_of, recognise, settle
from streamer.detection.input_spec import Colour, Fit
from streamer.detection.layouts.grids import FOUR, THREE, NanoDet, NanoDetPlus, NanoDetStrides, PicoDet, cells_of
from streamer.detection.layouts.yolo import Objectness
from streamer.detection.layouts.yolox import YoloxBoxes, YoloxGrid
from streamer.detection.ports import Port, Signature
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import geometry
from streamer.models.find import find_model
from tests.runs import SHARED, needs_shared

SIZE = (128, 192)
"""Height and width of the input: of 64, the coarsest stride, they are multiples."""
CLASSES = 5
SEEN = (Object(40, 40, 20, 16, 0.5, 2), Object(120, 60, 40, 60, 0.9, 0), Object(120, 60, 44, 56, 0.4, 3))
BOXES = [[100, 30, 140, 90], [30, 32, 50, 48], [98, 32, 142, 88]]
"""The boxes of `SEEN`, the most confident first; two of them have the same centre."""


def model(*outputs: Port, size: tuple[int, int] = SIZE) -> Signature:
    return Signature((Port("input", (1, 3, *size)),), outputs, size)


def joint(strides: tuple[int, ...], columns: int = CLASSES + 32, dtype: str = "float32") -> Signature:
    """All in one output."""
    return model(Port("output", (1, sum(cells_of(SIZE, strides)), columns), dtype))


def per_stride(
    strides: tuple[int, ...], names: tuple[str, str] = ("", ""), dtype: str = "float32", batch: tuple[int, ...] = (1,)
) -> Signature:
    """The scores of each stride, and the distributions of each."""
    counts = dict(zip(strides, cells_of(SIZE, strides), strict=True))
    scores = [Port(f"{names[0]}{stride}", (*batch, cells, CLASSES), dtype) for stride, cells in counts.items()]
    sides = [Port(f"{names[1]}{stride}", (*batch, cells, 32), dtype) for stride, cells in counts.items()]
    return model(*scores, *sides)


NAMES = "cls_pred_stride_", "dis_pred_stride_"
KINDS = {
    "nanodet": (NanoDet, joint(THREE), By.SHAPE),
    "nanodet of wide distributions": (NanoDet, joint(THREE, CLASSES + 44), By.SHAPE),
    "nanodet of halves": (NanoDet, joint(THREE, dtype="float16"), By.SHAPE),
    "nanodet of an output for each": (
        NanoDet,
        model(*(Port(f"{cells}", (cells, CLASSES + 32)) for cells in cells_of(SIZE, THREE))),
        By.SHAPE,
    ),
    "nanodet-plus": (NanoDetPlus, joint(FOUR), By.SHAPE),
    "nanodet-strides": (NanoDetStrides, per_stride(THREE, NAMES), By.NAMES),
    "nanodet-strides without names": (NanoDetStrides, per_stride(THREE), By.SHAPE),
    "nanodet-strides, turned": (
        NanoDetStrides,
        model(*reversed(per_stride(THREE, NAMES).outputs)),
        By.NAMES,
    ),
    "picodet": (PicoDet, per_stride(FOUR, ("transpose_", "other_")), By.SHAPE),
    "picodet of halves": (PicoDet, per_stride(FOUR, dtype="float16"), By.SHAPE),
    "picodet without batch": (PicoDet, per_stride(FOUR, batch=()), By.SHAPE),
}
EACH = pytest.mark.parametrize(("kind", "signature", "by"), KINDS.values(), ids=KINDS)


def found_by(head: Head, outputs: Outputs) -> Detections:
    """The detections in a frame of the input's own size."""
    return Postprocess(head, 0.25, 0.9)(outputs, geometry(SIZE[1], SIZE[0], SIZE, Fit.STRETCH))


@EACH
def test_a_head_is_recognised_and_made_again_by_its_name(kind: type[Head], signature: Signature, by: By) -> None:
    found = recognise(signature, Hints(classes=CLASSES))
    assert found.by is by
    assert type(settle(found, signature, CLASSES, kind(signature, CLASSES).example(SEEN))) is kind
    assert head_of(kind.name, signature, CLASSES).classes == CLASSES


@EACH
def test_boxes_reach_as_far_as_their_distributions_expect(kind: type[Head], signature: Signature, by: By) -> None:
    head = kind(signature, CLASSES)
    found = found_by(head, head.example(SEEN))
    assert np.allclose(found.xyxy, BOXES, atol=0.2)
    assert found.confidence.tolist() == pytest.approx([0.9, 0.5, 0.4], abs=1e-3)
    assert found.class_id.tolist() == [0, 2, 3]
    assert [values.dtype.name for values in (found.xyxy, found.confidence)] == ["float32", "float32"]


@EACH
def test_no_objects_and_numbers_that_are_not_finite_are_an_empty_result(
    kind: type[Head], signature: Signature, by: By
) -> None:
    head = kind(signature, CLASSES)
    answer = head.example([])
    assert len(found_by(head, answer)) == 0
    assert len(found_by(head, [np.full_like(output, np.nan) for output in answer])) == 0


@pytest.mark.parametrize(("kind", "strides", "centre"), [(NanoDet, THREE, 0.5), (NanoDetPlus, FOUR, 0.0)])
def test_a_box_by_hand(kind: type[Head], strides: tuple[int, ...], centre: float) -> None:
    head = kind(joint(strides), CLASSES)
    answer = np.zeros((1, sum(cells_of(SIZE, strides)), CLASSES + 32), np.float32)
    row = answer[0, 16 * 24 + 2 * 12 + 3]  # of stride 16, which has 12 cells in a row: row 2, column 3
    row[4] = 0.7
    left, top, right, bottom = row[CLASSES:].reshape(4, 8)
    left[1], top[0], right[7] = 50, 50, 50
    bottom[2] = bottom[3] = 50  # half of each: 2.5
    x, y = (3 + centre) * 16, (2 + centre) * 16
    found = found_by(head, [answer])
    assert found.xyxy.tolist() == [pytest.approx([x - 16, y, x + 7 * 16, y + 40], abs=1e-3)]
    assert found.class_id.tolist() == [4]


def test_grids_have_a_cell_where_the_picture_ends_within_one() -> None:
    assert sum(cells_of((416, 416), FOUR)) == 3598, "NanoDet-Plus's own number"
    plus = model(Port("output", (1, 3598, 112)), size=(416, 416))
    found = recognise(plus, Hints())
    assert found.kind is NanoDetPlus
    assert NanoDetPlus(plus).classes == 80


def test_outputs_of_the_same_shape_are_distinguished_from_yolos_by_their_values() -> None:
    signature = joint(THREE)
    found = recognise(signature, Hints())
    assert {found.kind, *found.others} == {NanoDet, Objectness, YoloxGrid, YoloxBoxes}
    yolo = Objectness(signature).example([Object(40, 40, 20, 16, 0.5, 2)])
    yolo[0][0, :, :2] = np.linspace(0, 128, yolo[0].shape[1])[:, None]  # all over the picture, as decoded boxes are
    yolo[0][0, :, 4] = 1  # as YOLOv6 has it
    assert type(settle(found, signature, None, yolo)) is Objectness
    assert type(settle(found, signature, None, NanoDet(signature).example(SEEN))) is NanoDet


def test_names_that_leave_no_four_distributions_make_it_a_yolo() -> None:
    found = recognise(joint(THREE, 5 + 80), Hints(classes=80))
    assert (found.kind, found.others) == (Objectness, (YoloxGrid, YoloxBoxes))
    assert NanoDet.recognise(joint(THREE), Hints(classes=CLASSES, task="detect")) is None


@pytest.mark.parametrize("columns", [112, 124])
def test_eighty_classes_are_known_with_distributions_of_either_width(columns: int) -> None:
    assert NanoDet(joint(THREE, columns)).classes == 80
    assert NanoDet(joint(THREE, columns)).classes_of(joint(THREE, 37)) is None, "names tell, where there are any"


def test_scores_beyond_0_to_1_are_not_theirs() -> None:
    signature = per_stride(FOUR)
    head = PicoDet(signature)
    answer = head.example(SEEN)
    assert head.fits_answer(answer) is None
    answer[0][0, 0, 0] = -3
    assert "not from 0 to 1" in str(head.fits_answer(answer))


def test_a_model_that_lacks_a_grid_or_four_sides_has_no_such_head() -> None:
    whole = per_stride(THREE)
    assert NanoDetStrides.recognise(model(*whole.outputs[:-1]), Hints()) is None
    sides = [Port("", (*port.shape[:-1], 30)) if port.shape[-1] == 32 else port for port in whole.outputs]
    assert NanoDetStrides.recognise(model(*sides), Hints()) is None


@needs_shared
def test_a_real_nanodet_is_recognised_by_its_names_and_takes_bgr() -> None:
    found = find_model(str(SHARED / "models" / "nanodet_m_320" / "nanodet_m_320.onnx"))
    assert HEADS[found.head] is NanoDetStrides
    assert (found.classes, found.input.colour, found.input.fit) == (80, Colour.BGR, Fit.STRETCH)
