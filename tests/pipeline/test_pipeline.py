"""The pipeline in virtual time: policies, outcomes, the conservation law. Numbers are exact."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.errors import EngineError, SinkError
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.shutdown import GRACE_S, SINK_GRACE_S
from streamer.pipeline.ticket import SINK_LINK
from streamer.schedule.schedule import Limits, Pace
from streamer.stats.percentiles import nearest_rank
from tests.rig import FOR_EVER_S, Rig


def outcomes(rig: Rig) -> Counter[Outcome]:
    return Counter(record.outcome for record in rig.records if record.outcome is not None)


def latency_ms(rig: Rig, p: float) -> float:
    ordered = np.sort(np.array([record.latency for record in rig.records if record.latency is not None]))
    return int(ordered[nearest_rank(len(ordered), p) - 1]) / 1000


@pytest.mark.parametrize("repeat", range(3))
@pytest.mark.parametrize(
    ("policy", "queue", "delivered", "dropped", "p50", "p99"),
    [
        (Policy.WAIT, 0, 100, 0, 1090, 2119),
        (Policy.DROP_NEWEST, 1, 66, 34, 101, 121),
        (Policy.DROP_OLDEST, 1, 66, 34, 80, 100),
    ],
)
def test_policies_come_to_the_figures_worked_out_by_hand(
    policy: Policy, queue: int, delivered: int, dropped: int, p50: float, p99: float, repeat: int
) -> None:
    rig = Rig(policy=policy, queue=queue).run()
    assert outcomes(rig)[Outcome.DELIVERED] == delivered
    assert outcomes(rig)[Outcome.DROPPED] == dropped
    assert (latency_ms(rig, 0.5), latency_ms(rig, 0.99)) == (p50, p99)


def test_back_pressure_is_latency_and_never_lateness() -> None:
    rig = Rig(policy=Policy.WAIT, queue=0).run()
    assert {record.lateness for record in rig.records} == {0}
    assert rig.records[-1].latency == 61_000 + 99 * 21_000


def test_drop_oldest_keeps_the_newest_frame_while_the_engine_is_busy() -> None:
    rig = Rig(services_s=(0.2, 0.01), frames=6).run()
    # Frames 1 to 4 are due while frame 0 is in the engine (until 200 ms); 4 is the newest of them. At equal instants
    # arrivals come first: frame 5, due at 200 ms, displaces it.
    assert [record.frame for record in rig.records if record.outcome is Outcome.DROPPED] == [1, 2, 3, 4]


def test_drop_newest_keeps_the_frame_that_came_first() -> None:
    rig = Rig(services_s=(0.19, 0.01), frames=6, policy=Policy.DROP_NEWEST).run()
    assert [record.frame for record in rig.records if record.outcome is Outcome.DROPPED] == [2, 3, 4]


def test_frames_follow_an_absolute_schedule_when_one_is_decoded_late() -> None:
    rig = Rig(decode_s=0.05, services_s=(0.001,), frames=30).run()
    assert [record.scheduled for record in rig.records] == [40_000 * index for index in range(30)]
    assert max(record.lateness or 0 for record in rig.records) > 0


def test_rates_that_are_no_whole_number_are_kept_exact() -> None:
    rig = Rig(fps=Fraction(30_000, 1001), services_s=(0.001,), frames=1000).run()
    assert rig.records[-1].scheduled == round(999 * 1001 / 30_000 * 1e6)


def test_a_closed_loop_starts_each_frame_when_the_request_is_free() -> None:
    rig = Rig(fps="max", policy=Policy.WAIT, services_s=(0.05,), frames=5).run()
    assert [record.scheduled for record in rig.records] == [50_000 * index for index in range(5)]
    assert {record.latency for record in rig.records} == {50_000}


def test_decoding_ahead_waits_until_no_frame_is_being_measured() -> None:
    rig = Rig(decode_s=0.002, services_s=(0.01,), frames=50).run()
    assert rig.pipeline.ungated == 0
    assert {record.lateness for record in rig.records} == {0}


def test_decoding_while_another_frame_is_measured_is_counted() -> None:
    rig = Rig(decode_s=0.002, services_s=(0.5,), frames=50).run()
    assert rig.pipeline.ungated > 10


def test_an_engine_error_ends_the_run_and_names_the_frame() -> None:
    rig = Rig(services_s=(0.01,), engine_fails_at=50).run()
    assert isinstance(rig.pipeline.failure, EngineError)
    assert rig.pipeline.failure.frame == 50
    assert "frame 50" in str(rig.pipeline.failure)
    assert outcomes(rig) == {Outcome.DELIVERED: 50, Outcome.ENGINE_ERROR: 1}
    assert rig.ledger.conserved


def test_a_sink_error_ends_the_run_and_what_was_in_flight_is_abandoned() -> None:
    rig = Rig(services_s=(0.05,), write_s=0.2, sink_fails_at=5, policy=Policy.WAIT).run()
    assert isinstance(rig.pipeline.failure, SinkError)
    counted = outcomes(rig)
    assert counted[Outcome.DELIVERED] == 5
    assert counted[Outcome.SINK_ERROR] == 1
    assert counted[Outcome.ABANDONED] > 0
    assert rig.ledger.conserved


@pytest.mark.parametrize("hangs", [{"services_s": (0.01, FOR_EVER_S), "requests": 2}, {"source_hangs_at": 10}])
def test_a_run_that_is_stopped_waits_only_a_moment_for_what_is_in_flight(hangs: dict[str, Any]) -> None:
    rig = Rig(**{"services_s": (0.01,), **hangs}, frames=1000, stop_at_us=1_000_000).run()
    assert rig.ended_us == 1_000_000 + GRACE_S * 1_000_000
    assert rig.pipeline.failure is None
    assert rig.ledger.conserved
    assert rig.ledger.outcomes[Outcome.DELIVERED] > 0
    assert rig.ledger.outcomes[Outcome.ABANDONED] > 0
    assert rig.ledger.outcomes[Outcome.ENGINE_ERROR] == 0
    assert max(record.scheduled for record in rig.records) == 1_000_000


def test_a_sink_that_does_not_finish_when_a_run_is_stopped_is_given_up_a_moment_later() -> None:
    rig = Rig(services_s=(0.01,), frames=1000, sink_hangs_at=3, stop_at_us=1_000_000).run()
    assert rig.ended_us == 1_000_000 + SINK_GRACE_S * 1_000_000
    assert isinstance(rig.pipeline.failure, SinkError)
    assert rig.ledger.outcomes[Outcome.SINK_ERROR] == 1
    assert rig.ledger.conserved


def test_what_is_in_flight_when_a_run_is_stopped_is_delivered_when_it_is_done_in_time() -> None:
    rig = Rig(services_s=(0.45,), frames=1000, stop_at_us=1_000_000).run()
    (last,) = [record for record in rig.records if (record.written or 0) > 1_000_000]
    assert last.outcome is Outcome.DELIVERED


def test_stopping_abandons_what_was_due_and_not_begun() -> None:
    rig = Rig(policy=Policy.WAIT, queue=0, stop_at_us=1_000_000).run()
    # Due by 1 s: frames 0 to 25. The engine, at 61 ms each, has finished 16 by then and one is in flight.
    assert rig.ledger.scheduled == 26
    assert outcomes(rig) == {Outcome.DELIVERED: 17, Outcome.ABANDONED: 9}
    assert rig.ledger.conserved


def test_a_frame_that_cannot_be_decoded_is_one_row_and_the_run_goes_on() -> None:
    rig = Rig(services_s=(0.01,), frames=10, broken=frozenset({0, 4})).run()
    assert outcomes(rig) == {Outcome.DELIVERED: 8, Outcome.DECODE_ERROR: 2}
    assert rig.records[4].captured is None


def test_a_slow_sink_holds_the_engine_back_and_shows_in_the_ledger() -> None:
    rig = Rig(services_s=(0.001,), write_s=0.2, frames=50).run()
    assert outcomes(rig)[Outcome.DROPPED] > 30
    waiting = [r.sink_start - r.detected for r in rig.records if r.sink_start is not None and r.detected is not None]
    assert max(waiting) > 100_000


def test_the_run_ends_at_the_frame_limit_or_with_its_duration() -> None:
    assert len(Rig(services_s=(0.01,), limits=Limits(frames=7)).run().records) == 7
    assert len(Rig(services_s=(0.01,), limits=Limits(duration_us=1_000_000)).run().records) == 25


def test_late_counts_frames_beyond_the_deadline_and_missed_adds_those_not_delivered() -> None:
    rig = Rig(deadline_us=90_000).run()
    late = [record for record in rig.records if (record.latency or 0) > 90_000]
    assert rig.ledger.late == len(late) > 0
    assert rig.ledger.missed == len(late) + 34


def test_dropped_frames_reach_a_sink_that_shows_them_in_their_own_place() -> None:
    rig = Rig(shows_dropped=True).run()
    assert rig.sinks[0].written == list(range(100))


def age_by_definition(records: list[FrameRecord]) -> list[int]:
    ages = []
    for tick in sorted(record.scheduled for record in records):
        seen = [r.scheduled for r in records if r.detected is not None and r.detected <= tick]
        if seen:
            ages.append(tick - max(seen))
    return ages


@pytest.mark.slow
@settings(max_examples=150)
@given(
    fps=st.one_of(st.just("max"), st.fractions(Fraction(1), Fraction(120), max_denominator=1001)),
    frames=st.integers(1, 60),
    policy=st.sampled_from(Policy),
    queue=st.integers(0, 4),
    services_ms=st.lists(st.integers(0, 300), min_size=1, max_size=60),
    requests=st.integers(1, 3),
    write_ms=st.integers(0, 80),
    decode_ms=st.integers(0, 30),
    broken=st.frozensets(st.integers(0, 59), max_size=5),
    engine_fails_at=st.none() | st.integers(0, 60),
    sink_fails_at=st.none() | st.integers(0, 60),
    stop_at_us=st.none() | st.integers(0, 2_000_000),
    shows_dropped=st.booleans(),
    streams=st.integers(1, 4),
)
def test_whatever_happens_every_scheduled_frame_has_one_outcome_and_its_stamps_are_in_order(
    fps: Pace,
    frames: int,
    policy: Policy,
    queue: int,
    services_ms: list[int],
    requests: int,
    write_ms: int,
    decode_ms: int,
    broken: frozenset[int],
    engine_fails_at: int | None,
    sink_fails_at: int | None,
    stop_at_us: int | None,
    shows_dropped: bool,
    streams: int,
) -> None:
    streams = 1 if fps == "max" else streams
    rig = Rig(
        fps=fps,
        frames=frames,
        policy=Policy.WAIT if isinstance(fps, str) else policy,
        queue=queue,
        services_s=tuple(ms / 1000 for ms in services_ms),
        requests=requests,
        write_s=write_ms / 1000,
        decode_s=decode_ms / 1000,
        broken=broken,
        engine_fails_at=engine_fails_at,
        sink_fails_at=sink_fails_at,
        stop_at_us=stop_at_us,
        shows_dropped=shows_dropped,
        streams=streams,
    ).run()
    assert rig.ledger.conserved
    for stream in range(streams):
        numbers = [record.frame for record in rig.records if record.stream == stream]
        assert numbers == list(range(len(numbers)))
    if stop_at_us is None and rig.pipeline.failure is None:
        assert rig.ledger.scheduled == frames * streams
        assert outcomes(rig)[Outcome.ABANDONED] == 0
    for sink in rig.sinks:
        assert sink.written == sorted(set(sink.written))
    if not shows_dropped:
        assert rig.pipeline.most_waiting <= SINK_LINK + 1
    for record in rig.records:
        stamps = (
            record.scheduled,
            record.captured,
            record.preprocess_start,
            record.preprocess_end,
            record.infer_start,
            record.infer_end,
            record.detected,
            record.sink_start,
            record.written,
        )
        happened = [stamp for stamp in stamps if stamp is not None]
        assert happened == sorted(happened)
        assert (record.lateness or 0) >= 0
        assert (record.outcome is Outcome.DELIVERED) == (record.written is not None)
    if fps != "max":
        by_stream = [[r for r in rig.records if r.stream == stream] for stream in range(streams)]
        ages = [age for records in by_stream for age in age_by_definition(records)]
        assert sorted(rig.tally.figures["age"].recent().tolist()) == sorted(ages)
