"""Frames that are no longer worth an inference: too old, or in a partial slot."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.drop_policy import PARTIAL, STALE, Freshness, FreshnessCheck, Policy
from streamer.schedule.arrivals import Bursty
from tests.rig import Rig

HUNDRED_MS = Fraction(10)


def reasons(rig: Rig) -> Counter[str]:
    return Counter(record.reason for record in rig.records if record.outcome is Outcome.DROPPED)


def test_a_frame_beyond_the_age_is_dropped_when_its_turn_comes() -> None:
    # 61 ms of service at 40 ms: with five places in the queue frames grow old in it.
    rig = Rig(queue=5, freshness=Freshness(max_age_us=100_000)).run()
    assert reasons(rig)[STALE] > 0
    ages = [r.preprocess_start - r.scheduled for r in rig.records if r.preprocess_start is not None]
    assert max(ages) <= 100_000
    assert rig.ledger.conserved


def test_without_an_age_nothing_is_stale() -> None:
    assert reasons(Rig(queue=5).run())[STALE] == 0


def test_a_fresh_frame_is_never_stale_however_slow_the_engine_is() -> None:
    rig = Rig(frames=30, services_s=(0.5,), freshness=Freshness(max_age_us=1)).run()
    assert sum(record.outcome is Outcome.DELIVERED for record in rig.records) > 1


def test_a_partial_slot_is_skipped_when_the_result_would_come_no_tick_earlier() -> None:
    # Ticks of 100 ms. 130 ms: after frame 0 (done at 130), frame 1 begun at 130 is done at 260, shown at 300; frame 2
    # begun at 200 is done at 330, shown at 400. Worth it. 170 ms: frame 1 begun at 170 is done at 340, shown at 400;
    # frame 2 begun at 200 is done at 370, shown at 400 as well, and fresher.
    assert (
        reasons(Rig(fps=HUNDRED_MS, frames=3, services_s=(0.13,), freshness=Freshness(skip_partial=True)).run()) == {}
    )
    late = Rig(fps=HUNDRED_MS, frames=5, services_s=(0.17,), freshness=Freshness(skip_partial=True)).run()
    assert late.records[1].reason == PARTIAL
    assert late.records[2].preprocess_start == 200_000


def test_skipping_partial_slots_lowers_the_age_where_it_skips() -> None:
    plain = Rig(fps=HUNDRED_MS, frames=60, services_s=(0.17,)).run()
    skipping = Rig(fps=HUNDRED_MS, frames=60, services_s=(0.17,), freshness=Freshness(skip_partial=True)).run()
    ages = [rig.tally.figures["age"].mean for rig in (plain, skipping)]
    assert ages[1] <= ages[0]


def test_nothing_is_skipped_when_no_other_frame_will_come() -> None:
    freshness = FreshnessCheck(Freshness(skip_partial=True))
    freshness.ticked(0)
    freshness.ticked(100_000)
    freshness.served(170_000)
    record = FrameRecord(0, 1, 100_000, 100_000)
    assert freshness.reason(record, 170_000, more=True) == PARTIAL
    assert freshness.reason(record, 170_000, more=False) is None


@pytest.mark.slow
@settings(max_examples=100)
@given(
    fps=st.fractions(Fraction(5), Fraction(60), max_denominator=7),
    policy=st.sampled_from(Policy),
    queue=st.integers(0, 4),
    services_ms=st.lists(st.integers(1, 200), min_size=1, max_size=40),
    max_age_ms=st.none() | st.integers(0, 200),
    skip_partial=st.booleans(),
    requests=st.integers(1, 3),
    arrivals=st.none() | st.builds(Bursty, st.integers(1, 499_999), st.integers(500_000, 3_000_000)),
)
def test_every_frame_has_a_fate_and_no_request_idles_while_a_frame_waits(
    fps: Fraction,
    policy: Policy,
    queue: int,
    services_ms: list[int],
    max_age_ms: int | None,
    skip_partial: bool,
    requests: int,
    arrivals: Bursty | None,
) -> None:
    rig = Rig(
        fps=fps,
        frames=40,
        policy=policy,
        queue=queue,
        services_s=tuple(ms / 1000 for ms in services_ms),
        requests=requests,
        arrivals=arrivals,
        freshness=Freshness(None if max_age_ms is None else max_age_ms * 1000, skip_partial),
    ).run()
    assert rig.ledger.conserved
    assert rig.ledger.scheduled == 40
    due = [record.scheduled for record in rig.records]
    assert due == sorted(due)
    assert all(r.preprocess_start is None or r.preprocess_start >= r.scheduled for r in rig.records), (
        "before its time"
    )
    if max_age_ms is not None:
        ages = [r.preprocess_start - r.scheduled for r in rig.records if r.preprocess_start is not None]
        assert max(ages, default=0) <= max_age_ms * 1000
    if skip_partial:
        return
    # A frame that waited began at an instant at which a request became free: it had none before.
    freed = {record.detected for record in rig.records if record.detected is not None}
    for record in rig.records:
        begun, offered = record.preprocess_start, record.captured
        assert begun is None or offered is None or begun == offered or begun in freed
