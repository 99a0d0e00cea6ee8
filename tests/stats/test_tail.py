"""Why the tail: the step that grew, and what else was at work."""

from __future__ import annotations

import pytest

from streamer.ledger.record import FrameRecord, Outcome
from streamer.machine.contention import COLLECTED, OTHERS, ContentionMeter, Reading, circumstances
from streamer.stats.steadiness import Windows, agree
from streamer.stats.tail import DECODER_BUSY, SINK_BUSY, Tail, TailPart, tail_text

QUIET = Reading(0, 0, 0, 0, 0, 0)


PERIOD = 40_000


def frame(index: int, *, waits: int = 200, infer: int = 8_000, sink: int = 3_000) -> FrameRecord:
    """A frame with the steps given, in microseconds."""
    due = index * PERIOD
    start = due + waits
    record = FrameRecord(0, index, due, due, due, preprocess_start=start, preprocess_end=start + 500)
    record.infer_start, record.infer_end = start + 500, start + 500 + infer
    record.detected = record.infer_end + 400
    record.sink_start = record.detected + 50
    record.written = record.sink_start + sink
    record.outcome = Outcome.DELIVERED
    return record


def explained(frames: list[FrameRecord], meter: ContentionMeter | None = None) -> TailPart:
    tail = Tail(meter or ContentionMeter(QUIET))
    for one in frames:
        tail.closed(one)
    found = tail.explain()
    assert found is not None
    return found


def test_the_step_that_grew_is_found() -> None:
    frames = [frame(i, infer=30_000 if i % 25 == 3 else 8_000) for i in range(200)]
    found = explained(frames)
    assert found["frames"] == 8
    steps = found["steps"]
    assert isinstance(steps, dict)
    assert list(steps) == ["infer"]
    assert (steps["infer"]["frames"], steps["infer"]["share"]) == (8, 1.0)
    assert steps["infer"]["median_growth_ms"] == pytest.approx(22.0, abs=0.01)
    assert tail_text(found) == "of the slowest 5 %, 100% were slow in infer"


def test_waiting_is_distinguished_from_work() -> None:
    found = explained([frame(i, waits=15_000 if i % 25 == 3 else 200) for i in range(200)])
    assert tail_text(found) == "of the slowest 5 %, 100% were slow waiting for the engine"


def test_a_sink_still_at_work_on_the_frame_before_is_seen() -> None:
    frames = []
    for i in range(200):
        slow = i % 25 == 3
        frames.append(frame(i, infer=60_000 if slow else 8_000, sink=35_000 if i % 25 == 2 else 3_000))
    found = explained(frames)
    circumstances_met = found["circumstances"]
    assert isinstance(circumstances_met, dict)
    assert circumstances_met[SINK_BUSY] == {"share_of_slow": 1.0, "share_of_all": 0.04}


def test_the_decoder_at_work_and_others_on_the_machine_are_reported() -> None:
    meter = ContentionMeter(QUIET)
    tail = Tail(meter)
    frames = [frame(i, infer=30_000 if i % 25 == 3 else 8_000) for i in range(200)]
    for i, one in enumerate(frames):
        if i % 25 == 3:
            tail.decoded(one.scheduled + 1_000, one.scheduled + 3_000)
        tail.closed(one)
        busy = 0.04 * sum(j % 25 == 3 for j in range(i + 1))
        meter.sampled((i + 1) * 40_000, Reading((i + 1) * 0.04, 0, busy, 0, 0, 0))
        tail.add_contention()
    found = tail.explain()
    assert found is not None
    assert found["circumstances"][DECODER_BUSY] == {"share_of_slow": 1.0, "share_of_all": 0.04}
    assert found["circumstances"][OTHERS] == {"share_of_slow": 1.0, "share_of_all": 0.04}
    assert "of all frames 4%" in (tail_text(found) or "")


def test_too_few_frames_are_not_explained() -> None:
    tail = Tail(ContentionMeter(QUIET))
    for i in range(39):
        tail.closed(frame(i))
    assert tail.explain() is None
    assert tail_text(None) is None


def test_frames_that_were_not_delivered_are_left_out() -> None:
    tail = Tail(ContentionMeter(QUIET))
    tail.closed(FrameRecord(0, 0, 0, 0, 0, outcome=Outcome.DROPPED))
    assert tail.explain() is None


def test_our_own_cpu_time_is_not_anothers() -> None:
    after = Reading(1.0, own_s=1.5, busy_s=1.6, stolen_s=0.0, throttled=0, collections=1)
    assert circumstances(QUIET, after) == (COLLECTED,)
    assert circumstances(QUIET, Reading(1.0, 1.0, 1.6, 0.0, 0, 0)) == (OTHERS,)


def windows_of(latencies_ms: list[float], fps: int = 25) -> Windows:
    """A latency per second, each frame on time."""
    windows = Windows()
    for second, ms in enumerate(latencies_ms):
        for i in range(fps):
            due = second * 1_000_000 + i * 1_000_000 // fps
            record = FrameRecord(0, 0, due, due)
            record.written = due + round(ms * 1000)
            windows.closed(record)
    return windows


def test_the_last_three_windows_of_up_to_five_seconds_are_compared() -> None:
    length, windows = windows_of([50.0] * 5 + [10.0] * 16).last()
    assert length == 5
    assert [window.latency_ms for window in windows] == [10, 10, 10]
    assert [window.rate for window in windows][1:] == [25, 25]


def test_windows_that_differ_by_more_than_a_tenth_do_not_agree() -> None:
    assert agree([10.0, 10.9, 11.0])
    assert not agree([10.0, 10.0, 11.1])


def test_a_run_too_short_for_windows_has_none() -> None:
    assert windows_of([10.0] * 3).last() == (0, [])
    assert windows_of([10.0] * 4).last()[0] == 1


def test_what_happened_long_ago_is_kept_with_its_frame_and_the_meter_forgets_it() -> None:
    meter = ContentionMeter(QUIET)
    tail = Tail(meter)
    slow = 5
    for i in range(4000):
        tail.closed(frame(i, infer=30_000 if i < slow else 8_000))
        busy = 0.0 if i % 2 else 1.0  # each stretch differs from the one before
        meter.sampled((i + 1) * PERIOD, Reading(i + 1, 0, i + busy, 0, 0, i // 2))
        tail.add_contention()
    found = tail.explain()
    assert found is not None
    assert meter.during(0, slow * PERIOD) == set()
    assert (found["slowest"]["stream"], found["slowest"]["frame"] < slow) == (0, True)
    assert sum(shares["share_of_all"] for shares in found["circumstances"].values()) > 0
