"""Doubts: each appears when it should, with its number, and not otherwise."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from streamer.ledger.record import Outcome
from streamer.machine.contention import ContentionMeter, Reading
from streamer.pipeline.between_frames import HousekeepingTally
from streamer.run.doubts import AT_THE_END, doubts
from streamer.run.facts import Contention, Facts
from streamer.run.measured_parts import UNKNOWN_RESOURCES, ReplacementPart, housekeeping_part
from streamer.run.measurements import DeviceChange
from streamer.stats.steadiness import Window
from streamer.stats.summary import counts
from tests.facts import CALM, MACHINE, counted, figures, observed, set_up
from tests.rig import Rig


def contention(*, others_s: float = 0, stolen_s: float = 0, throttled: int = 0) -> Contention:
    one = ContentionMeter(Reading(0, 0, 0, 0, 0, 0))
    one.sampled(10_000_000, Reading(10.0, 8.0, 8.0 + others_s, stolen_s, throttled, 0))
    return Contention.seen_by(one)


def run_by(rig: Rig) -> Facts:
    seen = observed(ungated=rig.pipeline.ungated, undrawn=rig.pipeline.undrawn)
    return counted(seen, frames=counts(rig.ledger))


def test_a_calm_run_is_not_doubted() -> None:
    assert doubts(CALM) == []
    assert doubts(run_by(Rig(services_s=(0.01,)).run())) == []
    assert doubts(counted(windows=[Window(30, 10), Window(30, 10.5), Window(29, 10)])) == []
    assert doubts(observed(contention=contention(others_s=0.5))) == []
    engine = {"config_requested": {}, "config_in_force": {"INFERENCE_PRECISION_HINT": "bf16"}}
    assert doubts(set_up(engine=engine)) == []


def test_too_few_frames() -> None:
    (doubt,) = doubts(counted(figures=figures(100)))
    assert doubt.startswith("too few frames: p95 needs 130, the run has 100")
    (doubt,) = doubts(set_up(run={**CALM.setup["run"], "until": "p99.9"}))
    assert doubt.startswith("too few frames: p99.9 needs 6,636, the run has 1,000")


def test_gaps_of_a_file_are_doubted_once_the_run_has_waited_for_them() -> None:
    gaps = [{"frame": 50, "ms": 20_000.0, "skipped_ms": 0.0}, {"frame": 80, "ms": 5_000.0, "skipped_ms": 0.0}]
    of_file = set_up(streams=[{"fps": "30"}, {"fps": "30", "gaps": gaps}])

    def doubts_after(scheduled: int, facts: Facts = of_file) -> list[str]:
        return doubts(counted(facts, of_streams=Counter({(1, Outcome.DELIVERED): scheduled})))

    waited = "stream 1: the times of the file have a gap of 20.0 s after frame 49: nothing is due meanwhile"
    assert doubts_after(50) == []
    assert doubts_after(50, replace(of_file, stopped_by="SIGINT")) == [waited], "it was stopped while it waited"
    assert doubts_after(51) == [waited]
    assert doubts_after(100) == [
        "stream 1: the times of the file have 2 gaps, 25.0 s in all, the first 20.0 s after frame 49: "
        "nothing is due meanwhile"
    ]
    skipped = [{**gap, "skipped_ms": 4_000.0} for gap in gaps]
    assert doubts_after(100, set_up(streams=[{"fps": "30"}, {"fps": "30", "gaps": skipped}])) == []


def test_a_model_that_finds_nothing() -> None:
    (doubt,) = doubts(counted(objects=0))
    assert doubt.startswith("nothing was found in any of 1,000 frames: the model may have learnt other classes")
    assert doubts(counted(objects=1)) == []
    assert doubts(counted(objects=0, frames={"scheduled": 19, "delivered": 19, "dropped": 0})) == []
    assert "digits" not in doubt
    short = set_up(engine={"config_requested": {}, "config_in_force": {"INFERENCE_PRECISION_HINT": "bf16"}})
    (doubt,) = doubts(counted(short, objects=0))
    assert "or need more digits than bf16 has (precision=f32)" in doubt
    gray = {**CALM.setup["engine"], "config_requested": {"preprocess": "off"}}
    assert doubts(set_up(engine=gray, facts=counted(objects=0))) == []


def test_confidences_over_1() -> None:
    (doubt,) = doubts(counted(surest=1.506))
    assert doubt.startswith("the model is more than certain: confidences reach 1.506")
    assert doubts(counted(surest=1.004)) == []


def test_a_lateness_that_blurs_the_latency() -> None:
    (doubt,) = doubts(counted(figures=figures(1000, lateness_us=1_500)))
    assert doubt.startswith("frames were offered late: lateness p99 is 1.500 ms, 15% of the median latency")


def test_windows_that_do_not_agree() -> None:
    (doubt,) = doubts(counted(windows=[Window(30, 10), Window(30, 12), Window(30, 15)]))
    assert doubt == "not steady: the median latencies of the last three windows of 5 s are 10.0, 12.0, 15.0 ms"
    (doubt,) = doubts(counted(window_s=2, windows=[Window(30, 10), Window(20, 10), Window(30, 10)]))
    assert "the rates of the last three windows of 2 s are 30.0, 20.0, 30.0 frames a second" in doubt


def test_more_dropped_than_delivered_and_no_gap_to_decode_in() -> None:
    found = doubts(run_by(Rig(services_s=(0.2,), decode_s=0.002).run()))
    assert any(one.startswith("more frames were dropped than delivered: 79 and 21") for one in found)
    assert any(one.startswith("the engine left no idle time to decode in") for one in found)


def test_housekeeping_that_found_no_room_between_frames() -> None:
    def doubts_of(**counts: int) -> list[str]:
        resources = {**UNKNOWN_RESOURCES, "housekeeping": housekeeping_part(HousekeepingTally(200, **counts))}
        return doubts(observed(resources=resources))

    assert doubts_of() == doubts_of(delayed=5, most_delay_us=3_000, longest_us=4_000) == []
    (doubt,) = doubts_of(while_measuring=12, longest_us=800)
    assert doubt.startswith(
        "the engine left no idle time for housekeeping: 12 of 200 times it was done between two inferences"
    )
    assert doubt.endswith("for 0.8 ms at most")
    (doubt,) = doubts_of(delayed=6, most_delay_us=3_000)
    assert doubt.startswith("housekeeping delayed 6 of 1000 frames, by 3.0 ms at most")


def test_what_the_machine_is_short_of() -> None:
    limited = set_up(machine=replace(MACHINE, cpu_quota=1.5, governor="powersave").as_dict())
    found = doubts(observed(limited, contention=contention(others_s=5, stolen_s=1, throttled=3)))
    assert found == [
        "a quota allows 1.5 of 4 cores: frames stall when it is used up",
        "the CPU governor is powersave: 4 cores slow down while frames are awaited",
        "other processes took 0.50 of 4 cores during the run",
        "the hypervisor took 0.10 of 4 cores during the run",
        "the CPU was throttled 3 times during the run",
    ]


def test_a_precision_that_was_not_requested_and_a_device_that_changed() -> None:
    key = "INFERENCE_PRECISION_HINT"
    other = set_up(engine={"config_requested": {key: "f32"}, "config_in_force": {key: "bf16"}})
    found = doubts(observed(other, device_changes=[DeviceChange(2_500_000, ("CPU",), ("GPU.0",))]))
    assert found == [
        "the effective precision is bf16, requested was f32",
        "CPU handed over to GPU.0 after 2.5 s: run.json has statistics of each part",
    ]


def test_an_engine_that_was_replaced() -> None:
    lost: ReplacementPart = {"why": "the process of the engine died", "at_ms": 2_500.0, "back_ms": 3_750.0}
    assert doubts(replace(CALM, replacements=[lost])) == [
        "the engine was replaced at 2.5 s, which took 1.2 s: the process of the engine died"
    ]


def test_after_a_kill_the_doubts_from_before_are_kept_and_only_the_rows_raise_more() -> None:
    lost: ReplacementPart = {"why": "not known: the run was killed", "at_ms": 2_500.0, "back_ms": None}
    killed = replace(
        set_up(machine=replace(MACHINE, governor="powersave").as_dict()),
        raised=["the CPU governor is powersave"],
        replacements=[lost],
        observed=None,
        repaired={"rows": 990, "abandoned": 10, "torn_lines": 0, "detections_removed": 0},
    )
    first, *others = doubts(counted(killed, frames={"scheduled": 3, "delivered": 1, "dropped": 2}))
    assert first.startswith("the run was killed at 33.000 s or later, and run.json was made from 990 rows")
    assert others == ["the CPU governor is powersave"]


def test_a_run_without_a_frame_is_not_doubted_for_having_none() -> None:
    unborn = observed(counted(figures=figures(0)), faults_missed=["fault 1 was not triggered"])
    assert len(doubts(unborn)) == 2
    assert doubts(unborn, without=AT_THE_END) == []
