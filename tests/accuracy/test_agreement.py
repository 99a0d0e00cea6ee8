"""How far two engines agree, on boxes whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.accuracy.agreement import Agreement, AgreementMeter, overlaps, partners
from streamer.detection.detections import Detections, no_detections
from tests.runs import Found, agreement

Object = tuple[float, float, float, float, float, int]
"""Left, top, right, bottom, confidence, class."""

CAR: Object = (0, 0, 100, 100, 0.9, 2)
PERSON: Object = (200, 0, 240, 100, 0.8, 0)


def seen(*objects: Object) -> Detections:
    table = np.array(objects, np.float64).reshape(-1, 6)
    return Detections(table[:, :4].astype(np.float32), table[:, 4].astype(np.float32), table[:, 5].astype(np.int32))


def measured(*frames: tuple[Detections, Detections]) -> Agreement:
    meter = AgreementMeter()
    for reference, other in frames:
        meter.add(reference, other)
    return meter.result()


def test_the_same_detections_agree_in_full_and_differ_in_nothing() -> None:
    result = measured((seen(CAR, PERSON), seen(CAR, PERSON)), (seen(CAR), seen(CAR)))
    assert (result.there, result.back, result.smaller) == (1, 1, 1)
    assert (result.frames, result.compared) == (2, 6)
    assert (result.box_px_mean, result.box_px_max, result.confidence_mean, result.confidence_max) == (0, 0, 0, 0)


def test_what_only_one_of_them_sees_counts_in_its_own_direction() -> None:
    result = measured((seen(CAR, PERSON), seen(CAR)), (seen(CAR, PERSON), seen(CAR, PERSON)))
    assert (result.there, result.back) == (3 / 4, 1)
    assert result.smaller == 3 / 4
    turned = measured((seen(CAR), seen(CAR, PERSON)), (seen(CAR, PERSON), seen(CAR, PERSON)))
    assert (turned.there, turned.back, turned.smaller) == (1, 3 / 4, 3 / 4)


def test_another_class_is_no_partner() -> None:
    truck = (*CAR[:5], 7)
    assert measured((seen(CAR), seen(truck))).smaller == 0


@pytest.mark.parametrize(("right", "partner"), [(50.0, 1.0), (49.0, 0.0)])
def test_a_partner_overlaps_by_half_or_more(right: float, partner: float) -> None:
    # 50 of 100 columns are an IoU of exactly 0.5.
    assert measured((seen(CAR), seen((0, 0, right, 100, 0.9, 2)))).there == partner


def test_only_detections_over_the_confidence_are_compared_and_a_partner_may_be_below_it() -> None:
    unsure, sure = (*CAR[:4], 0.39, 2), (*CAR[:4], 0.41, 2)
    result = measured((seen(sure), seen(unsure)))
    assert (result.reference, result.other) == (1, 0)
    assert (result.there, result.back, result.smaller) == (1, None, 1)
    assert result.confidence_mean == pytest.approx(0.02)


def test_exactly_at_the_confidence_is_not_over_it() -> None:
    meter = AgreementMeter(confidence=0.5)
    meter.add(seen((0, 0, 10, 10, 0.5, 0)), no_detections())
    assert meter.result().compared == 0


def test_each_partner_serves_one() -> None:
    twice = seen(CAR, (2, 0, 102, 100, 0.7, 2))
    result = measured((twice, seen(CAR)))
    assert (result.there, result.back) == (0.5, 1)


def test_the_most_confident_chooses_first_and_takes_the_best_overlap() -> None:
    these = seen((0, 0, 100, 100, 0.6, 0), (10, 0, 110, 100, 0.9, 0))
    those = seen((10, 0, 110, 100, 0.5, 0), (0, 0, 100, 100, 0.5, 0))
    assert partners(these, np.arange(2), those, 0.5).tolist() == [1, 0]


def test_differences_are_those_of_matched_pairs_in_pixels_and_confidence() -> None:
    moved = (1.0, 0.0, 103.0, 98.0, 0.8, 2)
    result = measured((seen(CAR, PERSON), seen(moved, PERSON)), (seen(CAR), no_detections()))
    assert result.box_px_max == pytest.approx(3)
    assert result.box_px_mean == pytest.approx(1.5)
    assert result.confidence_max == pytest.approx(0.1)
    assert result.confidence_mean == pytest.approx(0.05)


def test_with_nothing_to_compare_there_is_no_agreement() -> None:
    result = measured((no_detections(), no_detections()), (seen((*CAR[:4], 0.3, 2)), no_detections()))
    assert (result.frames, result.compared) == (2, 0)
    assert (result.there, result.back, result.smaller) == (None, None, None)
    assert (result.box_px_mean, result.confidence_max) == (None, None)


def test_one_that_sees_what_the_reference_does_not_see_at_all_disagrees() -> None:
    result = measured((no_detections(), seen(CAR)))
    assert (result.there, result.back, result.smaller) == (None, 0, 0)


def test_a_box_without_an_area_overlaps_nothing() -> None:
    flat = np.array([[5, 5, 5, 9]], np.float32)
    assert overlaps(flat, flat).tolist() == [[0]]
    assert overlaps(np.array([[0, 0, 2, 2]], np.float32), np.array([[1, 1, 3, 3]], np.float32)) == pytest.approx(
        1 / 7
    )


def test_it_agrees_with_a_measure_that_shares_nothing_with_it() -> None:
    rng = np.random.default_rng(5)

    def random_frame() -> Detections:
        n = int(rng.integers(0, 30))
        corner, size = rng.uniform(0, 200, (n, 2)), rng.uniform(20, 120, (n, 2))
        boxes = np.concatenate([corner, corner + size], 1).astype(np.float32)
        confidence = np.sort(rng.uniform(0.25, 1, n).astype(np.float32))[::-1]
        return Detections(boxes, confidence, rng.integers(0, 2, n).astype(np.int32))

    def shaken(one: Detections) -> Detections:
        boxes = one.xyxy + rng.normal(0, 12, one.xyxy.shape).astype(np.float32)
        return Detections(boxes, rng.uniform(0.25, 1, len(one)).astype(np.float32), one.class_id)

    def found(one: Detections) -> list[Found]:
        rows = zip(one.class_id.tolist(), one.confidence.tolist(), one.xyxy.tolist(), strict=True)
        return [Found(class_id, confidence, (box[0], box[1], box[2], box[3])) for class_id, confidence, box in rows]

    frames = [(one, shaken(one)) for one in (random_frame() for _ in range(40))]
    there, back, compared = agreement([found(a) for a, _ in frames], [found(b) for _, b in frames], iou=0.5)
    result = measured(*frames)
    assert result.there == pytest.approx(there)
    assert result.back == pytest.approx(back)
    assert result.compared == compared
    assert 0.3 < there < 0.9
