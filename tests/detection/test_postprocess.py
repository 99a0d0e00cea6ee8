"""From raw predictions to detections: the heads, thresholds, and class-aware NMS."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.detection.detections import Detections
from streamer.detection.head import Head, Hints
from streamer.detection.heads import recognise
from streamer.detection.input_spec import Fit
from streamer.detection.layouts.cells import STRIDES, cells
from streamer.detection.layouts.yolo import Classes, EndToEnd, Objectness
from streamer.detection.postprocess import MAX_CANDIDATES, MAX_DETECTIONS, Postprocess
from streamer.detection.preprocess import Geometry, geometry
from streamer.errors import ModelError
from tests.detectors import signature
from tests.runs import Box, overlap

INPUT = (64, 96)
"""Height and width of the input."""
WHOLE = geometry(INPUT[1], INPUT[0], INPUT, Fit.LETTERBOX)
"""A frame of the input's own size."""
CLASSES = 4

Object = tuple[float, float, float, float, int, float]
"""Centre x and y, width, height, class, confidence."""

Kind = type[Head]
YOLO_HEADS = pytest.mark.parametrize("head", [Objectness, Classes, EndToEnd])
RAW_HEADS = pytest.mark.parametrize("head", [Objectness, Classes])
"""The heads that need NMS."""


def head_for(kind: Kind, raw: npt.NDArray[np.float32], input_size: tuple[int, int] = INPUT) -> Head:
    """The head of a model that puts out ``raw``."""
    return kind(signature(raw.shape, size=input_size))


def postprocess(
    kind: Kind,
    raw: npt.NDArray[np.float32],
    *,
    confidence: float = 0.25,
    iou: float = 0.5,
    names: str = "",
    place: Geometry = WHOLE,
    input_size: tuple[int, int] = INPUT,
) -> Detections:
    """Detections in a frame of the input's own size, where no other ``place`` is given."""
    return Postprocess(head_for(kind, raw, input_size), confidence, iou, names)([raw], place)


def raw_prediction(
    head: Kind, objects: list[Object], *, input_size: tuple[int, int] = INPUT
) -> npt.NDArray[np.float32]:
    """The raw prediction of a head that sees ``objects``."""
    if head is Objectness:
        rows = np.zeros((3 * cells(input_size, STRIDES[0]), 5 + CLASSES), np.float32)
        for row, (x, y, width, height, class_id, confidence) in zip(rows, objects, strict=False):
            row[:5] = x, y, width, height, 0.95
            row[5 + class_id] = confidence / 0.95
        return rows[None]
    if head is EndToEnd:
        rows = np.zeros((max(MAX_DETECTIONS, len(objects)), 6), np.float32)
        for row, one in zip(rows, objects, strict=False):
            row[:4], row[4], row[5] = box_of(one), one[5], one[4]
        return rows[None]
    rows = np.zeros((cells(input_size, STRIDES[0]), 4 + CLASSES), np.float32)
    for row, (x, y, width, height, class_id, confidence) in zip(rows, objects, strict=False):
        row[:4] = x, y, width, height
        row[4 + class_id] = confidence
    return np.ascontiguousarray(rows.T)[None]


def detect(head: Kind, objects: list[Object], *, confidence: float = 0.25, iou: float = 0.5) -> Detections:
    """Detections in a frame of the input's own size."""
    return postprocess(head, raw_prediction(head, objects), confidence=confidence, iou=iou)


@YOLO_HEADS
def test_objects_come_out_as_corners_with_class_and_confidence_most_confident_first(head: Kind) -> None:
    found = detect(head, [(20, 20, 10, 8, 2, 0.5), (60, 30, 20, 30, 0, 0.9)])
    assert np.allclose(found.xyxy, [[50, 15, 70, 45], [15, 16, 25, 24]], atol=1e-4)
    assert found.confidence.tolist() == pytest.approx([0.9, 0.5], abs=1e-6)
    assert found.class_id.tolist() == [0, 2]
    dtypes = [values.dtype.name for values in (found.xyxy, found.confidence, found.class_id)]
    assert dtypes == ["float32", "float32", "int32"]


@YOLO_HEADS
def test_boxes_are_given_in_pixels_of_the_source_frame(head: Kind) -> None:
    place = geometry(960, 320, INPUT, Fit.LETTERBOX)  # a tenth, with 16 rows of padding above
    found = postprocess(head, raw_prediction(head, [(50, 36, 20, 10, 1, 0.8)]), place=place)
    assert np.allclose(found.xyxy, [[400, 150, 600, 250]], atol=1e-2)


@YOLO_HEADS
def test_nothing_found_is_an_empty_result(head: Kind) -> None:
    found = detect(head, [])
    assert len(found) == 0
    assert found.xyxy.shape == (0, 4)
    assert found.class_id.shape == (0,)


@RAW_HEADS
def test_of_two_overlapping_boxes_of_one_class_the_weaker_is_suppressed(head: Kind) -> None:
    found = detect(head, [(30, 30, 20, 20, 1, 0.6), (31, 30, 20, 20, 1, 0.8)])
    assert found.confidence.tolist() == pytest.approx([0.8], abs=1e-6)


@YOLO_HEADS
def test_overlapping_boxes_of_different_classes_both_stay(head: Kind) -> None:
    found = detect(head, [(30, 30, 20, 20, 1, 0.6), (30, 30, 20, 20, 3, 0.8)])
    assert found.class_id.tolist() == [3, 1]
    assert np.array_equal(found.xyxy[0], found.xyxy[1])


@RAW_HEADS
@pytest.mark.parametrize(("iou", "kept"), [(0.5, 1), (0.7, 2)])
def test_iou_decides_how_much_overlap_suppresses(head: Kind, iou: float, kept: int) -> None:
    # 20x20 shifted by 5: 300 in common of 500 together, 0.6.
    assert len(detect(head, [(30, 30, 20, 20, 1, 0.6), (35, 30, 20, 20, 1, 0.8)], iou=iou)) == kept


@RAW_HEADS
def test_a_suppressed_box_suppresses_nothing(head: Kind) -> None:
    # Each overlaps its neighbour by 0.6, first and last by 0.33: the middle one goes, and with it its claim.
    chain: list[Object] = [(30, 30, 20, 20, 1, 0.9), (35, 30, 20, 20, 1, 0.8), (40, 30, 20, 20, 1, 0.7)]
    assert detect(head, chain).confidence.tolist() == pytest.approx([0.9, 0.7], abs=1e-6)


@YOLO_HEADS
@pytest.mark.parametrize(("confidence", "kept"), [(0.2, 3), (0.45, 2), (0.65, 1), (0.95, 0)])
def test_confidence_decides_what_is_kept(head: Kind, confidence: float, kept: int) -> None:
    objects: list[Object] = [(20, 20, 8, 8, 0, 0.3), (50, 20, 8, 8, 1, 0.6), (80, 20, 8, 8, 2, 0.9)]
    assert len(detect(head, objects, confidence=confidence)) == kept


def test_with_objectness_the_confidence_is_the_product_of_both_scores() -> None:
    raw = raw_prediction(Objectness, [(20, 20, 8, 8, 0, 0.9)])
    raw[0, 0, 4], raw[0, 0, 5] = 0.5, 0.6
    assert postprocess(Objectness, raw).confidence.tolist() == pytest.approx([0.3])
    assert len(postprocess(Objectness, raw, confidence=0.35)) == 0


@RAW_HEADS
def test_a_box_has_its_best_class_alone(head: Kind) -> None:
    raw = raw_prediction(head, [(20, 20, 8, 8, 1, 0.6)])
    rows = raw[0] if head is Objectness else raw[0].T
    rows[0, -1] = 0.9  # class 3
    assert postprocess(head, raw).class_id.tolist() == [3]


@YOLO_HEADS
def test_at_most_300_are_kept_and_they_are_the_most_confident(head: Kind) -> None:
    size = (640, 640)
    grid = [(8 + 16 * (i % 40), 8 + 16 * (i // 40)) for i in range(400)]
    objects: list[Object] = [(x, y, 8, 8, i % CLASSES, 0.3 + i / 1000) for i, (x, y) in enumerate(grid)]
    place = geometry(640, 640, size, Fit.LETTERBOX)
    found = postprocess(head, raw_prediction(head, objects, input_size=size), place=place, input_size=size)
    assert len(found) == MAX_DETECTIONS == 300
    assert found.confidence.tolist() == pytest.approx([0.3 + i / 1000 for i in range(399, 99, -1)], abs=1e-6)


def test_a_flood_of_candidates_is_cut_to_the_most_confident() -> None:
    rows = np.zeros((MAX_CANDIDATES + 5000, 5 + CLASSES), np.float32)
    rows[:, :5] = 30, 30, 20, 20, 1
    rows[:, 5] = np.linspace(0.3, 0.9, len(rows))[::-1]
    found = postprocess(Objectness, rows[None])
    assert found.confidence.tolist() == pytest.approx([0.9], abs=1e-6)


@YOLO_HEADS
def test_the_result_does_not_change_with_the_next_prediction(head: Kind) -> None:
    raw = raw_prediction(head, [(20, 20, 10, 8, 2, 0.5)])
    found = postprocess(head, raw)
    before = found.xyxy.copy(), found.confidence.copy(), found.class_id.copy()
    raw[:] = 7
    assert all(
        np.array_equal(a, b) for a, b in zip(before, (found.xyxy, found.confidence, found.class_id), strict=True)
    )


confidences = st.integers(300, 990).map(lambda n: n / 1000)
whole_boxes = st.tuples(
    st.integers(10, 86), st.integers(10, 54), st.integers(2, 20), st.integers(2, 20), st.integers(0, CLASSES - 1)
).map(lambda box: (float(box[0]), float(box[1]), 2.0 * box[2], 2.0 * box[3], box[4]))
crowds = st.lists(st.tuples(whole_boxes, confidences), max_size=30, unique_by=lambda one: one[1]).map(
    lambda crowd: [(*box, confidence) for box, confidence in crowd]
)


def greedy(objects: list[Object], iou: float) -> list[Object]:
    """NMS as the textbook has it, in Python: the best first, and nothing of its class that overlaps it."""
    kept: list[Object] = []
    for one in sorted(objects, key=lambda one: -one[5]):
        if all(other[4] != one[4] or overlap(box_of(other), box_of(one)) <= iou for other in kept):
            kept.append(one)
    return kept


def box_of(one: Object) -> Box:
    return one[0] - one[2] / 2, one[1] - one[3] / 2, one[0] + one[2] / 2, one[1] + one[3] / 2


@RAW_HEADS
@given(objects=crowds)
def test_nms_keeps_the_boxes_of_any_crowd_that_the_textbooks_nms_keeps(head: Kind, objects: list[Object]) -> None:
    # No two areas of whole pixels up to 40x40 overlap by exactly 0.503: 503 is a prime.
    found = detect(head, objects, iou=0.503)
    expected = greedy(objects, 0.503)
    assert found.confidence.tolist() == pytest.approx([one[5] for one in expected], abs=1e-6)
    assert found.class_id.tolist() == [one[4] for one in expected]
    corners = np.array([box_of(one) for one in expected], np.float32).reshape(-1, 4)
    assert np.allclose(found.xyxy, np.clip(corners, 0, [INPUT[1], INPUT[0]] * 2), atol=1e-3)


def recognised(shape: tuple[int, ...], size: tuple[int, int], *, end_to_end: bool = False) -> tuple[Kind, int | None]:
    """The head of a model with one output of this shape, and its number of classes."""
    model = signature(shape, size=size)
    kind = recognise(model, Hints(end_to_end=end_to_end)).kind
    return kind, kind(model).classes


@pytest.mark.parametrize("input_size", [(480, 640), (640, 640), (320, 320), (384, 640), (1280, 1280), (32, 32)])
@pytest.mark.parametrize("classes", [1, 2, 3, 20, 80, 81, 365, 1203])
def test_both_heads_are_distinguished_by_their_shape(input_size: tuple[int, int], classes: int) -> None:
    count = sum((input_size[0] // stride) * (input_size[1] // stride) for stride in (8, 16, 32))
    assert recognised((1, 3 * count, 5 + classes), input_size) == (Objectness, classes)
    assert recognised((1, 4 + classes, count), input_size) == (Classes, classes)


def test_the_two_layouts_of_the_contract_are_known() -> None:
    assert recognised((1, 18900, 85), (480, 640)) == (Objectness, 80)
    assert recognised((1, 84, 6300), (480, 640)) == (Classes, 80)


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1000),  # a classifier
        (1, 300, 7),
        (1, 1001, 6),  # more than an end-to-end head chooses
        (1, 84, 8400),  # of another input size
        (1, 25200, 85),
        (2, 84, 6300),  # a batch
        (1, 4, 6300),  # boxes without classes
        (1, 18900, 5),
        (1, 3, 480, 640),  # a picture
        (),
    ],
)
def test_other_shapes_are_refused_with_the_mend(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"not a detector that streamer knows .+: .+ for an input of 640x480\)"):
        recognised(shape, (480, 640))


def test_an_end_to_end_head_has_suppressed_already_and_nothing_more_is() -> None:
    found = detect(EndToEnd, [(30, 30, 20, 20, 1, 0.6), (31, 30, 20, 20, 1, 0.8)])
    assert found.confidence.tolist() == pytest.approx([0.8, 0.6], abs=1e-6)


@pytest.mark.parametrize("rows", [1, 84, 300, 1000])
def test_six_columns_of_a_number_that_no_grid_has_are_an_end_to_end_head(rows: int) -> None:
    assert recognised((1, rows, 6), (480, 640)) == (EndToEnd, None)


def test_a_single_anchor_a_cell_with_objectness_has_as_many_classes_as_columns_are_left() -> None:
    for columns in (85, 84):  # the wrong way round for the other head: refused where names are compared
        model = signature((1, 6300, columns), size=(480, 640))
        found = recognise(model, Hints())
        assert Objectness in (found.kind, *found.others)
        assert Objectness(model).classes == columns - 5


@pytest.mark.parametrize("strides", STRIDES)
def test_finer_and_coarser_grids_are_reported_too(strides: tuple[int, ...]) -> None:
    count = sum((480 // stride) * (640 // stride) for stride in strides)
    assert recognised((1, 84, count), (480, 640)) == (Classes, 80)
    assert recognised((1, 3 * count, 85), (480, 640)) == (Objectness, 80)


def test_six_columns_of_exactly_the_grids_number_are_objectness_and_one_class_unless_the_metadata_knows_better() -> (
    None
):
    shape, size = (1, 3 * cells((64, 64), STRIDES[0]), 6), (64, 64)
    assert recognised(shape, size) == (Objectness, 1)
    assert recognised(shape, size, end_to_end=True) == (EndToEnd, None)


def test_raw_predictions_stay_raw_even_when_the_metadata_says_end_to_end() -> None:
    assert recognised((1, 84, 6300), (480, 640), end_to_end=True) == (Classes, 80)


def test_a_class_without_a_name_is_an_error_that_names_it() -> None:
    raw = raw_prediction(EndToEnd, [(30, 30, 20, 20, 2, 0.6), (30, 30, 20, 20, 3, 0.1)])
    assert postprocess(EndToEnd, raw, names="abc").class_id.tolist() == [2]
    with pytest.raises(ModelError, match="the model detects class 2 and has names for 2"):
        postprocess(EndToEnd, raw, names="ab")


@YOLO_HEADS
@pytest.mark.parametrize(
    ("one", "words"),
    [
        ((20, 20, -10, 8, 2, 0.5), "what is no box, corners 25, 16, 15, 24"),
        ((20, 20, 10, -8, 2, 0.5), "what is no box, corners 15, 24, 25, 16"),
        ((np.nan, 20, 10, 8, 2, 0.5), "what is no box, corners nan, 16, nan, 24"),
        ((20, 20, 10, 8, 2, np.inf), "a confidence of inf"),
        ((20, 20, 10, 8, 2, 1e9), "a confidence of 1e\\+09"),
    ],
)
def test_an_invalid_box_is_an_error_that_shows_it(head: Kind, one: Object, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        detect(head, [(60, 30, 20, 30, 0, 0.9), one])


@RAW_HEADS
def test_a_box_without_an_end_is_cut_at_the_edges(head: Kind) -> None:
    assert detect(head, [(20, 20, np.inf, 8, 2, 0.5)]).xyxy.tolist() == [[0, 16, 96, 24]]
