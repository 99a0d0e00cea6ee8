"""Housekeeping: never while a frame is being measured or waits, of every kind of source; in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from streamer.errors import SinkError
from streamer.ledger.record import Outcome
from streamer.pipeline.between_frames import PATIENCE_US
from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.housekeeping import Chore, Step
from streamer.schedule.arrivals import Bursty
from streamer.schedule.file_gaps import FileGap, FileGaps
from tests.rig import Rig

THIRTY = Fraction(30)
USUAL = ((0.25, 0.0004, False), (0.5, 0.0008, False), (10.0, 0.006, False))
"""Looking at the machine, telling how far it is, collecting garbage."""
SOAK = (*USUAL, (0.5, 0.008, True), (0.5, 0.003, False))
"""With a cut of the files, on a thread, and the end of a window."""
CUT_US = 500_000
PERIOD = 1 / 25
END = (0.0, "end")
SCRIPT = [*[(PERIOD, "frame")] * 50, END]
JITTERING = [*[(PERIOD + (0.003 if number % 2 else -0.003), "frame") for number in range(50)], END]
HUNG_UP = [(0.01, "hung up"), *[(0.0, "refused")] * 3]

KINDS: dict[str, dict[str, Any]] = {
    "a file on schedule": {"fps": THIRTY, "services_s": (0.015,)},
    "a file that is slow to decode": {"fps": THIRTY, "services_s": (0.015,), "decode_s": 0.012},
    "a file with a slow sink": {"fps": THIRTY, "services_s": (0.015,), "write_s": 0.012},
    "a file with a gap": {
        "fps": "source",
        "services_s": (0.015,),
        "file_gaps": FileGaps((FileGap(20, 5_000_000, 40_000),)),
    },
    "a file in rounds": {"fps": THIRTY, "services_s": (0.015,), "round_frames": 30, "held_s": 3.0},
    "bursts": {"fps": THIRTY, "services_s": (0.012,), "arrivals": Bursty(), "queue": 20},
    "primed": {"fps": THIRTY, "services_s": (0.008,), "primed": True},
    "a closed loop": {"fps": "max", "services_s": (0.02,), "policy": Policy.WAIT},
    "several streams": {"fps": Fraction(10), "services_s": (0.015,), "streams": 3},
    "live": {"live": [SCRIPT], "services_s": (0.015,)},
    "live, not to the beat": {"live": [JITTERING], "services_s": (0.015,)},
    "live, with a slow sink": {"live": [SCRIPT], "services_s": (0.015,), "write_s": 0.012},
    "live, and lost for a while": {"live": [[*SCRIPT[:25], *HUNG_UP, *SCRIPT[25:]]], "services_s": (0.015,)},
    "live, several streams": {
        "live": [SCRIPT, [SCRIPT[0], (0.013, "frame"), *SCRIPT]],
        "services_s": (0.008,),
    },
    "live, and one frame in a while": {
        "live": [[*[(3.0, "frame")] * 5, END]],
        "fps": Fraction(1, 3),
        "services_s": (0.2,),
    },
}


def ran(chores: tuple[tuple[float, float, bool], ...] = SOAK, **kind: Any) -> Rig:
    return Rig(**{"frames": 60, "chores": chores, **kind}).run()


def in_the_way(rig: Rig) -> list[int]:
    """When jobs began while a frame was being measured, or had arrived and was not handed over."""
    waited = [(one.scheduled, one.captured) for one in rig.records if one.captured is not None]
    return [
        job.began
        for job in rig.jobs
        if job.measured or any(arrived < job.began < offered for arrived, offered in waited)
    ]


def stamps(rig: Rig) -> list[tuple[object, ...]]:
    return [(one.stream, one.frame, one.outcome, one.scheduled, one.captured, one.detected) for one in rig.records]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_no_job_begins_while_a_frame_is_measured_or_waits_and_none_delays_a_frame(kind: Mapping[str, Any]) -> None:
    rig = ran(**kind)
    assert rig.pipeline.failure is None
    assert in_the_way(rig) == []
    tally = rig.pipeline.housekeeping
    assert (tally.begun, tally.while_measuring, tally.delayed) == (len(rig.jobs), 0, 0)
    # Nor is one left out for that.
    assert sum(job.ended - job.began == 400 for job in rig.jobs) >= rig.ended_us // 280_000 - 1
    assert [job.began // CUT_US for job in rig.jobs if job.aside] == list(range(1, rig.ended_us // CUT_US + 1))
    if kind.get("fps") != "max":  # there the next frame begins when there is nothing else to be done
        assert stamps(rig) == stamps(ran((), **kind))


def test_a_job_that_takes_longer_than_there_is_room_is_not_begun_again_but_when_it_has_waited_for_long() -> None:
    # Of 33 ms 18 are free; it takes 25 ms.
    rig = ran(((0.25, 0.025, False),), fps=THIRTY, services_s=(0.015,), frames=300)
    assert in_the_way(rig) == []
    jobs = [job for job in rig.jobs if job.began < rig.records[-1].scheduled]  # then there is all the time
    assert len(jobs) > 5
    assert all(later.began - earlier.ended >= PATIENCE_US for earlier, later in pairwise(jobs))
    tally = rig.pipeline.housekeeping
    assert (tally.begun, tally.delayed, tally.longest_us) == (len(rig.jobs), len(jobs), 25_000)
    late = [one.lateness for one in rig.records if one.lateness]
    assert (len(late), max(late)) == (len(jobs), tally.most_delay_us)


@pytest.mark.parametrize(
    "kind",
    [
        {"fps": Fraction(25), "services_s": (0.061,)},
        {"fps": Fraction(25), "services_s": (0.061,), "policy": Policy.WAIT},
        {"live": [[*[(PERIOD, "frame")] * 200, END]], "services_s": (0.061,)},
        {"fps": Fraction(25), "services_s": (0.061,), "streams": 2},
    ],
    ids=["on schedule", "one that waits", "live", "two streams"],
)
def test_an_engine_that_is_never_idle_is_waited_for_and_then_it_is_done_between_two_inferences(
    kind: Mapping[str, Any],
) -> None:
    rig = ran(USUAL, frames=200, **kind)
    tally = rig.pipeline.housekeeping
    assert 0 < tally.while_measuring <= len(rig.jobs) == tally.begun
    assert len(rig.jobs) <= 2 * rig.ended_us / PATIENCE_US
    for job in rig.jobs:
        assert not any(start < job.ended and job.began < until for start, until in rig.inferences)
    assert len(in_the_way(rig)) == tally.while_measuring


def test_requests_that_are_never_idle_together_are_waited_for_too() -> None:
    rig = ran(USUAL, fps="max", requests=2, services_s=(0.031, 0.029), policy=Policy.WAIT, frames=200)
    tally = rig.pipeline.housekeeping
    assert 0 < tally.while_measuring <= tally.begun
    assert len(rig.jobs) <= 2 * rig.ended_us / PATIENCE_US


def test_what_is_done_on_a_thread_holds_nobody_up_and_nothing_else_is_begun_beside_it() -> None:
    kind: dict[str, Any] = {"fps": THIRTY, "services_s": (0.015,)}
    rig = ran(((1.0, 0.2, True), (0.05, 0.0004, False)), frames=120, **kind)
    assert stamps(rig) == stamps(ran((), frames=120, **kind))
    aside = [job for job in rig.jobs if job.aside]
    assert len(aside) >= 2
    assert not any(one.began < job.began < one.ended for one in aside for job in rig.jobs)


def test_the_run_does_not_end_before_what_is_done_on_a_thread_has() -> None:
    rig = ran(((3.9, 0.5, True),), fps=Fraction(10), services_s=(0.015,), frames=40)
    (job,) = rig.jobs
    assert rig.ledger.outcomes == {Outcome.DELIVERED: 40}
    assert rig.ended_us == job.ended


def test_one_that_hangs_on_a_thread_is_given_up_and_ends_the_run() -> None:
    rig = ran(((1.0, 100.0, True),), fps=Fraction(10), services_s=(0.015,), stall_us=1_000_000)
    assert isinstance(rig.pipeline.failure, SinkError)
    assert "housekeeping is stuck" in str(rig.pipeline.failure)
    assert rig.ledger.conserved


def test_after_a_long_pause_one_is_done_and_not_one_for_each_that_was_missed() -> None:
    chore = Chore("cut", 100_000, (Step(lambda _: None),))
    assert [chore.next_us(now) for now in (0, 99_999, 100_000, 950_000, 999_999)] == [
        *(100_000, 100_000),
        *(200_000, 1_000_000, 1_000_000),
    ]
    behind = Chore("end a window", 100_000, (Step(lambda _: None),), behind_us=30_000)
    assert [behind.next_us(now) for now in (0, 129_999, 130_000, 155_000)] == [30_000, 130_000, 230_000, 230_000]
