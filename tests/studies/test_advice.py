"""The advice of ``streamer compare``: engines that cannot be distinguished are named together."""

from __future__ import annotations

from typing import Any

from streamer.stats.speed_ratio import Estimate, Speed, speed
from streamer.studies.compare.advice import advise

NOISE = 0.03
"""How far an interval reaches to either side, as a share."""


def ratio_of(times: dict[str, float | None]) -> Any:
    """The ratio of two engines whose result latencies are ``times``; None where too little was seen."""

    def ratio(one: str, other: str) -> Estimate | None:
        these, those = times[one], times[other]
        if these is None or those is None:
            return None
        return Estimate(those / these, those / these * (1 - NOISE), those / these * (1 + NOISE))

    return ratio


def advice(times: dict[str, float | None], medians: dict[str, float] | None = None, **changes: dict[str, Any]) -> str:
    """The advice on engines, the first of which is the baseline; ``changes`` are of their rows."""
    ratio, baseline = ratio_of(times), next(iter(times))
    rows = []
    for name, time in times.items():
        found = None if name == baseline else ratio(baseline, name)
        verdict = Speed.BASELINE if name == baseline else Speed.NO_DIFFERENCE if found is None else speed(found)
        rows.append(
            {
                "engine": name,
                "speed": verdict.value,
                "ratio_p50": None if found is None else {"value": found.value, "low": found.low, "high": found.high},
                "median_ms": {"value": (medians or {}).get(name, time or 20.0)},
                "agreement": "agrees",
                "agreement_share": 1.0,
                "slo": None,
                "drops_percent": 0.0,
                **changes.get(name, {}),
            }
        )
    return advise(rows, ratio)


def test_engines_that_are_not_distinguished_are_named_together_in_the_order_given() -> None:
    answer = advice({"onnx": 20.2, "ir": 20.0, "auto": 19.8})
    assert answer == "onnx, ir, auto: no difference, 19.8 to 20.2 ms from due to boxes in the median."


def test_a_set_that_is_faster_than_the_baseline_says_by_how_much() -> None:
    answer = advice({"pytorch": 80.0, "onnx": 20.2, "slow": 40.0, "ir": 20.0})
    assert answer.startswith("onnx, ir: no difference, 20.0 to 20.2 ms")
    assert answer.endswith(", 0.25 times pytorch's.")
    assert "Use" not in answer


def test_one_that_is_distinguished_from_all_others_is_advised() -> None:
    assert advice({"onnx": 20.0, "ir": 18.0}).startswith("Use ir: 18.0 ms")
    assert advice({"ir": 18.0, "onnx": 20.0}).startswith("ir stays the choice, with 18.0 ms")
    assert "the others are slower" in advice({"ir": 18.0, "onnx": 20.0})


def test_the_best_is_the_one_with_the_best_rounds_and_not_the_one_with_the_lowest_median() -> None:
    """On a machine of two speeds the medians of whole runs jump."""
    answer = advice({"onnx": 20.0, "ir": 18.0, "slow": 30.0}, {"onnx": 20.0, "ir": 18.0, "slow": 14.0})
    assert answer.startswith("Use ir")


def test_an_engine_that_finds_other_objects_is_called_faster_only_where_it_is() -> None:
    disagrees = {"agreement": "disagrees", "agreement_share": 0.5}
    assert "int8 is faster, but finds other objects (agreement 0.500)" in advice(
        {"ir": 20.0, "int8": 15.0}, int8=disagrees
    )
    assert "faster" not in advice({"ir": 20.0, "int8": 19.8}, int8=disagrees)
    assert advice({"ir": 20.0, "int8": 19.8}, int8=disagrees).startswith("ir stays the choice, with 20.0 ms")
    alone = advice({"ir": 20.0, "int8": 19.8}, ir=disagrees)
    assert alone.startswith("Use int8: 19.8 ms")
    assert "the others are slower" not in alone


def test_an_engine_of_which_too_little_was_seen_is_not_ranked() -> None:
    assert advice({"ir": 20.0, "onnx": None}) == (
        "ir: 20.0 ms from due to boxes in the median; too little was seen to compare ir with onnx."
    )
    assert advice({"ir": 20.0, "auto": 20.1, "onnx": None}).startswith("ir, auto: no difference")


def test_one_engine_is_compared_with_nothing() -> None:
    assert advice({"ir": 20.0}) == "ir: 20.0 ms from due to boxes in the median, and nothing to compare it with."


def test_other_conditions_in_which_the_runs_differ_stand_in_the_answer() -> None:
    row: dict[str, Any] = {"engine": "ir", "speed": "baseline", "ratio_p50": None, "median_ms": {"value": 20.0}}
    row |= {"agreement": "unchecked", "agreement_share": None, "slo": None, "drops_percent": 0.0}
    answer = advise([row], ratio_of({"ir": 20.0}), ["run.fps", "machine.cpu"])
    assert answer.endswith("; the runs differ in more than the engine (run.fps, machine.cpu).")
