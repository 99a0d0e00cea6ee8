"""Drift and leaks: those that are there are found, and nothing else is mistaken for one."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from benchmarks.soak_power import (
    NO_DRIFT,
    NO_LEAK,
    drifting,
    leaking,
    level,
    noise,
    outlier,
    plateau,
    quiet,
    rows_of,
    shared_machine,
)
from streamer.stats.bootstrap import RISK, Numbers
from streamer.studies.soak.drift import drift
from streamer.studies.soak.leaks import WARM_UP, leaks
from streamer.studies.soak.trend import discordant, windows_needed
from streamer.studies.soak.verdict import Verdict

HOUR = 60
SEEDS = range(20)


def seeded(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def memory(memory_mb: Numbers) -> Verdict:
    """The verdict on memory alone."""
    return leaks(rows_of(np.full(len(memory_mb), 14.0), resident_mb=memory_mb))[0]


def held(verdicts: list[Verdict]) -> dict[str, bool | None]:
    return {one.name: one.passed for one in verdicts}


@pytest.mark.parametrize("n", [6, 7])
def test_as_many_pairs_may_be_out_of_order_as_chance_has_in_one_of_two_hundred_orders(n: int) -> None:
    orders = [sum(one > other for i, one in enumerate(p) for other in p[i:]) for p in permutations(range(n))]
    shares = [np.mean(np.array(orders) <= allowed) for allowed in (discordant(n), discordant(n) + 1)]
    assert shares[0] <= RISK / 2 < shares[1]


def test_a_drift_of_one_percent_a_minute_is_found_within_an_hour_on_a_machine_with_two_speeds() -> None:
    verdicts = [drift(rows_of(*(drifting(0.01, one) for one in shared_machine(seeded(s), HOUR)))) for s in range(10)]
    assert [one.passed for one in verdicts].count(False) >= 9
    assert False not in [drift(rows_of(*shared_machine(seeded(seed), HOUR))).passed for seed in range(10)]


def test_it_is_found_in_half_an_hour_on_an_unshared_machine_and_reported_with_its_rate() -> None:
    found = [drift(rows_of(drifting(0.01, quiet(seeded(seed), 30)))) for seed in SEEDS]
    assert {one.passed for one in found} == {False}
    rates = [one.figures["p50"][0]["percent_a_minute"] for one in found]
    assert np.median(rates) == pytest.approx(0.87, abs=0.03), "of what it has become, halfway: 1 / 1.155"
    assert "% a minute" in found[0].why
    assert "ms" in found[0].why


def test_a_drift_of_the_tail_alone_is_one() -> None:
    median = quiet(seeded(1), HOUR)
    verdict = drift(rows_of(median, drifting(0.01, 1.2 * median)))
    assert verdict.passed is False
    assert verdict.why.startswith("p95 ")


def test_growth_that_is_hardly_sure_is_no_drift() -> None:
    verdict = drift(rows_of(NO_DRIFT["wandering by 5 %, 0.7 kept"](seeded(354), HOUR)))
    figures = verdict.figures["p50"][0]
    assert 0 < figures["percent_a_minute_low"] < figures["percent_a_minute"] / 5
    assert figures["percent"] > 5
    assert verdict.passed is True


@pytest.mark.parametrize("what", [name for name in NO_DRIFT if "0.9 kept" not in name])
def test_what_comes_and_goes_or_comes_once_is_no_drift(what: str) -> None:
    passed = [drift(rows_of(NO_DRIFT[what](seeded(seed), HOUR))).passed for seed in SEEDS]
    assert passed.count(False) <= 1
    assert None not in passed


def test_growth_of_less_than_five_percent_or_a_tenth_of_a_millisecond_does_not_count() -> None:
    small = 14.0 * np.linspace(1, 1.04, HOUR)
    assert drift(rows_of(small)).passed is True
    assert drift(rows_of(14.0 * np.linspace(1, 1.08, HOUR))).passed is False
    assert drift(rows_of(0.25 * np.linspace(1, 1.3, HOUR))).passed is True
    assert drift(rows_of(np.zeros(HOUR))).passed is True


def test_a_latency_that_falls_is_no_drift() -> None:
    assert drift(rows_of(drifting(-0.005, quiet(seeded(1), HOUR)))).passed is True


def test_too_few_windows_leave_the_verdict_open_and_are_counted_in_its_reason() -> None:
    few = rows_of(drifting(0.01, quiet(seeded(1), windows_needed() - 1)))
    assert drift(few).passed is None
    assert "too few windows: it takes 17 of a part with a p50, there are 16" in drift(few).why
    assert drift(rows_of(drifting(0.01, quiet(seeded(1), windows_needed())))).passed is not None
    assert drift([]).passed is None


def test_windows_with_too_few_frames_for_a_median_are_not_counted_and_the_reason_is_stated() -> None:
    rows = [replace(row, latency_p50_ms=None, latency_p95_ms=None) for row in rows_of(quiet(seeded(1), HOUR))]
    assert drift(rows).why.endswith("with a p50, there are 0; a p50 needs 11 frames")
    some = [replace(row, latency_p95_ms=None) for row in rows_of(drifting(0.01, quiet(seeded(1), HOUR)))]
    assert drift(some).passed is False


@pytest.mark.parametrize("windows", [HOUR, 240])
def test_a_leak_of_a_megabyte_a_minute_is_found_within_an_hour(windows: int) -> None:
    for series in (level, plateau):
        for seed in SEEDS:
            random = seeded(seed)
            verdict = memory(leaking(1, series)(random, windows) + noise(random, windows))
            assert verdict.passed is False, (series, seed, verdict.why)
    assert "MB a minute" in verdict.why


@pytest.mark.parametrize("what", list(NO_LEAK))
@pytest.mark.parametrize("windows", [HOUR, 240])
def test_growth_that_levels_off_or_comes_in_steps_or_to_and_fro_is_no_leak(what: str, windows: int) -> None:
    passed: list[bool | None] = []
    for seed in SEEDS:
        random = seeded(seed)
        passed.append(memory(NO_LEAK[what](random, windows) + noise(random, windows)).passed)
    assert passed.count(False) <= 1
    assert passed.count(True) >= 18


def test_a_single_odd_window_is_neither_a_leak_nor_a_drift_and_hides_none() -> None:
    assert drift(rows_of(outlier(seeded(1), HOUR))).passed is True
    values = level(seeded(1), HOUR)
    values[-1] += 500
    assert memory(values).passed is True
    leak = leaking(1, level)(seeded(1), HOUR)
    leak[30] -= 200
    assert memory(leak).passed is False


def test_growth_that_still_flattens_is_neither_passed_nor_failed() -> None:
    at = np.arange(HOUR)
    verdict = memory(270 + 80 * (1 - np.exp(-at / 22)))
    assert verdict.passed is None
    assert "soak for longer" in verdict.why
    assert memory(270 + 80 * (1 - np.exp(-at / 5))).passed is True


def test_a_leak_slower_than_a_tenth_of_a_megabyte_a_minute_does_not_count() -> None:
    assert memory(leaking(0.09, level)(seeded(1), HOUR)).passed is True
    assert memory(leaking(0.2, level)(seeded(1), HOUR)).passed is False


def test_memory_is_not_assessed_by_fewer_windows_than_it_takes() -> None:
    needed = windows_needed(WARM_UP)
    assert needed == 24
    assert memory(leaking(1, level)(seeded(1), needed - 1)).passed is None
    assert memory(leaking(1, level)(seeded(1), needed)).passed is False


@pytest.mark.parametrize(
    ("column", "name"),
    [("open_files", "open files"), ("threads", "threads"), ("children_mb", "memory of child processes")],
)
def test_files_threads_and_child_processes_leak_too(column: str, name: str) -> None:
    base = np.full(HOUR, 14.0)
    growing: dict[str, Any] = {column: [30 + window for window in range(HOUR)]}
    verdicts = held(leaks(rows_of(base, **growing)))
    assert verdicts.pop(name) is False
    assert set(verdicts.values()) == {True}
    to_and_fro: dict[str, Any] = {column: [30 + window % 3 for window in range(HOUR)]}
    assert set(held(leaks(rows_of(base, **to_and_fro))).values()) == {True}


def test_figures_that_the_system_does_not_report_and_processes_that_were_not_started_have_no_verdict() -> None:
    rows = [replace(row, open_files=None) for row in rows_of(np.full(HOUR, 14.0))]
    assert set(held(leaks(rows))) == {"memory", "threads"}


def test_windows_of_several_parts_do_not_add_up() -> None:
    rows = [replace(row, part=row.window // 15) for row in rows_of(drifting(0.01, quiet(seeded(1), 30)))]
    assert drift(rows).why == "too few windows: it takes 17 of a part with a p50, there are 15"
    assert leaks(rows)[0].why == "too few windows: it takes 24 of a part, there are 15"


def test_each_part_of_a_soak_that_was_resumed_is_assessed_by_itself() -> None:
    first = rows_of(quiet(seeded(1), HOUR), resident_mb=level(seeded(1), HOUR))
    second = rows_of(1.3 * quiet(seeded(2), HOUR), resident_mb=level(seeded(1), HOUR) + 40)
    rows = [*first, *(replace(row, part=1, end_s=row.end_s + 3600) for row in second)]
    assert drift(rows).passed is True
    assert leaks(rows)[0].passed is True
    leaking_part = [
        replace(row, resident_mb=row.resident_mb + row.window) if row.part == 1 else row
        for row in [*first, *(replace(row, part=1, end_s=row.end_s + 3600) for row in second)]
    ]
    memory_of_both = leaks(leaking_part)[0]
    assert memory_of_both.passed is False
    assert memory_of_both.why.endswith("in part 1")
    assert [part["leaks"] for part in memory_of_both.figures["parts"]] == [False, True]


def test_a_jump_is_reported_though_it_is_no_growth() -> None:
    values = level(seeded(1), HOUR)
    values[40:] += 50
    verdict = memory(values)
    assert verdict.passed is True
    assert "jumps of +50 MB among it" in verdict.why
