"""Which engine is faster, and how sure that is: exact cases, and how often a simulated machine misleads it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.power import ROUND_FRAMES, compared, reported, result_latencies, service_times
from streamer.stats.bootstrap import QUANTILE
from streamer.stats.percentiles import nearest_rank
from streamer.stats.speed_ratio import (
    PROCESS_SPREAD,
    ROUNDS_NEEDED,
    SECONDS_NEEDED,
    Estimate,
    Speed,
    Values,
    between_processes,
    quantile_of,
    ratio_by_rounds,
    ratio_unpaired,
    speed,
)
from tests.rig import Rig

BLOCK = 30


def noisy(frames: int, seed: int, level_us: float = 14_000) -> Values:
    """Times that scatter by 3 %."""
    times: Values = np.random.default_rng(seed).normal(level_us, 0.03 * level_us, frames).astype(np.int64)
    return times


def ratio_of(baseline: Values, other: Values, p: float, frames: int = BLOCK) -> Estimate | None:
    """Of two that took turns in rounds of so many frames."""
    firsts = range(frames, len(baseline), frames)
    return ratio_by_rounds(np.split(baseline, firsts), np.split(other, firsts), p)


def sure(estimate: Estimate | None) -> Estimate:
    """There is one, and its value is within its interval."""
    assert estimate is not None
    assert estimate.low <= estimate.value <= estimate.high
    return estimate


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        (Estimate(0.97, 0.95, 0.99), Speed.FASTER),
        (Estimate(1.03, 1.01, 1.05), Speed.SLOWER),
        (Estimate(0.98, 0.97, 0.99), Speed.FASTER),
        (Estimate(1.02, 1.01, 1.03), Speed.SLOWER),
        (Estimate(0.985, 0.98, 0.99), Speed.NO_DIFFERENCE),
        (Estimate(1.015, 1.01, 1.02), Speed.NO_DIFFERENCE),
        (Estimate(0.9, 0.8, 1.0), Speed.NO_DIFFERENCE),
        (Estimate(1.2, 1.0, 1.4), Speed.NO_DIFFERENCE),
        (Estimate(1.0, 1.0, 1.0), Speed.NO_DIFFERENCE),
    ],
)
def test_a_difference_is_sure_and_at_least_two_percent(ratio: Estimate, verdict: Speed) -> None:
    assert speed(ratio) is verdict


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_an_engine_that_takes_twice_as_long_on_every_frame_has_a_ratio_of_exactly_two(p: float) -> None:
    times = noisy(720, 1)
    assert sure(ratio_of(times, 2 * times, p)) == Estimate(2, 2, 2)
    assert sure(ratio_of(times, times, p)) == Estimate(1, 1, 1)


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_the_same_times_always_give_the_same_interval(p: float) -> None:
    one, two = noisy(720, 1), noisy(720, 2)
    assert ratio_of(one, two, p) == ratio_of(one.copy(), two.copy(), p)
    assert ratio_unpaired(one, two, p, (12, 12)) == ratio_unpaired(one.copy(), two.copy(), p, (12, 12))
    assert quantile_of(one, p, BLOCK) == quantile_of(one.copy(), p, BLOCK)


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_exchanging_the_two_turns_ratio_and_interval_upside_down(p: float) -> None:
    one, two = noisy(720, 1), noisy(720, 2, 15_000)
    there, back = sure(ratio_of(one, two, p)), sure(ratio_of(two, one, p))
    assert (1 / back.value, 1 / back.high, 1 / back.low) == pytest.approx((there.value, there.low, there.high))


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_the_unit_of_time_makes_no_difference(p: float) -> None:
    one, two = noisy(720, 1), noisy(720, 2)
    ours, theirs = sure(ratio_of(one, two, p)), sure(ratio_of(7 * one, 7 * two, p))
    assert (theirs.value, theirs.low, theirs.high) == pytest.approx((ours.value, ours.low, ours.high))


def test_what_the_machine_does_to_both_in_a_round_does_not_show() -> None:
    one, two = noisy(720, 1), noisy(720, 2)
    slowness = np.repeat(np.random.default_rng(3).choice([10, 14, 28], 24), 30)
    quiet, shaken = ratio_of(one, two, 0.95), ratio_of(slowness * one, slowness * two, 0.95)
    assert sure(shaken) == sure(quiet)


def test_a_machine_with_two_speeds_does_not_make_the_median_jump() -> None:
    # The baseline met the fast machine in 13 rounds of 24, the other in 11: the medians of all differ by a third.
    fast = np.array([True] * 11 + [True] * 2 + [False] * 11)
    one = noisy(720, 1) * np.repeat(np.where(fast, 14, 19), 30)
    fast[11:13] = False
    two = noisy(720, 2) * np.repeat(np.where(fast, 14, 19), 30)
    assert np.median(two) / np.median(one) > 1.25
    ratio = sure(ratio_of(one, two, 0.5))
    assert ratio.value == pytest.approx(1, abs=0.01)
    assert speed(ratio) is Speed.NO_DIFFERENCE


def test_stalls_in_every_third_round_are_in_the_tail_and_not_in_the_median() -> None:
    one, two = noisy(720, 1), noisy(720, 2)
    for first in range(0, 720, 90):
        two[first : first + 8] *= 3
    assert speed(sure(ratio_of(one, two, 0.5))) is Speed.NO_DIFFERENCE
    tail = sure(ratio_of(one, two, 0.95))
    assert speed(tail) is Speed.SLOWER
    assert tail.value == pytest.approx(3, rel=0.15)


def test_rounds_of_other_lengths_are_compared_by_their_medians() -> None:
    # At 5 and at 60 frames a second, in rounds of two seconds.
    slow = [noisy(10, seed, 15_000) for seed in range(12)]
    quick = [noisy(120, seed + 50, 10_000) for seed in range(12)]
    ratio = sure(ratio_by_rounds(slow, quick, 0.5))
    assert ratio.value == pytest.approx(2 / 3, rel=0.02)
    medians = [np.sort(two)[59] / np.sort(one)[4] for one, two in zip(slow, quick, strict=True)]
    middle = np.sort(medians)[5:7]
    assert ratio.value == pytest.approx(np.sqrt(middle[0] * middle[1]))


def test_dropped_frames_have_no_time_and_count_for_neither() -> None:
    one, two = noisy(720, 1), noisy(720, 1) * 2
    one[::7] = -1
    two[3::11] = -1
    ratio = sure(ratio_of(one, two, 0.5))
    assert ratio.value == pytest.approx(2, rel=0.005)
    kept = [one[first : first + 30][one[first : first + 30] >= 0] for first in range(0, 720, 30)]
    others = [two[first : first + 30][two[first : first + 30] >= 0] for first in range(0, 720, 30)]
    assert ratio == ratio_by_rounds(kept, others, 0.5)


def test_a_round_in_which_one_detected_nothing_is_left_out() -> None:
    one, two = noisy(720, 1), noisy(720, 2)
    two[60:90] = -1
    without = np.r_[0:60, 90:720]
    assert ratio_of(one, two, 0.95) == ratio_of(one[without], two[without], 0.95)
    assert ratio_of(one, np.full(720, -1, np.int64), 0.5) is None


def test_a_ratio_is_withheld_when_there_are_too_few_rounds() -> None:
    enough = ROUNDS_NEEDED * 30
    assert ratio_of(noisy(enough - 30, 1), noisy(enough - 30, 2), 0.5) is None
    assert ratio_of(noisy(enough, 1), noisy(enough, 2), 0.5) is not None


def test_a_percentile_is_withheld_when_there_are_too_few_frames() -> None:
    assert quantile_of(noisy(10, 1), 0.5, BLOCK) is None
    assert quantile_of(noisy(11, 1), 0.5, BLOCK) is not None
    # A p95 needs 130 frames, of each.
    assert quantile_of(noisy(129, 1), 0.95, BLOCK) is None
    assert ratio_of(noisy(129, 1), noisy(129, 2), 0.95, 10) is None
    assert ratio_of(noisy(130, 1), noisy(130, 2), 0.95, 10) is not None
    one_dropped = noisy(130, 2)
    one_dropped[50] = -1
    assert ratio_of(noisy(130, 1), one_dropped, 0.95, 10) is None
    assert ratio_unpaired(noisy(129, 1), noisy(900, 2), 0.95, (2, 2)) is None
    assert ratio_of(np.zeros(0, np.int64), np.zeros(0, np.int64), 0.5) is None


def test_rounds_that_only_one_has_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio_by_rounds([noisy(30, 1)] * 9, [noisy(30, 1)] * 8, 0.5)


def test_times_below_a_microsecond_can_be_compared() -> None:
    nothing = np.zeros(720, np.int64)
    assert sure(ratio_of(nothing, nothing + 3, 0.95)) == Estimate(3, 3, 3)
    assert sure(ratio_unpaired(nothing, nothing + 3, 0.95, (10, 10))) == Estimate(3, 3, 3)


@given(st.lists(st.integers(-1, 300), min_size=11, max_size=300), st.sampled_from([0.5, 0.95]))
def test_an_engines_own_percentile_is_the_nearest_rank_of_its_detected_frames(times: list[int], p: float) -> None:
    estimate = quantile_of(np.array(times, np.int64), p, BLOCK)
    detected = sorted(max(time, 1) for time in times if time >= 0)
    if estimate is not None:
        assert estimate.value == detected[nearest_rank(len(detected), p) - 1]
        assert estimate.low <= estimate.value <= estimate.high
    else:
        assert len(detected) < (11 if p == 0.5 else 130)


def test_seconds_that_differ_widen_the_interval_of_an_engines_own_median() -> None:
    steady = noisy(720, 1)
    restless = steady * np.repeat(np.random.default_rng(2).choice([14, 19], 24), 30) // 14
    narrow, wide = sure(quantile_of(steady, 0.5, BLOCK)), sure(quantile_of(restless, 0.5, BLOCK))
    assert narrow.high - narrow.low < 300
    assert wide.high - wide.low > 3_000


def test_the_interval_of_a_median_holds_the_true_one_in_99_of_100_runs() -> None:
    held = 0
    for seed in range(60):
        estimate = sure(quantile_of(noisy(240, seed), 0.5, BLOCK))
        held += estimate.low <= 14_000 <= estimate.high
    assert held >= 58


def test_runs_that_are_no_pairs_are_drawn_each_by_itself() -> None:
    one = noisy(1_800, 1)
    assert sure(ratio_unpaired(one, 2 * np.tile(one, 3), 0.5, (30, 30))).value == 2
    # Two copies of the same run are drawn independently: their ratio is 1, with an interval.
    copies = sure(ratio_unpaired(one, one, 0.5, (30, 30)))
    assert copies.low < 1 == copies.value < copies.high
    assert speed(sure(ratio_unpaired(one, noisy(3_600, 2, 28_000), 0.5, (30, 30)))) is Speed.SLOWER


def test_runs_that_were_not_interleaved_must_last_a_minute() -> None:
    minute = SECONDS_NEEDED * 30
    assert ratio_unpaired(noisy(minute - 1, 1), noisy(minute, 2), 0.5, (30, 30)) is None
    assert ratio_unpaired(noisy(minute, 1), noisy(minute, 2), 0.5, (30, 31)) is None
    # A dropped frame has been due all the same.
    dropped = noisy(minute, 2)
    dropped[::2] = -1
    assert ratio_unpaired(noisy(minute, 1), dropped, 0.5, (30, 30)) is not None


@pytest.mark.slow
def test_the_same_engine_in_two_runs_on_a_restless_machine_is_no_difference() -> None:
    random = np.random.default_rng(5)

    def run() -> Values:
        return result_latencies(service_times(random, (1.0,), 70)[0]).ravel()

    found = {speed(sure(ratio_unpaired(run(), run(), 0.5, (30, 30)))) for _ in range(8)}
    assert found == {Speed.NO_DIFFERENCE}


@pytest.mark.parametrize("service_us", [(5_000, 12_000), (10_000, 70_000), (40_000, 90_000)])
def test_the_simulated_queue_is_the_pipelines_frame_by_frame(service_us: tuple[int, int]) -> None:
    rounds = 5
    service = np.random.default_rng(4).integers(*service_us, (rounds, ROUND_FRAMES))
    expected = result_latencies(service)
    # The rig gets the time of each inference, in turn: those of the frames that are served.
    served = service[expected >= 0]
    rig = Rig(
        fps=Fraction(30),
        frames=rounds * ROUND_FRAMES,
        services_s=tuple(us / 1_000_000 for us in served.tolist()),
        round_frames=ROUND_FRAMES,
        held_s=2,
    ).run()
    found = [-1 if record.result_latency is None else record.result_latency for record in rig.records]
    assert found == expected.ravel().tolist()
    assert (expected < 0).any() == (service_us[1] > 33_333)


def verdicts(effect: float, runs: int, engines: int = 2) -> list[Speed]:
    """On the simulated machine of benchmarks/power.py, 24 rounds each."""
    random = np.random.default_rng(12)
    simulated = (compared(random, engines, effect, 24) for _ in range(runs))
    return [speed(reported(ratio_by_rounds(list(one), list(other), 0.5))) for one, other in simulated]


@pytest.mark.parametrize("engines", [2, 6])
def test_the_same_engine_twice_is_no_difference(engines: int) -> None:
    assert verdicts(1, 20, engines).count(Speed.NO_DIFFERENCE) >= 19


@pytest.mark.parametrize(("effect", "found"), [(0.9, Speed.FASTER), (1.05, Speed.SLOWER), (1.1, Speed.SLOWER)])
def test_a_difference_of_five_percent_and_more_is_found_in_24_rounds_on_a_restless_machine(
    effect: float, found: Speed
) -> None:
    assert verdicts(effect, 20).count(found) >= 18


def test_two_processes_of_one_engine_differ_by_themselves() -> None:
    """The squares of both spreads add; what is surer than processes are alike becomes no surer than that."""
    sure_of_it, unsure = between_processes(Estimate(0.98, 0.98, 0.98)), between_processes(Estimate(2, 1.8, 2.3))
    alike = QUANTILE * math.sqrt(2) * PROCESS_SPREAD
    assert (sure_of_it.low, sure_of_it.high) == pytest.approx((0.98 * math.exp(-alike), 0.98 * math.exp(alike)))
    assert speed(sure_of_it) is Speed.NO_DIFFERENCE
    assert math.log(unsure.high / 2) ** 2 == pytest.approx(math.log(1.15) ** 2 + alike**2)
    assert math.log(2 / unsure.low) ** 2 == pytest.approx(math.log(2 / 1.8) ** 2 + alike**2)
    assert unsure.value == 2
