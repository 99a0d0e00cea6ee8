"""Streaming accuracy: the detections known at each tick against the truth at that tick; cases worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.accuracy.mean_average_precision import FrameTruth
from streamer.accuracy.streaming import newest_known, offline_map50, streaming_map50
from streamer.detection.detections import Detections, no_detections
from streamer.ledger.record import FrameRecord, Outcome
from streamer.stats.age import AgeMeter

PERIOD = 100_000
"""Between ticks, in microseconds."""
FAST, SLOW = 60, 10
"""Speeds in pixels per frame. A box of 100 pixels overlaps itself a tick later by 0.25 (fast) or 0.82 (slow); the
slow one overlaps itself three ticks later by 0.54, and four later by 0.43."""


def run(latencies: Sequence[int | None]) -> list[FrameRecord]:
    """A frame each period, with its result latency in microseconds; None was dropped."""
    records = []
    for frame, latency in enumerate(latencies):
        due = frame * PERIOD
        record = FrameRecord(0, frame, due, due, due)
        if latency is None:
            record.outcome = Outcome.DROPPED
        else:
            record.detected = due + latency
            record.sink_start = record.written = record.detected + 5
            record.outcome = Outcome.DELIVERED
        records.append(record)
    return records


def box(frame: int, speed: float) -> tuple[float, ...]:
    return (frame * speed, 0, frame * speed + 100, 100)


def found(frame: int, speed: float) -> Detections:
    return Detections(np.array([box(frame, speed)], np.float32), np.ones(1, np.float32), np.zeros(1, np.int32))


def truth(frame: int, speed: float) -> FrameTruth:
    return FrameTruth(np.array([box(frame, speed)]), np.zeros(1, np.int64), np.zeros(1, np.bool_))


def scored(
    records: Sequence[FrameRecord], speed: float, detections: Mapping[int, Detections] | None = None
) -> tuple[float | None, float | None]:
    """The offline and the streaming accuracy of a detector that is always right about the moving box."""
    if detections is None:
        detections = {record.frame: found(record.frame, speed) for record in records}
    return (
        offline_map50(records, detections, lambda frame: truth(frame, speed)),
        streaming_map50(records, detections, lambda frame: truth(frame, speed)),
    )


def known(records: Sequence[FrameRecord]) -> list[int | None]:
    """For each frame in order, the newest one that was known at its tick."""
    pairs = list(newest_known(records))
    assert [frame for frame, _ in pairs] == sorted(record.frame for record in records)
    return [newest for _, newest in pairs]


def found_share(right: int, of: int) -> float:
    """Average precision when so many objects are found, and nothing else, over the 101 recalls."""
    return (100 * right // of + 1) / 101


def test_within_a_period_an_answer_is_one_tick_old_however_fast_the_engine() -> None:
    for latency in (0, 1, PERIOD - 1, PERIOD):
        expected = [0, 1, 2, 3, 4] if latency == 0 else [None, 0, 1, 2, 3]
        assert known(run([latency] * 5)) == expected


@pytest.mark.parametrize("ticks", [1, 2, 3, 4, 5])
def test_a_latency_of_so_many_ticks_shows_the_box_where_it_was_so_long_ago(ticks: int) -> None:
    records = run([ticks * PERIOD] * 16)
    assert known(records) == [None] * ticks + list(range(16 - ticks))
    offline, streaming = scored(records, SLOW)
    assert offline == pytest.approx(1)
    overlap = (100 - ticks * SLOW) / (100 + ticks * SLOW)
    # Before the first answer the box is missed; afterwards it is found as long as it has not moved too far.
    assert streaming == pytest.approx(found_share(16 - ticks, 16) if overlap >= 0.5 else 0)


def test_a_fast_object_is_lost_within_a_tick_which_the_offline_accuracy_does_not_show() -> None:
    offline, streaming = scored(run([1000] * 8), FAST)
    assert offline == pytest.approx(1)
    assert streaming == 0


def test_an_answer_counts_from_the_instant_at_which_it_is_detected_that_instant_included() -> None:
    assert known(run([PERIOD, PERIOD, PERIOD])) == [None, 0, 1]
    assert known(run([PERIOD + 1, PERIOD + 1, PERIOD + 1])) == [None, None, 0]


def test_while_frames_are_dropped_the_last_answer_stands() -> None:
    records = run([1000, None, None, None, None, 1000, 1000, 1000])
    assert known(records) == [None, 0, 0, 0, 0, 0, 5, 6]
    offline, streaming = scored(records, SLOW)
    # Offline only what was detected counts. At ticks 4 and 5 the box is 4 and 5 ticks further: missed, and wrong.
    assert offline == pytest.approx(1)
    assert streaming is not None
    assert 0.3 < streaming < found_share(5, 8)


def test_an_older_frame_that_finishes_later_replaces_nothing() -> None:
    records = run([250_000, 20_000, 1000, 1000, 1000])
    assert known(records) == [None, None, 1, 2, 3]
    assert known(run([150_000, 250_000, 20_000, 1000, 1000])) == [None, None, 0, 2, 3]


def test_the_order_of_the_rows_does_not_matter() -> None:
    records = run([250_000, 20_000, 1000, None, 1000])
    assert list(newest_known(records[::-1])) == list(newest_known(records))


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.DELIVERED])
def test_a_frame_that_was_not_delivered_has_no_detections_but_its_tick_counts(outcome: Outcome) -> None:
    records = run([1000] * 4)
    records[1].outcome = outcome
    assert known(records) == [None, 0, 0, 2]


def test_ticks_before_the_first_answer_count_as_empty_ones() -> None:
    records = run([PERIOD * 6] * 8)
    assert scored(records, 0)[1] == pytest.approx(found_share(2, 8))
    never = run([None] * 8)
    assert scored(never, 0) == (None, 0)


def test_a_frame_in_which_nothing_was_found_empties_the_answer() -> None:
    records = run([1000] * 8)
    detections = {frame: found(frame, 0) for frame in range(8) if frame != 3}
    assert scored(records, 0, detections) == pytest.approx((found_share(7, 8), found_share(6, 8)))


def test_a_detection_of_an_object_that_has_gone_is_wrong() -> None:
    """The box of frames 0 to 3 is gone from frame 4 on: there its last answer, as sure as the others, is wrong."""
    nobody = FrameTruth(np.empty((0, 4)), np.empty(0, np.int64), np.empty(0, np.bool_))
    detections = {frame: found(frame, 0) for frame in range(4)}
    left = [truth(frame, 0) if frame < 4 else nobody for frame in range(6)]
    records = run([1000] * 6)
    assert offline_map50(records, detections, left.__getitem__) == pytest.approx(1)
    # Three of four are found; pycocotools takes what is equally sure in the order of the frames.
    assert streaming_map50(records, detections, left.__getitem__) == pytest.approx(found_share(3, 4))
    detections[3] = Detections(detections[3].xyxy, np.full(1, 2, np.float32), detections[3].class_id)
    assert streaming_map50(records, detections, left.__getitem__) == pytest.approx(found_share(3, 4) * 3 / 4)


def test_a_frame_of_which_the_truth_is_not_known_does_not_count() -> None:
    records = run([1000] * 8)
    right = {frame: found(frame, 0) for frame in range(8)}
    right[5] = found(9, FAST)

    def truth_of(frame: int) -> FrameTruth | None:
        return None if frame in (0, 5, 6) else truth(frame, 0)

    # Tick 0 has no answer, the wrong box is of frame 5 and stands at tick 6.
    assert offline_map50(records, right, truth_of) == pytest.approx(1)
    assert streaming_map50(records, right, truth_of) == pytest.approx(1)


def test_without_an_object_there_is_no_figure() -> None:
    nobody = FrameTruth(np.empty((0, 4)), np.empty(0, np.int64), np.empty(0, np.bool_))
    records = run([1000] * 3)
    for of in (lambda frame: nobody, lambda frame: None):
        assert offline_map50(records, {0: found(0, 0)}, of) is None
        assert streaming_map50(records, {0: found(0, 0)}, of) is None
    assert streaming_map50([], {}, lambda frame: truth(frame, 0)) is None


def test_the_mean_is_over_the_classes_that_there_are() -> None:
    def two(frame: int) -> FrameTruth:
        return FrameTruth(
            np.array([box(frame, 0), (300, 0, 400, 100)]), np.array([0, 7], np.int64), np.zeros(2, np.bool_)
        )

    records = run([1000] * 8)
    detections = {frame: found(frame, 0) for frame in range(8)}
    assert offline_map50(records, detections, two) == pytest.approx(0.5)
    assert streaming_map50(records, detections, two) == pytest.approx(found_share(7, 8) / 2)


@given(
    st.lists(st.integers(1, 50_000), min_size=1, max_size=30),
    st.data(),
)
def test_the_newest_known_is_the_frame_whose_age_is_measured(gaps: list[int], data: st.DataObject) -> None:
    dues = [0, *np.cumsum(gaps).tolist()]
    records = []
    for frame, due in enumerate(dues):
        latency = data.draw(st.none() | st.integers(0, 120_000))
        record = FrameRecord(0, frame, due, due, due, outcome=Outcome.DROPPED)
        if latency is not None:
            record.detected, record.outcome = due + latency, Outcome.DELIVERED
        records.append(record)
    ages: list[int] = []
    meter = AgeMeter(ages.append)
    for record in records:
        meter.tick(record.scheduled)
    for record in records:
        if record.detected is not None:
            meter.detected(record.scheduled, record.detected)
    meter.finish()
    newest = known(records)
    assert [due - dues[frame] for due, frame in zip(dues, newest, strict=True) if frame is not None] == ages
    assert all(before <= after for before, after in pairwise(-1 if one is None else one for one in newest))


def test_nothing_found_scores_nothing() -> None:
    assert scored(run([1000] * 3), 0, {frame: no_detections() for frame in range(3)}) == (0, 0)
