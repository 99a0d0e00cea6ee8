"""The sentence of plain answer says what was asked, what was got, and what was lost."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streamer.run.answer import plain_answer
from streamer.stats.distribution import Distribution
from streamer.stats.summary import Statistics, statistics

OUTCOMES = ("dropped", "decode_error", "source_error", "engine_error", "sink_error", "abandoned")


def answer(
    latencies_ms: list[float], *, rate: Fraction | None = Fraction(25), duration_s: float, **frames: int
) -> str:
    values = Distribution()
    for ms in latencies_ms:
        values.add(round(ms * 1000))
    figures: dict[str, Statistics] = {"latency": statistics(values)}
    counts = {**dict.fromkeys(OUTCOMES, 0), "late": 0, "delivered": len(latencies_ms), **frames}
    counts["scheduled"] = counts["delivered"] + sum(counts[name] for name in OUTCOMES)
    return plain_answer(counts, figures, rates=[] if rate is None else [rate], duration_s=duration_s)


def test_a_pace_that_is_sustained() -> None:
    assert answer([10.0] * 200, duration_s=8) == "Sustains 25 fps: p95 10.0 ms (at most 10.0), nothing dropped."


def test_late_frames_are_told_even_where_none_is_lost() -> None:
    assert answer([10.0] * 200, duration_s=8, late=5).endswith("nothing dropped, 5 late (2.5%).")


def test_an_engine_that_falls_behind_does_not_sustain_the_pace_though_nothing_is_lost() -> None:
    said = answer([900.0] * 200, duration_s=12.2, late=198)
    assert said.startswith("Does not sustain 25 fps: delivers 16.4 a second")
    assert "198 late (99.0%)" in said


def test_losses_are_counted_with_their_share() -> None:
    said = answer([10.0] * 150, duration_s=8, dropped=48, abandoned=2)
    assert said.startswith("Does not sustain 25 fps: delivers 18.8 a second")
    assert said.endswith("48 of 200 dropped (24.0%), 2 of 200 abandoned (1.0%).")


def test_a_closed_loop_says_that_it_is_one() -> None:
    assert answer([10.0] * 200, rate=None, duration_s=2).startswith("Closed loop, so not what a camera sees: 100.0")


@pytest.mark.parametrize("delivered", [1, 10])
def test_too_few_frames_are_no_percentile(delivered: int) -> None:
    assert f"{delivered} frames are too few for a percentile" in answer([10.0] * delivered, duration_s=1)


def test_nothing_delivered() -> None:
    assert answer([], duration_s=1, dropped=3) == "Nothing was delivered: 3 of 3 dropped (100.0%)."
