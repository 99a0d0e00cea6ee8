"""How often a difference is found, and how often a false one: simulated and seeded, so the same every time.

python -m benchmarks.power [--runs 200] [--long-runs 40]

Engines that take 1, 1.02, 1.05 and 1.1 times as long as the baseline are compared with it as `streamer compare` does:
at 30 fps, in rounds of a second, in the order A B B A, 24 rounds (its default) and 5 minutes. Service times come from
a machine as noisy as a shared cloud machine was found to be. Result latency follows from them by the rule of the
queue, which a test compares with the pipeline in virtual time. With six engines the last is compared with the first,
since the distance between their rounds is the largest. Then two runs are compared that were not interleaved.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter

import numpy as np
import numpy.typing as npt

from benchmarks.common import Report
from streamer.stats.bootstrap import Numbers
from streamer.stats.speed_ratio import (
    MARGIN,
    Estimate,
    Speed,
    Values,
    between_processes,
    ratio_by_rounds,
    ratio_unpaired,
    speed,
)

FPS, ROUND_FRAMES = 30, 30
EFFECTS = (1.0, 1.02, 1.05, 1.1)
FOUND = {1.05: 0.8, 1.1: 0.95}
"""The share of runs in which an effect is to be found; 2 %, the least that counts, can be found in half of them."""
MEDIAN, TAIL = 0.5, 0.95

PROCESS = 0.006
"""Standard deviation of what one process of an engine takes longer than another, as a share."""

SERVICE_US = 14_000
WHITE = 0.03
"""Standard deviation of a frame's service time."""
OUTLIERS, OUTLIER = 0.01, (1.5, 3.0)
"""Share of frames that take so many times as long."""
SPEEDS, SPEED_S = (1.0, 19 / 14), (10.0, 60.0)
"""The machine has two speeds, and keeps one for so long."""
SPELL_EVERY_S, SPELL_S, SPELL = 60.0, (1.0, 3.0), 2.0
"""Spells in which everything takes so many times as long."""
DRIFT, DRIFT_S = 0.05, (120.0, 480.0)
"""From the top to the bottom of a slow wave, and its period."""
BETWEEN_S = 0.2
"""Warming up before a round."""
STEP_S = 0.05
"""How finely the machine's speed is followed."""


def machine(random: np.random.Generator, seconds: float) -> Numbers:
    """How many times as long everything takes, at each step of some seconds."""
    at = np.arange(0, seconds, STEP_S)
    changes = np.cumsum(random.uniform(*SPEED_S, int(seconds / SPEED_S[0]) + 2)) - random.uniform(0, SPEED_S[1])
    slowness = np.asarray(SPEEDS)[(np.searchsorted(changes, at) + random.integers(2)) % 2]
    for begin in random.uniform(0, seconds, random.poisson(seconds / SPELL_EVERY_S)):
        slowness[(at >= begin) & (at < begin + random.uniform(*SPELL_S))] *= SPELL
    wave = np.sin(2 * np.pi * (at / random.uniform(*DRIFT_S) + random.random()))
    return np.asarray(slowness * (1 + DRIFT / 2 * wave))


def service_times(random: np.random.Generator, factors: tuple[float, ...], rounds: int) -> Values:
    """Service times in microseconds: engines by rounds by frames, one engine's round after another's."""
    engines, round_s = len(factors), BETWEEN_S + ROUND_FRAMES / FPS
    slowness = machine(random, engines * rounds * round_s)
    turns = np.tile(np.arange(engines), (rounds, 1))
    turns[1::2] = turns[1::2, ::-1]
    begins = np.empty((engines, rounds))
    begins[turns.ravel(), np.repeat(np.arange(rounds), engines)] = round_s * np.arange(engines * rounds) + BETWEEN_S
    at = begins[..., None] + np.arange(ROUND_FRAMES) / FPS
    processes = np.asarray(factors) * (1 + PROCESS * random.standard_normal(engines))
    return noisy(random, SERVICE_US * processes[:, None, None] * slowness[(at / STEP_S).astype(int)])


def noisy(random: np.random.Generator, times_us: Numbers) -> Values:
    """Whole microseconds of service times that would have been so long: each frame's has its own noise."""
    times = times_us * (1 + WHITE * random.standard_normal(times_us.shape))
    outliers = random.random(times.shape) < OUTLIERS
    times[outliers] *= random.uniform(*OUTLIER, np.count_nonzero(outliers))
    whole: Values = np.round(times).astype(np.int64)
    return whole


def result_latencies(service: Values, fps: float = FPS) -> Values:
    """Result latencies in microseconds of rounds by frames, each round from an idle engine on; -1 where dropped.

    One frame is in the engine, one waits, and the newest takes the place of the one that waits. At equal instants
    arrivals come before completions. ``service`` has what each frame takes if it is served.
    """
    rounds, frames = service.shape
    due = [round(frame * 1_000_000 / fps) for frame in range(frames)]
    latency = np.full((rounds, frames), -1, np.int64)
    free_at, waiting = np.full(rounds, -1, np.int64), np.full(rounds, -1, np.int64)

    def serve(served: npt.NDArray[np.bool_], begin: Values) -> None:
        row, frame = np.nonzero(served)[0], waiting[served]
        free_at[served] = begin[served] + service[row, frame]
        latency[row, frame] = free_at[served] - np.asarray(due)[frame]
        waiting[served] = -1

    for frame, now in enumerate(due):
        serve((waiting >= 0) & (free_at < now), free_at)
        waiting[:] = frame
        serve(free_at < now, np.full(rounds, now))
    serve(waiting >= 0, free_at)
    return latency


def compared(random: np.random.Generator, engines: int, effect: float, rounds: int) -> tuple[Values, Values]:
    """Result latencies, rounds by frames, of the first engine and the last, which takes ``effect`` times as long."""
    service = service_times(random, (1.0,) + (effect,) * (engines - 1), rounds)
    latency = result_latencies(service.reshape(-1, ROUND_FRAMES))
    runs = latency.reshape(engines, rounds, ROUND_FRAMES)
    return runs[0], runs[-1]


def main() -> None:
    """Simulates, prints the rates, and gives the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--long-runs", type=int, default=40)
    options = parser.parse_args()
    report = Report()
    for engines in (2, 6):
        study(report, engines, 24, options.runs)
        study(report, engines, 300, options.long_runs)
    for seconds in (70, 300):
        one_after_another(report, seconds, options.long_runs)
    report.end()


def study(report: Report, engines: int, rounds: int, runs: int) -> None:
    """The rates at which each effect is found in so many rounds, and their verdicts."""
    what = f"{engines} engines, {rounds} rounds"
    for effect in EFFECTS:
        random = np.random.default_rng([engines, rounds, round(effect * 100)])
        medians: list[Estimate] = []
        tails: Counter[Speed] = Counter()
        quotients: list[float] = []
        for _ in range(runs):
            baseline, other = compared(random, engines, effect, rounds)
            median, tail = (
                reported(ratio_by_rounds(list(baseline), list(other), p), engines) for p in (MEDIAN, TAIL)
            )
            medians.append(median)
            tails[speed(tail)] += 1
            quotients.append(float(np.median(other[other >= 0]) / np.median(baseline[baseline >= 0])))
        found = Counter(map(speed, medians))
        covered = sum(median.low <= effect <= median.high for median in medians) / runs
        report.say(
            f"{what}, {100 * (effect - 1):.0f} % slower: {shares(found)}; by p95 {shares(tails)}; the truth is in "
            f"{covered:.1%} of the intervals; deviation {np.std([median.value for median in medians]):.4f}, that of "
            f"the quotient of both runs' medians {np.std(quotients):.4f}"
        )
        if effect == 1:
            report.at_least(f"{what}: share of no difference", found[Speed.NO_DIFFERENCE] / runs, 0.99)
        elif effect in FOUND:
            share = found[Speed.SLOWER] / runs
            report.at_least(f"{what}: share of {100 * (effect - 1):.0f} % found", share, FOUND[effect])


def one_after_another(report: Report, seconds: int, runs: int) -> None:
    """The same of two runs of so many seconds at different times, by themselves and by pairing their seconds."""
    what = f"runs of {seconds} s one after another"
    for effect in (1.0, 1.1, 1.5):
        random = np.random.default_rng([seconds, round(effect * 100)])
        found: Counter[Speed] = Counter()
        paired: Counter[Speed] = Counter()
        for _ in range(runs):
            one, other = (result_latencies(service_times(random, (factor,), seconds)[0]) for factor in (1.0, effect))
            unpaired = reported(ratio_unpaired(one.ravel(), other.ravel(), MEDIAN, (ROUND_FRAMES, ROUND_FRAMES)))
            by_rounds = reported(ratio_by_rounds(list(one), list(other), MEDIAN))
            found[speed(unpaired)] += 1
            paired[speed(by_rounds)] += 1
        report.say(f"{what}, {100 * (effect - 1):.0f} % slower: {shares(found)}; if paired, {shares(paired)}")
        if effect == 1:
            report.at_least(f"{what}: share of no difference", found[Speed.NO_DIFFERENCE] / runs, 0.99)


def reported(ratio: Estimate | None, engines: int = 2) -> Estimate:
    """The ratio of two of the engines as `streamer compare` reports it; there are always enough frames here."""
    assert ratio is not None
    return between_processes(ratio, MARGIN * math.comb(engines, 2))


def shares(verdicts: Counter[Speed]) -> str:
    """How often each verdict was given, as text."""
    return ", ".join(f"{verdict.value} {verdicts[verdict] / verdicts.total():.1%}" for verdict in sorted(verdicts))


if __name__ == "__main__":
    main()
