"""SSD: the rows of DetectionOutput, and what goes into it where a model was cut off before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from streamer.detection.class_names import classes_of_nothing
from streamer.detection.head import By, Head, Hints, Object
from streamer.detection.heads import recognise, settle
from streamer.detection.input_spec import Fit, InputSpec
from streamer.detection.layouts.ssd import BoxesScores, BoxesScoresInPixels, DetectionOutput, Priors
from streamer.detection.ports import Port, Signature
from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import geometry
from streamer.engines.null import fixed_prediction
from streamer.errors import ModelError
from streamer.models.model import Model

SIZE = (200, 400)
"""Height and width of the input."""
PICTURE = Port("image", (1, 3, *SIZE))
FIRST = Object(100, 50, 40, 20, 0.75, 1)
SECOND = Object(300, 150, 20, 60, 0.5, 2)
CORNERS = [[80, 40, 120, 60], [290, 120, 310, 180]]

ROWS = Port("detection_out", (1, 1, 10, 7))
SCORED = (Port("scores", (1, 50, 3)), Port("boxes", (1, 50, 4)))
PRIORS = (Port("loc", (1, 200)), Port("conf", (1, 150)), Port("priors", (1, 2, 200)))
HEADS = pytest.mark.parametrize(
    ("kind", "outputs"),
    [(DetectionOutput, (ROWS,)), (BoxesScores, SCORED), (BoxesScoresInPixels, SCORED), (Priors, PRIORS)],
)


def model(*outputs: Port, inputs: Sequence[Port] = (PICTURE,)) -> Signature:
    """A model for pictures of 400x200."""
    return Signature(tuple(inputs), outputs, SIZE)


def detections(*rows: Sequence[float], after: Sequence[float] = (-1, 0, 0, 0, 0, 0, 0)) -> npt.NDArray[np.float32]:
    """An output of DetectionOutput: these rows, the end, and nine stale rows."""
    stale = [(0, 1, 0.9, 0.1, 0.1, 0.2, 0.2)] * 9
    return np.array([*rows, after, *stale], np.float32)[None, None]


@HEADS
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_both_objects_of_two_are_decoded_in_pixels_of_the_input(
    kind: type[Head], outputs: tuple[Port, ...], dtype: str
) -> None:
    head = kind(model(*(Port(port.name, port.shape, dtype) for port in outputs)))
    xyxy, confidence, class_id = head.decode(head.example([FIRST, SECOND]), 0.25)
    assert np.allclose(xyxy, CORNERS, atol=0.3)
    assert np.allclose(confidence, [0.75, 0.5], atol=1e-3)
    assert class_id.tolist() == [1, 2]
    assert (class_id.dtype.name, xyxy.dtype.name) == ("int32", "float32")


@HEADS
def test_an_output_without_objects_is_decoded_to_none(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    head = kind(model(*outputs))
    assert [len(part) for part in head.decode(head.example([]), 0.25)] == [0, 0, 0]


@HEADS
def test_the_threshold_decides_what_comes_out(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    head = kind(model(*outputs))
    assert head.decode(head.example([FIRST, SECOND]), 0.6)[2].tolist() == [1]


@HEADS
def test_numbers_that_are_not_finite_raise_nothing_in_decode(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    head = kind(model(*outputs))
    for answer in head.example([FIRST]):
        broken = [np.full_like(one, np.nan) if one.shape == answer.shape else one for one in head.example([FIRST])]
        head.decode(broken, 0.25)


@HEADS
def test_the_answer_that_it_gives_itself_is_one_of_its_own(kind: type[Head], outputs: tuple[Port, ...]) -> None:
    signature = model(*outputs)
    head = kind(signature)
    answer = head.example([FIRST, SECOND])
    assert type(settle(recognise(signature, Hints()), signature, None, answer)) is kind
    assert [one.shape for one in answer] == [port.shape for port in outputs]


def test_rows_after_the_end_hold_nothing() -> None:
    answer = detections((0, 0, 0.8, 0.1, 0.2, 0.3, 0.4))
    xyxy, _, class_id = DetectionOutput(model(ROWS)).decode([answer], 0.25)
    assert np.allclose(xyxy, [[40, 40, 120, 80]], atol=1e-3)
    assert class_id.tolist() == [0]


def test_an_end_before_any_row_is_nothing_found() -> None:
    assert len(DetectionOutput(model(ROWS)).decode([detections()], 0.25)[0]) == 0


@pytest.mark.parametrize("rows", [0, 3])
def test_any_number_of_rows_may_come_out(rows: int) -> None:
    head = DetectionOutput(model(Port("", (None, None, None, 7))))
    answer = np.tile(np.array([0, 1, 0.9, 0.1, 0.1, 0.2, 0.2], np.float32), (1, 1, rows, 1))
    assert len(head.decode([answer], 0.25)[0]) == rows
    assert head.fits_answer([answer]) is None


@pytest.mark.parametrize(
    "row",
    [
        (0.5, 1, 0.9, 0.1, 0.1, 0.2, 0.2),  # half an image
        (0, 1.5, 0.9, 0.1, 0.1, 0.2, 0.2),  # half a class
        (0, -1, 0.9, 0.1, 0.1, 0.2, 0.2),
        (0, 1, 0.9, 10, 10, 90, 90),  # pixels
    ],
)
def test_other_rows_of_seven_are_refused(row: tuple[float, ...]) -> None:
    signature = model(ROWS)
    with pytest.raises(ModelError, match="it is no SSD"):
        settle(recognise(signature, Hints()), signature, None, [detections(row)])


def test_a_second_input_is_given_the_size_of_the_picture_and_a_scale_of_one() -> None:
    head = DetectionOutput(model(ROWS, inputs=(Port("image_info", (1, 3)), PICTURE)))
    assert {at: given.tolist() for at, given in head.other_inputs().items()} == {0: [[200, 400, 1]]}


def test_another_second_input_is_not_for_an_ssd() -> None:
    assert DetectionOutput.recognise(model(ROWS, inputs=(PICTURE, Port("text", (1, 77)))), Hints()) is None


@pytest.mark.parametrize("shape", [(1, 1, 100, 6), (2, 1, 100, 7), (100, 7), (1, 100, 7)])
def test_other_shapes_are_not_detection_outputs(shape: tuple[int, ...]) -> None:
    assert DetectionOutput.recognise(model(Port("", shape)), Hints()) is None


def test_a_class_that_is_called_background_is_left_out_of_the_detections() -> None:
    head = DetectionOutput(model(ROWS), 3)
    place = geometry(400, 200, SIZE, Fit.STRETCH)
    answer = [detections((0, 0, 0.9, 0.1, 0.1, 0.2, 0.2), (0, 2, 0.8, 0.5, 0.5, 0.9, 0.9))]
    assert Postprocess(head, 0.25, 0.5, "abc")(answer, place).class_id.tolist() == [0, 2]
    head.nothing = frozenset({0})
    assert Postprocess(head, 0.25, 0.5, "abc")(answer, place).class_id.tolist() == [2]


@pytest.mark.parametrize("name", ["background", "BACKGROUND", "__background__", "No Object", "No_Object"])
def test_a_name_tells_that_a_class_is_no_object(name: str) -> None:
    assert classes_of_nothing(["person", name, "no objects known", "background car"]) == {1}


def test_a_model_whose_names_tell_the_background_has_none_of_it_and_neither_has_the_null_engine() -> None:
    parts: dict[str, Any] = {part: {} for part in ("files", "hashes", "input_by")}
    named = Model(
        name="ssd",
        path=Path("ssd.xml"),
        signature=model(ROWS),
        head="ssd",
        names=("background", "car"),
        input=InputSpec(),
        **parts,
    )
    answer = detections((0, 0, 0.9, 0.1, 0.1, 0.2, 0.2), (0, 1, 0.8, 0.5, 0.5, 0.9, 0.9))
    postprocess = Postprocess(named.decoder(), 0.25, 0.5, named.names)
    assert postprocess([answer], geometry(400, 200, SIZE, Fit.STRETCH)).class_id.tolist() == [1]
    seen = postprocess(fixed_prediction(named), geometry(400, 200, SIZE, Fit.STRETCH))
    assert seen.class_id.tolist() == [1, 1, 1]


def test_the_background_of_a_softmax_is_no_detection_and_the_other_classes_keep_their_numbers() -> None:
    head = BoxesScores(model(*SCORED))
    answer = head.example([])
    answer[0][0, :3] = [(0.6, 0.1, 0.3), (0.2, 0.3, 0.5), (0.2, 0.7, 0.1)]
    _, confidence, class_id = head.decode(answer, 0.25)
    assert class_id.tolist() == [2, 2, 1]
    assert confidence.tolist() == pytest.approx([0.3, 0.5, 0.7])


@pytest.mark.parametrize("order", [SCORED, SCORED[::-1]])
def test_boxes_and_scores_are_found_by_name_in_either_order(order: tuple[Port, Port]) -> None:
    signature = model(*order)
    found = recognise(signature, Hints())
    assert (found.kind, found.by, found.others) == (BoxesScores, By.NAMES, (BoxesScoresInPixels,))
    assert BoxesScores(signature).classes == 3


def test_offsets_from_priors_that_are_no_output_are_refused_with_the_mend() -> None:
    signature = model(*SCORED)
    answer = BoxesScores(signature).example([])
    answer[1][:] = np.random.default_rng(21).normal(size=answer[1].shape) - [3, 3, 6, 6]
    with pytest.raises(ModelError, match="export it with its boxes decoded"):
        settle(recognise(signature, Hints()), signature, None, answer)


def test_scores_without_their_softmax_are_refused_with_the_mend() -> None:
    signature = model(*PRIORS)
    answer = Priors(signature).example([FIRST])
    answer[1] *= 5
    with pytest.raises(ModelError, match="export it with its softmax"):
        settle(recognise(signature, Hints()), signature, None, answer)


def test_an_offset_moves_and_stretches_its_prior_by_its_variances() -> None:
    head = Priors(model(*PRIORS))
    assert head.classes == 3
    answer = head.example([Object(100, 50, 40, 20, 0.75, 1)])
    answer[0][0, :4] = 1, 0.5, np.log(2) / 0.2, np.log(0.5) / 0.2
    # A tenth of 40 to the right, a twentieth of 20 down, twice as wide and half as high.
    assert np.allclose(head.decode(answer, 0.25)[0], [[64, 46, 144, 56]], atol=1e-3)


def test_priors_with_as_many_classes_as_sides_take_the_first_for_the_offsets() -> None:
    head = Priors(model(Port("loc", (1, 200)), Port("conf", (1, 200)), Port("priors", (1, 2, 200))))
    assert head.decode(head.example([SECOND]), 0.25)[2].tolist() == [2]
