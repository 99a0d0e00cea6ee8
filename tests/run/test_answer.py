"""The plain answer has the requested rate, what was achieved, and what was lost."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streamer.run.answer import plain_answer
from streamer.stats.distribution import Distribution
from streamer.stats.summary import Statistics, statistics
from tests.stats.test_backlog import backlog

OUTCOMES = ("dropped", "decode_error", "source_error", "engine_error", "sink_error", "abandoned")


def answer(
    latencies_ms: list[float],
    *,
    rate: Fraction | None = Fraction(25),
    duration_s: float,
    still_us: int = 0,
    **frames: int,
) -> str:
    values = Distribution()
    for ms in latencies_ms:
        values.add(round(ms * 1000))
    figures: dict[str, Statistics] = {"latency": statistics(values)}
    counts = {**dict.fromkeys(OUTCOMES, 0), "late": 0, "delivered": len(latencies_ms), **frames}
    counts["scheduled"] = counts["delivered"] + sum(counts[name] for name in OUTCOMES)
    rates = [] if rate is None else [rate]
    behind_us = backlog([round(ms * 1000) for ms in latencies_ms]).behind_us(rates) if rates else None
    return plain_answer(counts, figures, rates=rates, duration_s=duration_s, behind_us=behind_us, still_us=still_us)


def test_a_pace_that_is_sustained() -> None:
    assert answer([10.0] * 200, duration_s=8) == "Sustains 25 fps: p95 10.0 ms (at most 10.0), nothing dropped."


def test_late_frames_are_reported_even_where_none_is_lost() -> None:
    assert answer([10.0] * 200, duration_s=8, late=5).endswith("nothing dropped, 5 late (2.5%).")


def test_an_engine_that_falls_behind_does_not_sustain_the_pace_though_nothing_is_lost() -> None:
    text = answer([61.0 + 21 * number for number in range(200)], duration_s=12.2, late=200)
    assert text.startswith("Does not sustain 25 fps: delivers 16.4 a second")
    assert "200 late (100.0%), fell behind by 3.9 s" in text


def test_an_engine_of_29_15_a_second_does_not_sustain_30_however_long_it_has_the_time() -> None:
    latencies = [34.3 + 0.97 * number for number in range(900)]
    text = answer(latencies, rate=Fraction(30), duration_s=30.9, late=900)
    assert text.startswith("Does not sustain 30 fps: delivers 29.1 a second")
    assert text.endswith("nothing dropped, 900 late (100.0%), fell behind by 838.1 ms.")


def test_frames_that_are_all_late_by_the_same_time_are_sustained() -> None:
    text = answer([900.0] * 60, duration_s=3.3, late=60)
    assert text == "Sustains 25 fps: p50 900.0 ms (at most 900.0), nothing dropped, 60 late (100.0%)."


def test_what_is_lost_while_the_process_did_not_run_is_not_blamed_on_the_engine() -> None:
    text = answer([10.0] * 151, duration_s=9, dropped=74, still_us=3_000_000)
    assert text.startswith(
        "Not known whether it sustains 25 fps, as it did not run for 3.0 s: delivers 16.8 a second"
    )
    assert text.endswith("74 of 225 dropped (32.9%).")


def test_what_standing_still_does_not_explain_is_blamed_on_the_engine() -> None:
    text = answer([10.0] * 74, duration_s=9, dropped=151, still_us=3_000_000)
    assert text.startswith("Does not sustain 25 fps")


def test_a_backlog_that_standing_still_does_not_explain_is_blamed_on_the_engine() -> None:
    growing = [61.0 + 21 * number for number in range(200)]
    assert answer(growing, duration_s=12.2, late=200, still_us=3_000_000).startswith("Does not sustain 25 fps")
    assert answer(growing, duration_s=12.2, late=200, still_us=4_000_000).startswith("Not known whether it sustains")


def test_a_run_that_stood_still_and_lost_nothing_sustains_its_pace() -> None:
    assert answer([10.0] * 200, duration_s=8, still_us=600_000).startswith("Sustains 25 fps: ")


def test_losses_are_counted_with_their_share() -> None:
    text = answer([10.0] * 150, duration_s=8, dropped=48, abandoned=2)
    assert text.startswith("Does not sustain 25 fps: delivers 18.8 a second")
    assert text.endswith("48 of 200 dropped (24.0%), 2 of 200 abandoned (1.0%).")


def test_a_closed_loop_says_that_it_is_one() -> None:
    assert answer([10.0] * 200, rate=None, duration_s=2).startswith("Closed loop, so not what a camera sees: 100.0")


@pytest.mark.parametrize("delivered", [1, 10])
def test_too_few_frames_are_no_percentile(delivered: int) -> None:
    assert f"{delivered} frames are too few for a percentile" in answer([10.0] * delivered, duration_s=1)


def test_nothing_delivered() -> None:
    assert answer([], duration_s=1, dropped=3) == "Nothing was delivered: 3 of 3 dropped (100.0%)."
