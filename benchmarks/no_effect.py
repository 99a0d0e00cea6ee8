"""How often each study claims an effect where there is none, and how often it finds an effect of 10 %.

python -m benchmarks.no_effect [--runs 1000]

Studies of the null engine in virtual time, on the machine of `benchmarks/power.py`, seeded. Arms that differ only in
noise go through the verdicts of the studies: `compare` of two engines and of the tutorial's seven, `pace` at its
seven rates, `parity`, and `soak`'s verdicts on drift and leaks. A study is wrong when it makes one false claim or
more; that may happen in 1 of 100. Then the same with an effect of a tenth.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.common import CLIP, Report
from benchmarks.power import (
    BETWEEN_S,
    FPS,
    MEDIAN,
    PROCESS,
    ROUND_FRAMES,
    SERVICE_US,
    STEP_S,
    machine,
    noisy,
    reported,
    result_latencies,
    service_times,
)
from benchmarks.soak_power import drifting, leaking, noise, plateau, rows_of, shared_machine
from streamer.accuracy.agreement import AgreementMeter
from streamer.detection.detections import Detections
from streamer.engines.spec_parser import parse_spec
from streamer.models.find import find_model
from streamer.stats.bootstrap import Numbers
from streamer.stats.speed_ratio import Estimate, Speed, Values, ratio_by_rounds, speed
from streamer.studies.compare.advice import advise
from streamer.studies.pace.idling import idle_penalties
from streamer.studies.pace.sentence import sentence_of
from streamer.studies.pace.study import ROUNDS
from streamer.studies.parity.rows import Verdict as ParityVerdict
from streamer.studies.parity.study import Parity, ParitySettings
from streamer.studies.run_figures import ratio as ratio_part
from streamer.studies.soak.drift import drift
from streamer.studies.soak.leaks import leaks

EFFECT = 1.1
RATES = (2, 5, 10, 15, 30, 60)
"""Those of `streamer pace` beside the closed loop, and its seconds at each."""
PACE_S = 20
DIFFERENT = (Speed.FASTER, Speed.SLOWER)
Study = Callable[[np.random.Generator, float], bool]
"""Whether one study, of which one arm takes so many times as long, says that there is a difference."""


def compare(engines: int, rounds: int = 24) -> Study:
    """A comparison of engines, the last of which takes longer: one is faster, slower, or advised before another."""

    def study(random: np.random.Generator, effect: float) -> bool:
        factors = (1.0,) * (engines - 1) + (effect,)
        service = service_times(random, factors, rounds).reshape(-1, ROUND_FRAMES)
        latencies = result_latencies(service).reshape(engines, rounds, ROUND_FRAMES)

        def ratio(one: str, other: str) -> Estimate:
            these, those = (list(latencies[int(name)]) for name in (one, other))
            return reported(ratio_by_rounds(these, those, MEDIAN), engines)

        rows = [_compared(str(number), latencies[number], ratio) for number in range(engines)]
        answer = advise(rows, ratio)
        if effect == 1:
            alike = f"{', '.join(map(str, range(engines)))}: no difference"
            return not answer.startswith(alike) or any(row["speed"] in DIFFERENT for row in rows)
        return rows[-1]["speed"] == Speed.SLOWER and f" {engines - 1}:" not in answer

    return study


def _compared(name: str, latencies: Values, ratio: Callable[[str, str], Estimate]) -> dict[str, Any]:
    """As much of a row of ``compare.json`` as its advice is made of."""
    times = None if name == "0" else ratio("0", name)
    return {
        "engine": name,
        "speed": Speed.BASELINE if times is None else speed(times),
        "ratio_p50": ratio_part(times),
        "median_ms": {"value": float(np.median(latencies[latencies >= 0])) / 1000},
        "agreement": "agrees",
        "slo": None,
        "drops_percent": 0.0,
    }


def pace(random: np.random.Generator, effect: float) -> bool:
    """Whether an engine is reported to have an idle penalty, which it has at each rate."""
    infer = inferences(random, effect)
    loop, paced = infer[-1], infer[:-1]
    busy = [np.count_nonzero(np.concatenate(rounds) < 0) >= 0.01 * sum(map(len, rounds)) for rounds in paced]
    idling = [("null", rounds) for rounds, saturated in zip(paced, busy, strict=True) if not saturated]
    found = iter(idle_penalties({"null": loop}, idling))
    rows: list[dict[str, object]] = [
        {
            "engine": "null",
            "fps": str(rate),
            "closed_loop": False,
            "frames": {},
            "saturated": saturated,
            "idle_penalty": None if saturated else ratio_part(next(found)),
        }
        for rate, saturated in zip(RATES, busy, strict=True)
    ]
    answer = sentence_of("null", rows, None)
    return "times as long" in answer


def inferences(random: np.random.Generator, effect: float) -> list[list[Values]]:
    """Times in infer of each rate's rounds, then of those of the closed loop; -1 where a frame was dropped."""
    lanes, round_s = len(RATES) + 1, PACE_S / ROUNDS
    slowness = machine(random, lanes * ROUNDS * (BETWEEN_S + round_s))
    processes = 1 + PROCESS * random.standard_normal(lanes)
    processes[:-1] *= effect
    rounds: list[list[Values]] = [[] for _ in range(lanes)]
    begin_s = 0.0
    for number in range(ROUNDS):
        for lane in range(lanes) if number % 2 == 0 else reversed(range(lanes)):
            begin_s += BETWEEN_S
            rate = RATES[lane] if lane < len(RATES) else 1_000_000 / SERVICE_US
            frames = round(round_s * (rate if lane < len(RATES) else FPS))
            at = begin_s + np.arange(frames) / rate
            begin_s = float(at[-1] + 1 / rate)
            times = noisy(random, SERVICE_US * processes[lane] * slowness[(at / STEP_S).astype(int)])
            if lane < len(RATES):
                times[result_latencies(times[None], rate)[0] < 0] = -1
            rounds[lane].append(times)
    return rounds


def soak(windows: int) -> Study:
    """A soak of ``windows`` minutes: it reports a drift or a leak, as of 1 % and 1 MB a minute."""

    def study(random: np.random.Generator, effect: float) -> bool:
        rate = (effect - 1) / 10
        memory_mb = leaking(100 * rate, plateau)(random, windows) + noise(random, windows)
        latencies: list[Numbers] = [drifting(rate, one) for one in shared_machine(random, windows)]
        rows = rows_of(*latencies, resident_mb=memory_mb)
        verdicts = [drift(rows), *leaks(rows)]
        return any(one.passed is False for one in verdicts)

    return study


def parity(random: np.random.Generator, effect: float) -> bool:
    """Whether an engine that has all detections, or misses more than a tenth, is reported to disagree."""
    meter = AgreementMeter()
    for _ in range(100):
        boxes = random.uniform([0, 0, 60, 60], [50, 50, 110, 110], (9, 4)).astype(np.float32)
        found = Detections(boxes, random.uniform(0.5, 1, 9).astype(np.float32), np.arange(9, dtype=np.int32))
        lost = 0 if effect == 1 else 1
        meter.add(found, Detections(found.xyxy[lost:], found.confidence[lost:], found.class_id[lost:]))
    share = meter.result().smaller
    assert share is not None
    return share < ParitySettings(engines=()).min_agreement


def parity_of_null(arms: int) -> int:
    """How many of ``arms`` null engines are reported to disagree with the null engine."""
    engines = tuple(parse_spec(f"null,delay_ms={number / 1000:g}") for number in range(1, arms + 1))
    settings = ParitySettings(engines=engines, reference=parse_spec("null"), frames=10)
    study = Parity(str(CLIP), find_model(None, trust=False), settings)
    return sum(row.verdict is ParityVerdict.DISAGREES for row in study.rows(lambda _: None))


STUDIES: dict[str, tuple[Study, float]] = {
    "compare of 2 engines": (compare(2), 0.95),
    "compare of 7 engines": (compare(7), 0.9),
    "compare of 2 engines in 8 rounds": (compare(2, 8), 0.75),
    "pace": (pace, 0.5),
    "parity": (parity, 1.0),
    "soak of 24 min": (soak(24), 0.75),
    "soak of an hour": (soak(60), 0.9),
    "soak of 4 hours": (soak(240), 0.9),
}
"""The studies by name, with the share of effects that each is to find, as with intervals of one comparison each."""


def share_of(study: Study, effect: float, runs: int) -> float:
    """The share of ``runs`` studies that report a difference."""
    random = np.random.default_rng([20, round(100 * effect), runs])
    return sum(study(random, effect) for _ in range(runs)) / runs


def main() -> None:
    """Simulates, prints the shares, and gives the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    report = Report()
    for name, (study, found) in STUDIES.items():
        report.at_most(f"{name}, arms alike: share of false claims", share_of(study, 1, options.runs), 0.01)
        share = share_of(study, EFFECT, max(options.runs // 5, 1))
        report.at_least(f"{name}, an effect of 10 %: share found", share, found)
    report.at_most("parity of 100 null engines with the null engine: reported to disagree", parity_of_null(100), 0)
    report.end()


if __name__ == "__main__":
    main()
