"""A run falls behind where its backlog grows to the end; a hiccup, a constant delay and a busy engine are none."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from fractions import Fraction

import pytest

from streamer.ledger.record import FrameRecord, Outcome
from streamer.stats.backlog import SLICES, Backlog

PERIOD_US = 33_333
RATE = Fraction(1_000_000, PERIOD_US)


def backlog(
    latencies_us: Iterable[int | None],
    *,
    stream: int = 0,
    into: Backlog | None = None,
    period_us: int = PERIOD_US,
    first: int = 0,
) -> Backlog:
    """Of frames that took so long, None: that were dropped."""
    watched = into or Backlog()
    for number, latency in enumerate(latencies_us, first):
        due = number * period_us
        outcome = Outcome.DROPPED if latency is None else Outcome.DELIVERED
        written = None if latency is None else due + latency
        watched.closed(FrameRecord(stream, number, 0, due, written=written, outcome=outcome))
    return watched


def served(services_us: Sequence[int]) -> list[int]:
    """The latencies of frames that an engine serves one by one."""
    latencies, free = [], 0
    for number, service in enumerate(services_us):
        due = number * PERIOD_US
        free = max(due, free) + service
        latencies.append(free - due)
    return latencies


def uneven(mean_us: float, spread: float, frames: int, seed: int = 1) -> list[int]:
    chance = random.Random(seed)
    return [max(100, round(chance.gauss(mean_us, spread * mean_us))) for _ in range(frames)]


def behind(services_us: Sequence[int]) -> int | None:
    return backlog(served(services_us)).behind_us([RATE])


def test_a_round_of_which_no_frame_has_closed_has_no_backlog() -> None:
    rounds = [(0, 0)]
    watched = backlog(served([40_000] * 60), into=Backlog(rounds))
    assert watched.behind_us([RATE]) is not None
    rounds.append((60, 60 * PERIOD_US))
    assert watched.behind_us([RATE]) is None


@pytest.mark.parametrize("frames", [60, 300, 5_000])
def test_a_backlog_that_grows_is_found_in_short_runs_and_long_ones(frames: int) -> None:
    found = behind([34_305] * frames)
    assert found is not None
    assert found == pytest.approx((34_305 - PERIOD_US) * frames, rel=0.08)


def test_a_backlog_that_grows_by_one_in_three_hundred_is_found() -> None:
    assert behind([33_433] * 5_000) is not None


def test_a_backlog_that_grows_unevenly_is_found() -> None:
    assert behind(uneven(34_305, 0.2, 5_000)) is not None


def test_an_engine_that_gets_slower_half_way_falls_behind() -> None:
    assert behind([20_000] * 2_000 + [35_000] * 2_000) is not None


@pytest.mark.parametrize("frames", [4, 6, 12])
def test_an_engine_of_a_third_of_the_rate_falls_behind_from_the_first_frames_on(frames: int) -> None:
    assert behind([3 * PERIOD_US] * frames) is not None


@pytest.mark.parametrize("seed", range(20))
def test_an_engine_that_is_busy_but_fast_enough_keeps_up(seed: int) -> None:
    assert behind(uneven(0.97 * PERIOD_US, 0.1, 1_500, seed)) is None


@pytest.mark.parametrize("at", [10, 300, 450, 560, 590, 598])
def test_a_hiccup_whose_frames_are_caught_up_with_is_no_backlog(at: int) -> None:
    services = [25_000] * 600
    services[at] = 600_000
    assert behind(services) is None


def test_a_constant_delay_is_no_backlog() -> None:
    assert backlog([2_000_000] * 500).behind_us([RATE]) is None


def test_an_engine_that_has_once_fallen_behind_and_keeps_up_since_does_not_sustain_the_pace() -> None:
    assert behind([60_000] * 200 + [PERIOD_US - 5] * 200) is not None


def test_of_many_streams_the_one_that_falls_behind_is_found() -> None:
    watched = backlog([10_000] * 300)
    assert watched.behind_us([RATE, RATE]) is None
    backlog(served([40_000] * 300), stream=1, into=watched)
    assert watched.behind_us([RATE, RATE]) == pytest.approx(300 * 6_667, rel=0.08)


def test_each_stream_has_a_frame_period_of_its_own() -> None:
    growing = [10_000 + 100 * number for number in range(400)]
    assert backlog(growing).behind_us([Fraction(100)]) is not None
    assert backlog(growing).behind_us([Fraction(20)]) is None


def test_of_a_run_in_rounds_the_last_is_looked_at() -> None:
    rounds = [(0, 0)]
    watched = backlog(served([40_000] * 100), into=Backlog(rounds))
    assert watched.behind_us([RATE]) is not None
    rounds.append((100, 0))
    backlog([20_000] * 100, into=watched, first=100)
    assert watched.behind_us([RATE]) is None
    rounds.append((200, 0))
    backlog(served([40_000] * 100), into=watched, first=200)
    assert watched.behind_us([RATE]) is not None


def test_dropped_frames_have_no_latency_that_could_grow() -> None:
    assert backlog([20_000, None] * 200).behind_us([RATE]) is None
    assert backlog([None] * 200).behind_us([RATE]) is None


def test_memory_does_not_grow_with_the_run() -> None:
    watched = backlog([20_000] * 20_000)
    (slices,) = watched._streams.values()
    assert len(slices._least) <= SLICES
