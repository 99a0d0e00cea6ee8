"""How often a run claims what is not true: that it falls behind, is not steady, or that frames came at another rate.

python -m benchmarks.run_claims [--runs 200]

Simulated and seeded, at 30 fps on a machine that keeps its speed, and on one as noisy as a shared cloud machine was
found to be (`benchmarks/power.py`). Falling behind: a minute of an engine that loses nothing, and in the long run is
busy for a share of the time, on the shared machine at the slower of its two speeds; and one that is too slow. Where
only the mean of both speeds is that share, the slower may be too slow for the rate, so that it is so of a slow
minute: that share is printed without a verdict. Steadiness: the shared machine is not steady, so neither has its
share a verdict. Rates: frames
that come late by some milliseconds in the mean (exponentially), with times of their own and without, at the rate that
the source announces, and at a tenth less.
"""

from __future__ import annotations

import argparse
from fractions import Fraction

import numpy as np

from benchmarks.common import Report
from benchmarks.power import (
    FPS,
    OUTLIER,
    OUTLIERS,
    SERVICE_US,
    SPEEDS,
    SPELL,
    SPELL_EVERY_S,
    SPELL_S,
    STEP_S,
    WHITE,
    machine,
    noisy,
    result_latencies,
)
from streamer.ledger.record import FrameRecord, Outcome
from streamer.sources.arrival_rate import RateMeter, RateWatch, rate_doubts
from streamer.stats.backlog import Backlog
from streamer.stats.steadiness import Windows, agree

SECONDS, WATCHED_S = 16, 40
FRAMES = 1800
PERIOD_US = 1_000_000 / FPS
LOADS, TOO_SLOW = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95), 1 / 0.972
"""Shares of the time for which an engine is busy, and that of one that manages 97.2 % of the rate."""
SLOWER_SPEED, MEAN_SPEED = max(SPEEDS), sum(SPEEDS) / len(SPEEDS)
RATES, LATE_MS = (10, 25), (0.5, 3.0, 10.0)
SLOWER = 0.9
MOST, LEAST = 1.0, 95.0
"""The most percent of false claims, and the least percent of true ones that are made."""


def main() -> None:
    """Simulates, prints how often each claim is made, and gives the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    report = Report()
    falling_behind(report, runs)
    alone, shared = (
        100 * sum(unsteady(np.random.default_rng([run, noisy]), noisy=noisy) for run in range(runs)) / runs
        for noisy in (False, True)
    )
    report.at_most("not steady, on a machine that keeps its speed", alone, MOST, " %")
    report.say(f"      not steady, on a shared machine: {shared:.1f} %")
    for fps in RATES:
        for late_ms in LATE_MS:
            for timed in (True, False):
                what = f"{fps} fps, late by {late_ms:g} ms, {'with' if timed else 'without'} times"
                study(report, what, runs, fps, late_ms, timed)
    report.end()


def falling_behind(report: Report, runs: int) -> None:
    """The verdicts on engines that keep up, and on one that does not."""
    for load in LOADS:
        at = f"falls behind, at a load of {load:.0%}"
        report.at_most(f"{at}, on a machine that keeps its speed", behind(runs, load), MOST, " %")
        report.at_most(f"{at}, at the slower speed of a shared machine", behind(runs, load, SLOWER_SPEED), MOST, " %")
        mean, slower = behind(runs, load, MEAN_SPEED), load * SLOWER_SPEED / MEAN_SPEED
        report.say(f"      {at} in the mean of its speeds ({slower:.0%} at the slower one): {mean:.1f} %")
    report.at_least(f"falls behind, at {1 / TOO_SLOW:.1%} of the rate", behind(runs, TOO_SLOW), LEAST, " %")


def behind(runs: int, load: float, speed: float | None = None) -> float:
    """Percent of runs that are reported to fall behind."""
    found = (fell_behind(np.random.default_rng([run, speed is not None]), load, speed) for run in range(runs))
    return 100 * sum(found) / runs


def fell_behind(random: np.random.Generator, load: float, speed: float | None) -> bool:
    """Whether one run is reported to fall behind, whose engine is busy for ``load`` of the time in the long run.

    That load is at a ``speed`` of the shared machine, with its spells; None: on a machine that keeps its speed.
    """
    usual_us = load * PERIOD_US / (1 + OUTLIERS * (sum(OUTLIER) / 2 - 1))
    slowness = np.ones(1)
    if speed is not None:
        usual_us /= speed * (1 + (SPELL - 1) * sum(SPELL_S) / 2 / SPELL_EVERY_S)
        slowness = machine(random, 2 * FRAMES / FPS)
    watched, free_us = Backlog(), 0
    for frame, quiet_us in enumerate(noisy(random, np.full(FRAMES, usual_us)).tolist()):
        due_us = round(frame * PERIOD_US)
        begin_us = max(due_us, free_us)
        step = min(int(begin_us / 1_000_000 / STEP_S), len(slowness) - 1)
        free_us = begin_us + round(quiet_us * slowness[step])
        watched.closed(FrameRecord(0, frame, 0, due_us, written=free_us, outcome=Outcome.DELIVERED))
    return watched.behind_us([Fraction(FPS)]) is not None


def study(report: Report, what: str, runs: int, fps: int, late_ms: float, timed: bool) -> None:
    """The verdicts on frames that come at ``fps``."""
    for share in (1.0, SLOWER):
        found = [rate_claims(np.random.default_rng(run), fps, share, late_ms, timed) for run in range(runs)]
        before, meanwhile, times = (100 * float(np.mean(one)) for one in zip(*found, strict=True))
        if share == 1:
            report.at_most(f"{what}: another rate than announced", before, MOST, " %")
            report.at_most(f"{what}: another rate in the run", meanwhile, MOST, " %")
            report.at_most(f"{what}: times that do not go by as frames come", times, MOST, " %")
        else:
            report.at_least(f"{what}: a tenth slower than announced", before, LEAST, " %")


def unsteady(random: np.random.Generator, *, noisy: bool) -> bool:
    """Whether a run of SECONDS is reported as not steady."""
    frames = SECONDS * FPS
    at = np.arange(frames) / FPS
    slowness = machine(random, SECONDS + STEP_S)[(at / STEP_S).astype(int)] if noisy else np.ones(frames)
    times = SERVICE_US * slowness * (1 + WHITE * random.standard_normal(frames))
    outliers = random.random(frames) < OUTLIERS
    times[outliers] *= random.uniform(*OUTLIER, np.count_nonzero(outliers))
    windows = Windows()
    for frame, latency in enumerate(result_latencies(np.round(times).astype(np.int64)[None])[0].tolist()):
        if latency >= 0:
            due = round(frame * 1_000_000 / FPS)
            windows.closed(FrameRecord(0, frame, 0, scheduled=due, written=due + latency))
    _, last = windows.last()
    return bool(last) and not all(map(agree, ([one.rate for one in last], [one.latency_ms for one in last])))


def rate_claims(
    random: np.random.Generator, fps: int, share: float, late_ms: float, timed: bool
) -> tuple[bool, bool, bool]:
    """Whether another rate is reported before the run, and in it, and that times differ from the frames' arrivals.

    The frames come at ``share`` of the announced rate.
    """
    period_us = 1_000_000 / (fps * share)
    frames = round(WATCHED_S * fps * share)
    due_us = np.arange(frames) * period_us
    came_us = (
        np.maximum.accumulate(np.round(due_us + random.exponential(late_ms * 1000, frames))).astype(int).tolist()
    )
    meter, number = RateMeter(), 0
    while not meter.enough:
        waited_us = came_us[number] - came_us[number - 1] if number else 0
        meter.add(Fraction(round(due_us[number]), 1_000_000) if timed else None, came_us[number], waited_us)
        number += 1
    announced = Fraction(fps)
    measured = meter.measured(announced)
    assert measured is not None
    watch = RateWatch(measured.rate, came_us[number - 1])
    for place in range(number, frames):
        watch.came(came_us[place], came_us[place] - came_us[place - 1])
    other = bool(rate_doubts("it", announced, measured, measured.rate))
    return other, bool(watch.doubts), timed and not measured.own_times_hold


if __name__ == "__main__":
    main()
