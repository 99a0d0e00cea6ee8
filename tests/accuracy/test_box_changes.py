"""The canary: how many of its boxes have changed."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.accuracy.box_changes import changed_boxes
from streamer.detection.detections import Detections, no_detections

Row = tuple[float, float, float, float, float, int]
"""A box's corners, confidence and class."""
CAR, BUS, MAN = (10, 20, 50, 60, 0.9, 2), (100, 20, 180, 90, 0.8, 5), (200, 30, 220, 90, 0.7, 0)


def detections(*rows: Row) -> Detections:
    found = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(found[:, :4].astype(np.float32), found[:, 4].astype(np.float32), found[:, 5].astype(np.int32))


CANARY = detections(CAR, BUS, MAN)


def test_the_same_detections_have_not_changed_in_whatever_order() -> None:
    assert changed_boxes(CANARY, detections(CAR, BUS, MAN)) == 0
    assert changed_boxes(CANARY, detections(MAN, CAR, BUS)) == 0
    assert changed_boxes(no_detections(), no_detections()) == 0


@pytest.mark.parametrize(
    "car",
    [
        (10, 20, 50.4, 60, 0.9, 2),
        (10, 20, 50, 60, 0.9008, 2),
    ],
)
def test_a_difference_that_no_picture_shows_is_no_change(car: Row) -> None:
    assert changed_boxes(CANARY, detections(car, BUS, MAN)) == 0


@pytest.mark.parametrize(
    "now",
    [
        ((10, 20, 50.6, 60, 0.9, 2), BUS, MAN),
        ((10, 20, 50, 60, 0.902, 2), BUS, MAN),
        ((10, 20, 50, 60, 0.9, 7), BUS, MAN),
        ((400, 20, 440, 60, 0.9, 2), BUS, MAN),
        (BUS, MAN),
        (CAR, CAR, BUS, MAN),
        ((float("nan"), 20, 50, 60, 0.9, 2), BUS, MAN),
    ],
    ids=["moved", "less sure", "another class", "far away", "gone", "twice", "not a number"],
)
def test_one_box_that_changed_counts_once(now: tuple[Row, ...]) -> None:
    assert changed_boxes(CANARY, detections(*now)) == 1
    assert changed_boxes(detections(*now), CANARY) == 1


def test_all_boxes_that_are_gone_or_new_count() -> None:
    assert changed_boxes(CANARY, no_detections()) == 3
    assert changed_boxes(no_detections(), CANARY) == 3


def test_boxes_without_an_area_are_compared_too() -> None:
    flat = detections((10, 20, 10, 60, 0.9, 2))
    assert changed_boxes(flat, flat) == 0
