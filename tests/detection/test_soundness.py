"""Signs in a model's outputs that it is damaged, and sound outputs that resemble them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from streamer.detection.head import Head, Object
from streamer.detection.layouts.yolo import Classes, EndToEnd, Objectness
from streamer.detection.ports import Port, Signature
from streamer.detection.soundness import signs_of_damage

SIZE = (320, 320)
CELLS = 2100
OBJECTS = [Object(40 + 50 * n, 100, 40, 60, 0.3 + 0.15 * n, n) for n in range(4)]
HEADS: dict[type[Head], tuple[int, ...]] = {
    Objectness: (1, 3 * CELLS, 85),
    Classes: (1, 84, CELLS),
    EndToEnd: (1, 300, 6),
}


def head_of(kind: type[Head], dtype: str = "float32") -> Head:
    signature = Signature((Port("images", (1, 3, *SIZE)),), (Port("output0", HEADS[kind], dtype),), SIZE)
    return kind(signature, 80)


def raw(head: Head, seed: int = 0) -> npt.NDArray[Any]:
    """The output of a sound raw head where nothing is: boxes all over the picture, and small scores."""
    chance = np.random.default_rng(seed)
    answer = head.blank()[0]
    rows = answer[0].T if isinstance(head, Classes) else answer[0]
    rows[:, :4] = chance.uniform(0, SIZE[0], (len(rows), 4))
    rows[:, 4:] = chance.beta(0.1, 30, rows[:, 4:].shape)
    return answer


def in_bytes(numbers: npt.NDArray[Any], high: float) -> npt.NDArray[Any]:
    """The numbers from 0 to ``high`` as a quantizer to 8 bits leaves them."""
    step = np.float32(high / 255)
    return np.round(numbers / step).clip(0, 255).astype(np.float32) * step


def in_bf16(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The numbers with the digits that bf16 has."""
    kept = numbers.astype(np.float32).view(np.uint32) + np.uint32(0x8000) & np.uint32(0xFFFF0000)
    return kept.view(np.float32)


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_sound_answer_is_not_accused_whether_it_finds_anything_or_nothing(kind: type[Head], dtype: str) -> None:
    head = head_of(kind, dtype)
    assert signs_of_damage(head, head.example(OBJECTS)) == []
    assert signs_of_damage(head, head.blank()) == []
    if kind is not EndToEnd:
        assert signs_of_damage(head, [raw(head)]) == []


@pytest.mark.parametrize("kind", [Objectness, Classes])
@pytest.mark.parametrize("rounded", [False, True])
def test_boxes_and_scores_in_one_output_of_8_bits_are_reported_by_their_step_even_where_nothing_is_found(
    kind: type[Head], rounded: bool
) -> None:
    head = head_of(kind)
    answer = in_bytes(raw(head), 384)
    assert not head.scores([answer]).any(), "something is found"
    (sign,) = signs_of_damage(head, [in_bf16(answer) if rounded else answer])
    assert "share one output" in sign
    (sign,) = signs_of_damage(head, [in_bytes(raw(head) + np.float32(0.8), 384)])
    assert "counts in steps of 1.506, so that no score lies between 0 and 1.506" in sign


def test_scores_in_8_bits_of_their_own_are_sound() -> None:
    head = head_of(Classes)
    answer = in_bytes(raw(head), 384)
    answer[:, 4:] = in_bytes(raw(head)[:, 4:], 1)
    assert signs_of_damage(head, [answer]) == []


@pytest.mark.parametrize("seed", range(20))
def test_a_few_detections_and_zeros_behind_them_are_no_coarse_output(seed: int) -> None:
    head = head_of(EndToEnd)
    chance = np.random.default_rng(seed)
    objects = []
    for class_id in chance.integers(0, 80, 9):
        x, y, width, height = chance.uniform((50, 50, 10, 10), (250, 250, 90, 90))
        objects.append(Object(x, y, width, height, chance.uniform(0.3, 1), int(class_id)))
    assert signs_of_damage(head, head.example(objects)) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda scores: scores * 40, r"scores go from 0 to \d+\.?\d*, and scores lie from 0 to 1"),
        (lambda scores: scores - 5, "scores go from -5 to "),
        (lambda scores: scores * np.nan, "168,000 of its 168,000 scores are not finite"),
        (lambda scores: scores * 0 + 0.5, "all of its 168,000 scores are 0.5"),
    ],
)
def test_scores_that_no_head_has_are_reported(change: Any, reason: str) -> None:
    head = head_of(Classes)
    answer = raw(head)
    answer[:, 4:] = change(answer[:, 4:])
    (sign, *_) = signs_of_damage(head, [answer])
    assert re.search(reason, sign), sign


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize(
    ("scale", "shift", "reason"),
    [
        (1 / 320, 0, "shares of the picture where its head has pixels"),
        (1, 900, "4 of its 4 boxes lie off its picture of 320x320"),
        (60, 0, "boxes lie off its picture"),
    ],
)
def test_boxes_off_the_picture_are_reported(kind: type[Head], scale: float, shift: float, reason: str) -> None:
    head = head_of(kind)
    moved = [
        Object(shift + scale * one.x, shift + scale * one.y, scale * one.width, scale * one.height, 0.9, one.class_id)
        for one in OBJECTS
    ]
    (sign,) = signs_of_damage(head, head.example(moved))
    assert reason in sign


def test_an_object_at_the_edge_or_larger_than_the_picture_is_not_accused() -> None:
    head = head_of(Classes)
    objects = [Object(2, 160, 60, 60, 0.9, 0), Object(160, 160, 400, 330, 0.8, 1), Object(330, 10, 40, 40, 0.8, 1)]
    assert signs_of_damage(head, head.example(objects)) == []


@pytest.mark.parametrize("kind", [Objectness, Classes])
def test_as_many_objects_as_are_kept_are_reported(kind: type[Head]) -> None:
    head = head_of(kind)
    many = [Object(8 + 15 * x, 8 + 15 * y, 10, 10, 0.9, 1) for x in range(20) for y in range(20)]
    assert signs_of_damage(head, head.example(many[:200])) == []
    (sign,) = signs_of_damage(head, head.example(many))
    assert "finds 300 objects in one picture, as many as are kept" in sign
