"""Live sources that give nothing for a while: each tick of it is a row, and a run goes on, and ends when it is to."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.errors import SourceError
from streamer.ledger.outages import MOST_LISTED, NO_SIGNAL, Outages, outages_in
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.live_feed import ALLOWANCE_S, LAST_READ_S, PAUSES_S
from streamer.schedule.schedule import Limits
from streamer.sources.access import TIMEOUT_S
from tests.rig import Rig

TICK_US = 40_000
FRAME = (0.04, "frame")
HUNG_UP = (0.01, "hung up: check the camera")
REFUSED = (0.0, "connection refused: check the port")


def fates(rig: Rig, stream: int = 0) -> str:
    """A letter for each frame: d for delivered, n for no signal, a for abandoned, x for anything else."""
    known = {(Outcome.DELIVERED, ""): "d", (Outcome.SOURCE_ERROR, NO_SIGNAL): "n", (Outcome.ABANDONED, ""): "a"}
    here = [record for record in rig.records if record.stream == stream]
    return "".join(known.get((one.outcome, one.reason), "x") for one in here if one.outcome)


def well(rig: Rig) -> bool:
    """No frame is unaccounted for, numbers go on without a hole, and neither due instants nor times go back."""
    for stream in range(len(rig.live)):
        here = [record for record in rig.records if record.stream == stream]
        assert [record.frame for record in here] == list(range(len(here)))
        assert all(before.scheduled <= after.scheduled for before, after in pairwise(here))
        assert all(before.pts < after.pts for before, after in pairwise(here))
    return rig.ledger.conserved and rig.ledger.scheduled == len(rig.records)


def test_a_connection_that_is_lost_is_made_anew_and_the_ticks_meanwhile_are_rows() -> None:
    # The first frame is not in the run. Lost at 210 ms; refused at 710 ms; connected at 1,710 ms.
    script = [FRAME] * 6 + [HUNG_UP, REFUSED] + [FRAME] * 5 + [(0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert well(rig)
    assert fates(rig) == "d" * 5 + "n" * 38 + "d" * 5
    came, after = range(TICK_US, 1_750_000, TICK_US), range(1_750_000, 1_950_000, TICK_US)
    assert [one.scheduled for one in rig.records] == [*came, *after]
    (outage,) = rig.outages.part()["each"]
    assert (outage["begin_ms"], outage["end_ms"], outage["frames"], outage["attempts"]) == (200.0, 1750.0, 38, 2)
    assert outage["why"] == ["hung up: check the camera", "connection refused: check the port"]
    assert rig.pipeline.failure is None


def test_a_connection_that_is_lost_when_the_run_ends_before_the_next_tick_leaves_no_outage() -> None:
    script = [FRAME] * 6 + [HUNG_UP, *[REFUSED] * 50]
    rig = Rig(live=[script], services_s=(0.001,), limits=Limits(duration_us=230_000)).run()
    assert fates(rig) == "d" * 5
    part = rig.outages.part()
    assert (part["count"], part["each"], part["longest_s"]) == (0, [], 0.0)


def test_a_first_frame_that_was_late_puts_no_other_ahead_of_its_arrival() -> None:
    script = [FRAME] * 2 + [(0.005, "regular")] + [(0.04, "regular")] * 20 + [(0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert well(rig)
    first = rig.records[0]
    behind_us = [one.scheduled - first.scheduled - one.pts for one in rig.records]
    assert all(-TICK_US // 2 <= us <= TICK_US // 2 for us in behind_us)
    assert {late.pts - early.pts for early, late in pairwise(rig.records[2:])} == {TICK_US}


def test_times_rise_whatever_comes_at_once_behind_a_first_frame_that_was_late() -> None:
    script = [FRAME] * 2 + [(0.0, "regular"), (0.0, "stale")] * 5 + [(0.04, "regular")] * 5 + [(0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert well(rig)


def test_the_pauses_between_attempts_grow_up_to_the_longest() -> None:
    refusals = 7
    script = [FRAME] * 2 + [HUNG_UP] + [REFUSED] * refusals + [(0.0, "frame"), (0.0, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    pauses = [*PAUSES_S, *[PAUSES_S[-1]] * (refusals + 1 - len(PAUSES_S))]
    assert rig.records[-1].scheduled == 50_000 + round(sum(pauses) * 1_000_000)
    assert rig.outages.part()["attempts"] == refusals + 1


def test_a_frame_that_is_only_late_makes_no_outage() -> None:
    script = [FRAME] * 2 + [(TIMEOUT_S, "frame"), FRAME, (0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert fates(rig) == "ddd"
    assert rig.outages.part()["count"] == 0


def test_a_source_may_be_silent_for_as_long_as_was_requested() -> None:
    script = [FRAME] * 2 + [(8.0, "frame"), FRAME, (0.04, "end")]
    patient = Rig(live=[script], services_s=(0.001,), timeout_s=8.0, give_up_us=None).run()
    assert fates(patient) == "dddd"[: len(fates(patient))]
    assert patient.outages.part()["count"] == 0
    assert patient.pipeline.failure is None
    hasty = Rig(live=[script], services_s=(0.001,), timeout_s=2.0, give_up_us=None).run()
    assert f"no frame for {2 + ALLOWANCE_S:g} s" in str(hasty.pipeline.failure)


def test_a_source_that_blocks_for_long_is_seen_to_give_nothing() -> None:
    script = [FRAME] * 2 + [(20.0, "frame"), FRAME, (0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert well(rig)
    assert fates(rig) == "d" + "n" * 499 + "dd"
    # Until the silence was too long nobody knew that these frames would not come.
    assert rig.outages.part()["longest_s"] == 20.0
    assert rig.outages.part()["attempts"] == 0


def test_it_is_given_up_after_so_long_without_a_frame_with_every_tick_accounted_for() -> None:
    rig = Rig(live=[[FRAME] * 2 + [HUNG_UP, *[REFUSED] * 50]], services_s=(0.001,), give_up_us=30_000_000).run()
    assert well(rig)
    assert fates(rig) == "d" + "n" * 750
    assert rig.ended_us == 40_000 + 30_000_000
    assert isinstance(rig.pipeline.failure, SourceError)
    assert str(rig.pipeline.failure) == (
        "virtual: no frame for 30 s, in which 6 attempts to connect failed; connection refused: check the port"
    )
    assert rig.outages.part()["each"][0]["end_ms"] is None
    assert rig.outages.part()["total_s"] == 30.0


def test_one_that_neither_comes_nor_fails_is_given_up_too() -> None:
    rig = Rig(live=[[FRAME] * 2], services_s=(0.001,), give_up_us=10_000_000).run()
    assert fates(rig) == "d" + "n" * 250
    assert "no frame for 10 s: check the camera" in str(rig.pipeline.failure)
    assert rig.ended_us <= 10_040_000 + LAST_READ_S * 1_000_000


def test_when_nothing_is_to_be_connected_anew_what_is_lost_ends_the_run() -> None:
    rig = Rig(live=[[FRAME] * 4 + [HUNG_UP]], services_s=(0.001,), give_up_us=None).run()
    assert fates(rig) == "ddd"
    assert str(rig.pipeline.failure) == "virtual: hung up: check the camera"
    silent = Rig(live=[[FRAME] * 4], services_s=(0.001,), give_up_us=None).run()
    assert f"no frame for {TIMEOUT_S + ALLOWANCE_S:g} s" in str(silent.pipeline.failure)
    assert fates(silent) == "ddd"


def test_a_camera_that_is_away_holds_no_other_one_back() -> None:
    away = [FRAME] * 3 + [HUNG_UP, (2.0, "no route"), *[FRAME] * 10, (0.04, "end")]
    there = [FRAME] * 120 + [(0.04, "end")]
    rig = Rig(live=[away, there], services_s=(0.001,)).run()
    assert well(rig)
    assert fates(rig, 1) == "d" * 119
    assert {record.latency for record in rig.records if record.stream == 1} <= {1_000, 2_000}
    assert fates(rig, 0).count("n") == rig.outages.part()["frames"] > 80


def test_an_end_that_is_requested_while_there_is_no_signal_comes_at_once() -> None:
    rig = Rig(live=[[FRAME] * 2], services_s=(0.001,), stop_at_us=9_000_000).run()
    assert well(rig)
    assert fates(rig) == "d" + "n" * 224
    assert rig.ended_us <= 9_000_000 + LAST_READ_S * 1_000_000


def test_a_limit_is_kept_while_there_is_no_signal() -> None:
    rig = Rig(live=[[FRAME] * 2], services_s=(0.001,), limits=Limits(duration_us=8_000_000)).run()
    assert well(rig)
    assert rig.records[-1].scheduled < 8_000_000
    assert rig.pipeline.failure is None
    few = Rig(live=[[FRAME] * 2], services_s=(0.001,), limits=Limits(frames=20)).run()
    assert fates(few) == "d" + "n" * 19


def test_a_run_that_begins_without_a_signal_counts_its_time_from_the_beginning() -> None:
    script = [FRAME, HUNG_UP, *[FRAME] * 3, (0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert well(rig)
    assert fates(rig) == "n" * 13 + "ddd"
    assert [one.pts for one in rig.records] == [one.scheduled for one in rig.records]


def test_a_camera_whose_time_stood_still_goes_on_after_the_ticks_that_were_missed() -> None:
    script = [FRAME] * 2 + [(20.0, "stale"), (0.04, "stale"), (0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert well(rig)
    assert fates(rig) == "d" + "n" * 499 + "dd"


def test_a_frame_that_cannot_be_decoded_ends_an_outage_too() -> None:
    script = [FRAME] * 2 + [HUNG_UP, (0.04, "broken"), FRAME, (0.04, "end")]
    rig = Rig(live=[script], services_s=(0.001,)).run()
    assert well(rig)
    assert rig.ledger.outcomes[Outcome.DECODE_ERROR] == 1
    assert rig.outages.part()["each"][0]["end_ms"] == 590.0


READ = st.tuples(
    st.sampled_from([0.0, 0.001, 0.04, 0.04, 0.04, 0.3, 3.0, 7.0, 40.0]),
    st.sampled_from(["frame", "frame", "frame", "stale", "broken", "hung up", "refused"]),
)


@pytest.mark.slow
@settings(max_examples=200)
@given(
    live=st.lists(st.lists(READ, min_size=1, max_size=40), min_size=1, max_size=3),
    give_up_us=st.sampled_from([None, 1_000_000, 30_000_000]),
    stop_at_us=st.sampled_from([None, 2_000_000]),
    service_s=st.sampled_from([0.001, 0.09]),
)
def test_whatever_happens_at_the_cameras_no_frame_is_unaccounted_for_and_the_run_ends(
    live: list[list[tuple[float, str]]], give_up_us: int | None, stop_at_us: int | None, service_s: float
) -> None:
    live = [[(0.04, "frame"), *script] for script in live]
    rig = Rig(live=live, give_up_us=give_up_us, stop_at_us=stop_at_us, services_s=(service_s,)).run()
    assert well(rig)
    part = rig.outages.part()
    missed = [one for one in rig.records if (one.outcome, one.reason) == (Outcome.SOURCE_ERROR, NO_SIGNAL)]
    assert sum(outage["frames"] for outage in part["each"]) == part["frames"] == len(missed)
    assert stop_at_us is None or rig.ended_us <= stop_at_us + 2_000_000


def test_the_outages_are_found_in_the_rows_of_a_run_that_was_killed() -> None:
    script = [FRAME] * 6 + [HUNG_UP, REFUSED] + [FRAME] * 5 + [HUNG_UP, *[REFUSED] * 9]
    rig = Rig(live=[script], services_s=(0.001,), stop_at_us=4_000_000).run()
    expected: Mapping[str, Any] = rig.outages.part()
    found: Mapping[str, Any] = outages_in(rig.records, 1, rig.ended_us)
    assert found["count"] == expected["count"] == 2
    for key in ("frames", "total_s", "longest_s"):
        assert found[key] == expected[key]
    for key in ("begin_ms", "end_ms", "frames", "stream"):
        assert [outage[key] for outage in found["each"]] == [outage[key] for outage in expected["each"]]


def test_outages_without_end_take_no_memory_without_end() -> None:
    outages = Outages(None)
    for number in range(MOST_LISTED + 500):
        outage = outages.begin(0, 2 * number)
        outage.frames += 1
        outages.end(outage, 2 * number + 1)
    part = outages.part()
    assert (part["count"], len(part["each"])) == (MOST_LISTED + 500, MOST_LISTED)
    assert part["total_s"] == pytest.approx((MOST_LISTED + 500) / 1_000_000)


def test_no_outage_is_found_in_rows_without_one() -> None:
    rows = [FrameRecord(0, number, number, number) for number in range(5)]
    assert outages_in(rows, 1, 5)["count"] == 0
