"""How often a soak finds a drift or a leak, and the share of its false alarms.

Simulated windows of 60 s, with other seeds than those by which the rules were chosen, go through the verdicts of
`streamer soak`. Latency is that of a machine as noisy as a shared cloud machine was found to be
(`benchmarks/power.py`), of one that keeps each of its two speeds for minutes or for an hour, and of one whose windows
are autocorrelated. Memory grows to a plateau, in steps, to and fro, or for ever.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.common import Report
from benchmarks.power import OUTLIER, OUTLIERS, SERVICE_US, SPEEDS, STEP_S, WHITE, machine
from streamer.stats.bootstrap import Numbers
from streamer.studies.soak.drift import drift
from streamer.studies.soak.leaks import leaks
from streamer.studies.soak.windows_csv import WindowRow

WINDOW_S = 60
FRAMES = 1_800
"""Of a window, at 30 fps."""
CONSERVED = {"scheduled": FRAMES, "delivered": FRAMES}
NOT_KNOWN = ("age_p50_ms", "age_p99_ms", "frequency_mhz", "canary", "canary_changed")
Series = Callable[[np.random.Generator, int], Numbers]


def rows_of(latency_ms: Numbers, tail_ms: Numbers | None = None, **columns: Numbers | list[Any]) -> list[WindowRow]:
    """Windows with these medians, p95 and values of other columns; the rest is as it should be."""
    tails = 1.2 * latency_ms if tail_ms is None else tail_ms
    rows = []
    for window, (median, tail) in enumerate(zip(latency_ms.tolist(), tails.tolist(), strict=True)):
        outcomes = ("dropped", "decode_error", "source_error", "engine_error", "sink_error", "abandoned", "late")
        values: dict[str, Any] = {
            **dict.fromkeys(outcomes, 0),
            **CONSERVED,
            **dict.fromkeys(NOT_KNOWN),
            "part": 0,
            "start_s": float(window * WINDOW_S),
            "end_s": float((window + 1) * WINDOW_S),
            "latency_p50_ms": median,
            "latency_p95_ms": tail,
            "latency_p99_ms": 1.1 * tail,
            "latency_max_ms": 2 * tail,
            "result_latency_p50_ms": 0.9 * median,
            "result_latency_p95_ms": 0.9 * tail,
            "service_p50_ms": 0.88 * median,
            "lateness_p99_ms": 0.03,
            "resident_mb": 270.0,
            "open_files": 31,
            "threads": 12,
            "cpu_share": 0.6,
            "throttled": 0,
            "children_mb": 0.0,
            **{name: column[window] for name, column in columns.items()},
        }
        values |= {name: float(value) for name, value in values.items() if isinstance(value, np.floating)}
        rows.append(WindowRow(window=window, **values))
    return rows


def shared_machine(random: np.random.Generator, windows: int) -> tuple[Numbers, Numbers]:
    """p50 and p95 of each window on the machine of `benchmarks/power.py`: two speeds, spells, a wave, outliers."""
    slowness = machine(random, windows * WINDOW_S).reshape(windows, round(WINDOW_S / STEP_S))
    times = SERVICE_US / 1000 * slowness * (1 + WHITE * random.standard_normal(slowness.shape))
    odd = random.random(times.shape) < OUTLIERS
    times[odd] *= random.uniform(*OUTLIER, np.count_nonzero(odd))
    median, tail = np.quantile(times, (0.5, 0.95), axis=1)
    return median, tail


def two_speeds(shortest_s: float, longest_s: float) -> Series:
    """A machine that keeps each of its two speeds for so long."""

    def series(random: np.random.Generator, windows: int) -> Numbers:
        seconds = windows * WINDOW_S
        lengths = random.uniform(shortest_s, longest_s, int(seconds / shortest_s) + 2)
        changes = np.cumsum(lengths) - random.uniform(0, longest_s)
        at = np.arange(seconds)
        slowness = np.asarray(SPEEDS)[(np.searchsorted(changes, at) + random.integers(2)) % 2]
        medians = np.median(slowness.reshape(windows, WINDOW_S), axis=1)
        return np.asarray(14.0 * medians * (1 + 0.01 * random.standard_normal(windows)))

    return series


def wandering(phi: float, deviation: float) -> Series:
    """Windows of which each keeps the share ``phi`` of how far the one before was off."""

    def series(random: np.random.Generator, windows: int) -> Numbers:
        off = np.empty(windows)
        off[0] = random.standard_normal()
        for window in range(1, windows):
            off[window] = phi * off[window - 1] + np.sqrt(1 - phi**2) * random.standard_normal()
        return np.asarray(14.0 * np.exp(deviation * off))

    return series


def heating(random: np.random.Generator, windows: int) -> Numbers:
    """A machine that heats up: a tenth slower in the end, two thirds of it within 2 to 8 minutes."""
    at = np.arange(windows) * WINDOW_S / 60
    warm = 1 - np.exp(-at / random.uniform(2, 8))
    return np.asarray(14.0 * (1 + 0.1 * warm) * (1 + 0.01 * random.standard_normal(windows)))


def one_step(random: np.random.Generator, windows: int) -> Numbers:
    """A machine that becomes a third slower once, for good."""
    slower = np.arange(windows) >= random.integers(windows)
    return np.asarray(14.0 * np.where(slower, SPEEDS[1], 1) * (1 + 0.01 * random.standard_normal(windows)))


def quiet(random: np.random.Generator, windows: int) -> Numbers:
    """A machine of one's own."""
    return np.asarray(14.0 * (1 + 0.01 * random.standard_normal(windows)))


def outlier(random: np.random.Generator, windows: int) -> Numbers:
    """The same, with one window in which something else happened."""
    values = quiet(random, windows)
    values[random.integers(windows)] *= 10
    return values


NO_DRIFT: Mapping[str, Series] = {
    "one's own machine": quiet,
    "an outlier": outlier,
    "speeds kept for 1 to 5 min": two_speeds(60, 300),
    "speeds kept for 5 to 20 min": two_speeds(300, 1200),
    "speeds kept for 20 to 60 min": two_speeds(1200, 3600),
    "one step": one_step,
    "heating up": heating,
    "wandering by 2 %, 0.5 kept": wandering(0.5, 0.02),
    "wandering by 2 %, 0.9 kept": wandering(0.9, 0.02),
    "wandering by 5 %, 0.7 kept": wandering(0.7, 0.05),
}


def plateau(random: np.random.Generator, windows: int) -> Numbers:
    """Memory that fills caches: 20 to 100 MB, two thirds of it within a fiftieth to a fifth of the soak."""
    at = np.arange(1, windows + 1) / windows
    return np.asarray(270 + random.uniform(20, 100) * (1 - np.exp(-at / random.uniform(0.02, 0.2))))


def steps(random: np.random.Generator, windows: int) -> Numbers:
    """An allocator that takes 1 to 3 times 4 to 64 MB more, and once gives some back."""
    values = plateau(random, windows)
    for _ in range(random.integers(1, 4)):
        values[random.integers(windows) :] += random.uniform(4, 64)
    values[random.integers(windows) :] -= random.uniform(0, 16)
    return values


def sawtooth(random: np.random.Generator, windows: int) -> Numbers:
    """A garbage collector that comes every 1.5 to 20 windows, of at most a third of the soak, for up to 40 MB."""
    period = min(random.uniform(1.5, 20), windows / 3)
    phase = (np.arange(windows) + random.uniform(0, period)) % period / period
    return np.asarray(plateau(random, windows) + random.uniform(4, 40) * phase)


def noise(random: np.random.Generator, windows: int) -> Numbers:
    """What comes and goes, by a megabyte."""
    return np.asarray(1.0 * random.standard_normal(windows))


def level(_: np.random.Generator, windows: int) -> Numbers:
    """Memory that stays as it is."""
    return np.full(windows, 270.0)


NO_LEAK: Mapping[str, Series] = {"a level": level, "a plateau": plateau, "steps": steps, "a sawtooth": sawtooth}


def leaking(rate: float, on: Series) -> Series:
    """Memory that also grows by ``rate`` MB a minute."""
    return lambda random, windows: on(random, windows) + rate * np.arange(windows) * WINDOW_S / 60


def drifting(rate: float, values: Numbers) -> Numbers:
    """Latency that also grows by ``rate`` a minute, of what it began with."""
    return np.asarray(values * (1 + rate * np.arange(len(values)) * WINDOW_S / 60))


def drifts(latency_ms: Numbers, tail_ms: Numbers | None = None) -> bool | None:
    """The verdict on the drift."""
    return drift(rows_of(latency_ms, tail_ms)).passed


def leaks_memory(memory_mb: Numbers) -> bool | None:
    """The verdict on the memory."""
    return leaks(rows_of(np.full(len(memory_mb), 14.0), resident_mb=memory_mb))[0].passed


def main() -> None:
    """Simulates, prints the rates, and gives the verdicts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    report = Report()
    of_drift(report, options.runs)
    of_leaks(report, options.runs)
    report.end()


def of_drift(report: Report, runs: int) -> None:
    """How often latency is reported to drift, with the verdicts for an hour and more."""
    for windows in (20, 60, 240):
        for number, (what, series) in enumerate(NO_DRIFT.items()):
            random = np.random.default_rng([11, windows, number])
            verdicts = Counter(drifts(series(random, windows)) for _ in range(runs))
            alarms(report, f"no drift, {what}, {windows} windows", verdicts[False] / runs, windows)
        for rate in (0.0, 0.01):
            random = np.random.default_rng([12, windows, round(100 * rate)])
            verdicts = Counter(
                drifts(*(drifting(rate, one) for one in shared_machine(random, windows))) for _ in range(runs)
            )
            share = verdicts[False] / runs
            if not rate:
                alarms(report, f"no drift, the shared machine, {windows} windows", share, windows)
            else:
                found(report, f"a drift of 1 % a minute, the shared machine, {windows} windows", share, windows, 0.95)
    for windows in (17, 20, 30, 60):
        random = np.random.default_rng([13, windows])
        verdicts = Counter(drifts(drifting(0.01, quiet(random, windows))) for _ in range(runs))
        what = f"a drift of 1 % a minute, one's own machine, {windows} windows"
        found(report, what, verdicts[False] / runs, windows, 0.99)
    for what in ("speeds kept for 1 to 5 min", "wandering by 2 %, 0.9 kept"):
        random = np.random.default_rng([14, len(what)])
        verdicts = Counter(drifts(drifting(0.01, NO_DRIFT[what](random, 60))) for _ in range(runs))
        report.say(f"a drift of 1 % a minute, {what}, 60 windows: found in {verdicts[False] / runs:.1%}")


def of_leaks(report: Report, runs: int) -> None:
    """How often memory is reported to leak, with the verdicts for an hour and more."""
    for windows in (24, 60, 240):
        for number, (what, series) in enumerate(NO_LEAK.items()):
            random = np.random.default_rng([15, windows, number])
            verdicts = Counter(leaks_memory(series(random, windows) + noise(random, windows)) for _ in range(runs))
            what = f"no leak, {what}, {windows} windows"
            alarms(report, what, verdicts[False] / runs, windows)
            report.say(f"{what}: too early to tell in {verdicts[None] / runs:.1%}")
    for windows in (24, 30, 60, 240):
        for number, (what, series) in enumerate(NO_LEAK.items()):
            random = np.random.default_rng([16, windows, number])
            verdicts = Counter(
                leaks_memory(leaking(1, series)(random, windows) + noise(random, windows)) for _ in range(runs)
            )
            what = f"a leak of 1 MB a minute on {what}, {windows} windows"
            if "plateau" in what or "level" in what:
                found(report, what, verdicts[False] / runs, windows, 0.99)
            else:
                report.say(f"{what}: found in {verdicts[False] / runs:.1%}")
            report.say(f"{what}: too early to tell in {verdicts[None] / runs:.1%}")


def alarms(report: Report, what: str, share: float, windows: int) -> None:
    """The share of false alarms; from an hour on it is to be small."""
    if windows < 60:
        report.say(f"{what}: {share:.1%} false alarms")
    else:
        report.at_most(f"{what}: share of false alarms", share, 0.01)


def found(report: Report, what: str, share: float, windows: int, target: float) -> None:
    """The share that was found; from an hour on it is to be large."""
    if windows < 60:
        report.say(f"{what}: found in {share:.1%}")
    else:
        report.at_least(f"{what}: share found", share, target)


if __name__ == "__main__":
    main()
