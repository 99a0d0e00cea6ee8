"""A run at the times of a file with a gap: it waits and says so before, or is due as if there were none."""

from __future__ import annotations

from array import array
from fractions import Fraction

import pytest

from streamer.ledger.record import Outcome
from streamer.schedule.arrivals import Bursty, Recorded
from streamer.schedule.file_gaps import FileGap, FileGaps
from streamer.schedule.schedule import Limits
from tests.rig import Rig

TICK = 40_000
GAP = FileGaps((FileGap(50, 20_040_000, TICK),))
SHOWN = [number * TICK + (number >= 50) * 20_000_000 for number in range(100)]


def rig(fps: str | Fraction = "source", **more: object) -> Rig:
    return Rig(fps=fps, file_gaps=GAP, **{"services_s": (0.03,), **more}).run()  # type: ignore[arg-type]


def due(of: Rig, stream: int = 0) -> list[int]:
    return [record.scheduled for record in of.records if record.stream == stream]


def test_a_gap_is_waited_for_and_reported_when_the_wait_begins_and_no_frame_is_measured() -> None:
    ran = rig()
    assert due(ran) == SHOWN
    ((at_us, stream, frame, for_s),) = ran.waits
    assert (stream, frame) == (0, 50)
    assert ran.records[49].detected is not None
    assert ran.records[49].detected <= at_us < 2_100_000
    assert for_s == pytest.approx((SHOWN[50] - at_us) / 1_000_000)


def test_the_frame_that_is_waited_for_leaves_as_if_nothing_had_been_reported() -> None:
    assert rig(primed=True).records[50].captured == SHOWN[50]


def test_an_engine_that_hangs_does_not_keep_it_from_being_reported() -> None:
    ran = rig(services_s=(*[0.03] * 49, 4.0, 0.03))
    assert ran.waits[0][0] < 3_000_000


def test_a_gap_that_is_skipped_is_closed_and_the_times_of_the_frames_are_the_files_own() -> None:
    ran = rig(skip_gaps=True)
    assert due(ran) == [number * TICK for number in range(100)]
    assert [record.pts for record in ran.records] == SHOWN
    assert ran.waits == []
    assert ran.ledger.outcomes[Outcome.DELIVERED] == 100


@pytest.mark.parametrize("fps", [Fraction(25), "max"])
def test_a_pace_of_its_own_waits_for_no_gap_and_says_nothing(fps: str | Fraction) -> None:
    ran = rig(fps)
    assert ran.waits == []
    assert due(ran)[-1] < 5_000_000
    assert [record.pts for record in ran.records] == SHOWN


def test_several_cameras_each_have_the_gap_in_their_own_phase() -> None:
    waiting, skipping = rig(streams=2, services_s=(0.01,)), rig(streams=2, services_s=(0.01,), skip_gaps=True)
    assert [wait[1:3] for wait in waiting.waits] == [(0, 50), (1, 50)]
    assert due(waiting, 1) == [us + TICK // 2 for us in SHOWN]
    assert due(skipping, 1) == [number * TICK + TICK // 2 for number in range(100)]


def test_a_file_that_starts_again_is_skipped_through_each_time() -> None:
    gaps = FileGaps((FileGap(10, 3_040_000, TICK), FileGap(20, 5_040_000, TICK)), loops_after=20)
    ran = Rig(fps="source", file_gaps=gaps, skip_gaps=True, frames=50, services_s=(0.03,)).run()
    assert due(ran) == [number * TICK for number in range(50)]
    waiting = Rig(fps="source", file_gaps=gaps, frames=50, services_s=(0.03,)).run()
    assert due(waiting)[30] - due(waiting)[29] == 3_040_000
    assert [frame for _, _, frame, _ in waiting.waits] == [10, 20], "each is reported once"


def test_bursts_come_in_the_time_of_the_run_and_recorded_arrivals_have_no_gap() -> None:
    bursty = rig(arrivals=Bursty(), skip_gaps=True)
    assert due(bursty)[45] == 2_000_000
    assert due(bursty)[60] == 60 * TICK
    recorded = rig(arrivals=Recorded("times.csv", array("q", range(0, 100 * TICK, TICK))))
    assert due(recorded) == [number * TICK for number in range(100)]
    assert recorded.waits == []


def test_times_that_a_fault_breaks_are_counted_and_have_no_gap() -> None:
    ran = rig(faults=[{"kind": "backward-pts", "frame": 5}])
    assert due(ran) == [number * TICK for number in range(100)]
    assert ran.waits == []


def test_a_run_that_is_stopped_in_a_gap_ends_there() -> None:
    ran = rig(stop_at_us=10_000_000)
    assert len(ran.records) == 50
    assert ran.ended_us < 11_000_000


def test_a_limit_in_time_is_of_the_schedule_without_the_gap() -> None:
    limits = Limits(duration_us=3_000_000)
    assert (len(rig(limits=limits).records), len(rig(limits=limits, skip_gaps=True).records)) == (50, 75)
    assert rig(limits=limits).waits == [], "the run is over before the wait begins"
