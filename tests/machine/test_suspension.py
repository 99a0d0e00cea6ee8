"""A process that did not run is distinguished from a busy, starved or blocked one, and from a run that was held."""

from __future__ import annotations

from typing import Any

import pytest

from streamer.machine.contention import OTHERS, SUSPENDED, ContentionMeter, Reading
from streamer.machine.suspension import TICK_US, Look, Suspension, between
from streamer.run.doubts import doubts
from streamer.run.measured_parts import UNKNOWN_RESOURCES
from tests.facts import counted, figures, observed

BEFORE = Look(run_us=5_000_000, clock_us=70_000_000, boot_us=90_000_000, cpu_us=2_000_000, waited_us=1_000)


def after(
    gap_us: int, *, run_us: int | None = None, slept_us: int = 0, cpu_us: int = 0, waited_us: int = 0
) -> Suspension | None:
    look = Look(
        BEFORE.run_us + (gap_us if run_us is None else run_us),
        BEFORE.clock_us + gap_us,
        BEFORE.boot_us + gap_us + slept_us,
        BEFORE.cpu_us + cpu_us,
        BEFORE.waited_us + waited_us,
    )
    return between(BEFORE, look)


def test_a_process_that_was_stopped_did_not_run() -> None:
    assert after(3_050_000, cpu_us=5_000) == Suspension(5_050_000, 3_000_000, False)


def test_a_machine_that_slept_is_reported_though_its_clock_stood_still() -> None:
    assert after(TICK_US, slept_us=300_000_000) == Suspension(5_000_000, 300_000_000, True)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"gap_us": TICK_US},
        {"gap_us": 400_000},
        {"gap_us": 3_000_000, "cpu_us": 2_900_000},  # a runtime kept Python's lock
        {"gap_us": 3_000_000, "waited_us": 2_900_000},  # others had all cores
        {"gap_us": 3_000_000, "run_us": 0},  # between the rounds of a study
        {"gap_us": TICK_US, "run_us": -60_000_000},  # the run's origin was put
    ],
)
def test_what_only_looks_like_it_is_none(otherwise: Any) -> None:
    assert after(**otherwise) is None


def test_others_take_nothing_from_a_process_that_does_not_run() -> None:
    meter = ContentionMeter(Reading(0, 0, 0, 0, 0, 0))
    meter.sampled(1_000_000, Reading(1, 0.5, 0.5, 0, 0, 0))
    meter.sampled(4_000_000, Reading(4, 0.5, 6.5, 0, 0, 0), suspended=True)
    meter.sampled(5_000_000, Reading(5, 1.0, 7.0, 0, 0, 0))
    assert meter.others_cores == pytest.approx(0)
    assert meter.during(2_000_000, 3_000_000) == {SUSPENDED}
    assert OTHERS not in meter.during(0, 5_000_000)


def suspended(*each: tuple[float, float, bool]) -> dict[str, Any]:
    total_s = sum(lasted for _, lasted, _ in each) / 1000
    return {
        **UNKNOWN_RESOURCES,
        "suspensions": {
            "count": len(each),
            "total_s": total_s,
            "longest_s": max((lasted for _, lasted, _ in each), default=0) / 1000,
            "each": [{"at_ms": at, "lasted_ms": lasted, "asleep": asleep} for at, lasted, asleep in each],
        },
    }


LATE = counted(figures=figures(1000, lateness_us=5_000))


def test_the_doubt_names_the_suspension_and_blames_neither_engine_nor_machine() -> None:
    assert "too busy, or too slow" in doubts(LATE)[0]
    (doubt,) = doubts(observed(LATE, resources=suspended((4_210.0, 17_000.0, False))))
    assert doubt == (
        "the process did not run for 17.0 s, from 4.2 s on: it was stopped, as by Ctrl-Z; frames that were lost or "
        "late for that tell nothing of engine and machine"
    )


def test_a_short_suspension_does_not_excuse_a_machine_that_is_always_late() -> None:
    sentences = doubts(observed(LATE, resources=suspended((4_210.0, 600.0, False))))
    assert [sentence for sentence in sentences if "too busy, or too slow" in sentence]


def test_several_suspensions_are_summed_up() -> None:
    (doubt,) = doubts(observed(resources=suspended((1_000.0, 600.0, False), (9_000.0, 2_000.0, True))))
    assert doubt.startswith(
        "the process did not run for 2.6 s, in 2 stretches, the first from 1.0 s on, the longest of 2.0 s: "
        "it was stopped, as by Ctrl-Z, or the machine slept; "
    )


def test_a_run_that_was_never_suspended_says_nothing_of_it() -> None:
    assert doubts(observed(resources=suspended())) == []
