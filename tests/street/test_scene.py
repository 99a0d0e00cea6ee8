"""The synthetic street: deterministic, as crowded as promised, with boxes that fit the pixels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.street.scene import LABELS, MIN_SIDE_PX, MIN_VISIBLE, Street, Truth, coco_truth
from streamer.street.weather import WEATHERS, Weather

SEEDS = range(40, 56)
INSTANTS = (0, 1009, 40_013)


@pytest.fixture(scope="module")
def street() -> Street:
    return Street(seed=3)


@pytest.fixture(scope="module")
def truths() -> list[Truth]:
    """Frames of many streets, at instants minutes distant."""
    return [street.frame(index)[1] for street in map(Street, SEEDS) for index in INSTANTS]


def larger_side(truth: Truth) -> NDArray[np.float64]:
    return np.asarray((truth.boxes[:, 2:] - truth.boxes[:, :2]).max(axis=1))


def test_the_same_seed_gives_the_same_pixels_and_boxes() -> None:
    (one, truth), (other, other_truth) = (Street(seed=5).frame(77) for _ in range(2))
    assert np.array_equal(one, other)
    assert np.array_equal(truth.boxes, other_truth.boxes)
    assert np.array_equal(truth.object_id, other_truth.object_id)


def test_another_seed_gives_another_street(street: Street) -> None:
    assert Street(seed=4).parameters()["camera"] != street.parameters()["camera"]
    assert np.abs(Street(seed=4).frame(0)[0].astype(int) - street.frame(0)[0]).mean() > 10


def test_frames_do_not_depend_on_the_order_in_which_they_are_requested(street: Street) -> None:
    in_order = [street.frame(index)[0] for index in range(4)]
    backwards = [street.frame(index)[0] for index in (3, 2, 1, 0)]
    assert all(np.array_equal(a, b) for a, b in zip(in_order, reversed(backwards), strict=True))


def test_changing_a_frame_does_not_change_the_next_one(street: Street) -> None:
    image, _ = street.frame(8)
    kept = image.copy()
    image[:] = 0
    assert np.array_equal(street.frame(8)[0], kept)


def test_two_frame_rates_show_the_same_street_at_the_same_time(street: Street) -> None:
    assert np.array_equal(street.frame(30, 30.0)[1].boxes, street.frame(120, 120.0)[1].boxes)


def test_the_street_is_as_lively_after_a_week(street: Street) -> None:
    assert len(street.frame(7 * 24 * 3600 * 30)[1]) >= 6


def test_frames_have_the_size_requested() -> None:
    image, truth = Street(seed=9, width=960, height=540).frame(0)
    assert image.shape == (540, 960, 3)
    assert image.dtype == np.uint8
    assert truth.boxes[:, 2].max() > 640


def test_sampled_frames_of_many_streets_hold_6_to_25_objects(truths: list[Truth]) -> None:
    counts = [len(truth) for truth in truths]
    assert min(counts) >= 6
    assert max(counts) <= 25


def test_at_least_40_percent_of_the_objects_are_under_64_pixels(truths: list[Truth]) -> None:
    sides = np.concatenate([larger_side(truth) for truth in truths])
    assert np.mean(sides < 64) >= 0.4


def test_at_least_20_percent_of_the_objects_are_occluded_by_30_to_70_percent(truths: list[Truth]) -> None:
    hidden = []
    for truth in truths:
        # Objects cut off by the image's edge are left out: they would count as hidden with nothing in front of them.
        inside = (truth.boxes > 0).all(axis=1) & (truth.boxes[:, 2] < 640) & (truth.boxes[:, 3] < 480)
        hidden += (inside & (truth.visible >= 0.3) & (truth.visible <= 0.7)).tolist()
    assert np.mean(hidden) >= 0.2


def test_all_six_classes_appear(truths: list[Truth]) -> None:
    seen = np.concatenate([truth.class_id for truth in truths])
    assert set(seen.tolist()) == set(LABELS)
    assert min(np.bincount(seen)[list(LABELS)]) >= 10


def test_only_objects_that_can_be_recognised_count(truths: list[Truth]) -> None:
    for truth in truths:
        assert (larger_side(truth) >= MIN_SIDE_PX).all()
        assert ((truth.visible >= MIN_VISIBLE) & (truth.visible <= 1)).all()


@pytest.mark.parametrize("seed", [3, 40])
def test_boxes_are_the_extent_of_the_pixels_that_are_seen(seed: int) -> None:
    street = Street(seed)
    owners = street.owners(100)
    _, truth = street.frame(100)
    for box, object_id in zip(truth.boxes, truth.object_id, strict=True):
        rows, columns = np.nonzero(owners == object_id)
        extent = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert box.tolist() == extent


def test_what_differs_from_an_empty_street_is_an_object_or_its_shadow() -> None:
    street = Street(seed=3, weather=Weather("overcast", 0.0, 1.0))
    image, other = (street.frame(index)[0].astype(int) for index in (0, 3_000))
    moved = np.abs(image - other).sum(axis=2) > 150
    seen = (street.owners(0) >= 0) | (street.owners(3_000) >= 0)
    assert moved.sum() > 2_000
    assert (moved & ~seen).sum() < 0.1 * moved.sum()


def test_an_object_keeps_its_number_and_moves_little_between_frames(street: Street) -> None:
    before, after = street.frame(500)[1], street.frame(501)[1]
    kept = set(before.object_id.tolist()) & set(after.object_id.tolist())
    assert len(kept) >= 0.8 * len(before)
    for object_id in kept:
        assert before.class_id[before.object_id == object_id] == after.class_id[after.object_id == object_id]
        middle = [t.boxes[t.object_id == object_id].reshape(2, 2).mean(axis=0) for t in (before, after)]
        assert np.abs(middle[0] - middle[1]).max() < 40


def test_numbers_are_unique_within_a_frame(truths: list[Truth]) -> None:
    assert all(len(set(truth.object_id.tolist())) == len(truth) for truth in truths)


@pytest.mark.parametrize("kind", WEATHERS)
def test_every_weather_can_be_requested(kind: str) -> None:
    street = Street(seed=3, weather=Weather(kind, 1.0, 1.0))
    image, truth = street.frame(0)
    assert street.parameters()["weather"]["kind"] == kind
    assert image.std() > 15
    assert len(truth) > 0


def test_dusk_is_darker_and_noisier_than_day() -> None:
    day = Weather("overcast", 0.5, 1.0)
    bright, dark = (Street(seed=3, weather=w) for w in (day, replace(day, daylight=0.1)))
    assert dark.frame(0)[0].mean() < 0.7 * bright.frame(0)[0].mean()
    corner = np.s_[:60, 300:360]
    changes = [np.std(s.frame(0)[0][corner].astype(int) - s.frame(1)[0][corner]) for s in (bright, dark)]
    assert changes[1] > 1.5 * changes[0]


def test_unknown_weather_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"drizzle.*clear"):
        Weather("drizzle", 0.5, 0.5)


def test_ground_truth_is_a_coco_dictionary(street: Street) -> None:
    found = [street.frame(index)[1] for index in (0, 30)]
    coco = json.loads(json.dumps(coco_truth(found, 640, 480, street.parameters())))
    assert [image["id"] for image in coco["images"]] == [0, 1]
    assert coco["info"]["seed"] == 3
    assert len(coco["annotations"]) == sum(map(len, found))
    first = coco["annotations"][0]
    x1, y1, x2, y2 = found[0].boxes[0].tolist()
    assert first["bbox"] == [x1, y1, x2 - x1, y2 - y1]
    assert first["category_id"] == found[0].class_id[0]
    assert {category["id"]: category["name"] for category in coco["categories"]} == LABELS


def test_pycocotools_reads_the_ground_truth(street: Street, tmp_path: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco", reason="needs pycocotools: pip install streamer[test]")
    found = street.frame(0)[1]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(coco_truth([found], 640, 480)))
    coco = coco_module.COCO(str(path))
    assert len(coco.getAnnIds(imgIds=[0])) == len(found)
