"""The error for a refused model says what it looks like, and the mend."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.detection.head import Hints
from streamer.detection.heads import recognise, settle
from streamer.detection.ports import Port, Signature
from streamer.errors import ModelError

Shape = tuple[int | None, ...]


def model(*shapes: Shape, size: tuple[int, int] = (640, 640)) -> Signature:
    outputs = tuple(Port(f"out{at}", shape) for at, shape in enumerate(shapes))
    return Signature((Port("images", (1, 3, *size)),), outputs, size)


def refusal(*shapes: Shape, size: tuple[int, int] = (640, 640)) -> str:
    with pytest.raises(ModelError, match="not a detector that streamer knows") as error:
        recognise(model(*shapes, size=size), Hints())
    assert "its outputs are out0: " in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("shape", [(1, 1000), (1000,), (1, 1000, 1, 1)])
def test_a_classifier_is_called_one(shape: Shape) -> None:
    assert "knows but a classifier of 1,000 classes: give a detection model" in refusal(shape)


@pytest.mark.parametrize("shape", [(1, 21, 640, 640), (1, 1, 160, 160), (1, 640, 640), (1, 80, 80, 19)])
def test_a_number_for_every_pixel_is_no_box(shape: Shape) -> None:
    assert "no boxes, as for semantic segmentation, depth or heat maps: give one that" in refusal(shape)
    assert "no boxes, as for semantic segmentation" in refusal(shape, shape)


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 255, 80, 80), (1, 255, 40, 40), (1, 255, 20, 20)],
        [(1, 3, 80, 80, 85), (1, 3, 40, 40, 85), (1, 3, 20, 20, 85)],
        [(1, 80, 80, 144), (1, 40, 40, 144), (1, 20, 20, 144)],
    ],
)
def test_grids_that_are_no_boxes_yet_are_reported_with_how_to_export_them(shapes: list[Shape]) -> None:
    assert "without its last layer, which makes boxes of 3 grids: export it again with that" in refusal(*shapes)


def test_a_known_head_for_several_images_is_named_with_the_mend() -> None:
    reason = refusal((2, 84, 8400))
    assert "but boxes+classes (YOLOv5u, v8" in reason
    assert "for 2 images at a time: export it again with batch=1" in reason
    assert "boxes+objectness+classes" in refusal((4, 25200, 85))


def test_a_known_head_for_another_size_is_named_with_both_sizes() -> None:
    reason = refusal((1, 84, 8400), size=(416, 416))
    assert "but boxes+classes (" in reason
    assert "for pictures of 640x640, and takes such of 416x416: export it again for one size" in reason
    assert "for pictures of 320x320, and takes such of 640x640" in refusal((1, 84, 2100))


def test_a_known_head_with_more_beside_is_named_with_what_is_too_much() -> None:
    reason = refusal((1, 25200, 85), (1, 77), (5, 1, 2))
    assert "but boxes+objectness+classes (" in reason
    assert "with more outputs (out1, out2): export it with the others alone" in reason


def test_a_known_head_with_its_sides_exchanged_is_named() -> None:
    assert "but boxes+objectness+classes (" in (reason := refusal((1, 85, 25200)))
    assert "with rows and columns exchanged" in reason


def test_boxes_without_scores_are_reported() -> None:
    assert "but puts out boxes without scores" in refusal((1, 8400, 4))


@pytest.mark.parametrize("shape", [(1, 17, 1, 3), (), (2, 2), (None, None), (1, 5, 7, 11, 13)])
def test_the_error_for_a_model_like_nothing_known_names_the_list_of_heads(shape: Shape) -> None:
    assert (
        "knows nor like one that it knows: give a detector with one of the heads in docs/reference/heads.md"
        in refusal(shape)
    )


def test_an_answer_that_does_not_fit_names_the_head_that_its_shape_has() -> None:
    signature = model((1, 300, 6))
    answer = np.tile(np.array([10, 10, 50, 50, 0.5, 0.5], np.float32), (1, 300, 1))
    with pytest.raises(ModelError, match=r"looks like boxes\+confidence\+class \(.*last column holds no class numb"):
        settle(recognise(signature, Hints()), signature, None, [answer])
