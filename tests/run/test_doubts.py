"""Doubts: each appears when it should, with its number, and not otherwise."""

from __future__ import annotations

from dataclasses import replace

from streamer.machine.contention import Reading, Witness
from streamer.machine.info import Machine
from streamer.run import doubts
from streamer.run.measurements import DeviceChange
from streamer.stats.distribution import Distribution
from streamer.stats.steadiness import Window
from streamer.stats.summary import FIGURES, Statistics, statistics
from tests.rig import Rig

MACHINE = Machine(
    cpu="a CPU", cores=4, usable_cores=4, cpu_quota=None, governor=None, memory_mb=None, load=None, system="",
    python="",
)  # fmt: skip


def figures(n: int, *, latency_us: int = 10_000, lateness_us: int = 5) -> dict[str, Statistics]:
    found = {}
    for name in FIGURES:
        values = Distribution()
        for _ in range(n):
            values.add(lateness_us if name == "lateness" else latency_us)
        found[name] = statistics(values)
    return found


def witness(*, others_s: float = 0, stolen_s: float = 0, throttled: int = 0) -> Witness:
    one = Witness(Reading(0, 0, 0, 0, 0, 0))
    one.sampled(10_000_000, Reading(10.0, 8.0, 8.0 + others_s, stolen_s, throttled, 0))
    return one


def test_a_calm_run_is_not_doubted() -> None:
    rig = Rig(services_s=(0.01,)).run()
    assert doubts.of_the_pipeline(rig.pipeline, rig.ledger) == []
    assert doubts.of_the_figures(figures(1000), None) == []
    assert doubts.of_steadiness(5, [Window(30, 10), Window(30, 10.5), Window(29, 10)]) == []
    assert doubts.of_the_machine(MACHINE, witness(others_s=0.5)) == []
    assert doubts.of_the_engine({}, {"INFERENCE_PRECISION_HINT": "bf16"}, []) == []


def test_too_few_frames() -> None:
    (said,) = doubts.of_the_figures(figures(100), None)
    assert said.startswith("too few frames: p95 needs 130, the run has 100")
    (said,) = doubts.of_the_figures(figures(1000), "p999")
    assert said.startswith("too few frames: p99.9 needs 6,636, the run has 1,000")


def test_a_lateness_that_blurs_the_latency() -> None:
    (said,) = doubts.of_the_figures(figures(1000, lateness_us=1_500), None)
    assert said.startswith("frames left late: lateness p99 is 1.500 ms, 15% of the median latency")


def test_windows_that_do_not_agree() -> None:
    (said,) = doubts.of_steadiness(5, [Window(30, 10), Window(30, 12), Window(30, 15)])
    assert said == "not steady: the median latencies of the last three windows of 5 s are 10.0, 12.0, 15.0 ms"
    (said,) = doubts.of_steadiness(2, [Window(30, 10), Window(20, 10), Window(30, 10)])
    assert "the rates of the last three windows of 2 s are 30.0, 20.0, 30.0 frames a second" in said


def test_more_dropped_than_delivered_and_no_gap_to_decode_in() -> None:
    rig = Rig(services_s=(0.2,), decode_s=0.002).run()
    said = doubts.of_the_pipeline(rig.pipeline, rig.ledger)
    assert any(one.startswith("more frames were dropped than delivered: 79 and 21") for one in said)
    assert any(one.startswith("the engine left no gap to decode in") for one in said)


def test_what_the_machine_is_short_of() -> None:
    said = doubts.of_the_machine(
        replace(MACHINE, cpu_quota=1.5, governor="powersave"), witness(others_s=5, stolen_s=1, throttled=3)
    )
    assert said == [
        "a quota allows 1.5 of 4 cores: frames stall when it is used up",
        "the CPU governor is powersave: 4 cores slow down while frames are awaited",
        "other processes took 0.50 of 4 cores during the run",
        "the hypervisor took 0.10 of 4 cores during the run",
        "the CPU was throttled 3 times during the run",
    ]


def test_a_precision_that_was_not_asked_for_and_a_device_that_changed() -> None:
    key = "INFERENCE_PRECISION_HINT"
    said = doubts.of_the_engine({key: "f32"}, {key: "bf16"}, [DeviceChange(2_500_000, ("CPU",), ("GPU.0",))])
    assert said == [
        "precision in force is bf16, asked for was f32",
        "CPU handed over to GPU.0 after 2.5 s: run.json has statistics of each part",
    ]
