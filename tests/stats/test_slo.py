"""Objectives: read, refused at the place where they are wrong, and scored."""

from __future__ import annotations

import pytest

from streamer.errors import UsageError
from streamer.stats.distribution import Distribution
from streamer.stats.slo import check, parse_slo
from streamer.stats.summary import FIGURES, statistics

FRAMES = {
    "scheduled": 1000, "delivered": 970, "dropped": 30, "late": 5, "missed": 35, "abandoned": 0,
    "decode_error": 0, "source_error": 0, "engine_error": 0, "sink_error": 0,
}  # fmt: skip


def scored(text: str, n: int = 1000) -> list[tuple[bool, float | None]]:
    """What an SLO comes to where each figure has the values 1 to n milliseconds."""
    values = Distribution()
    for ms in range(1, n + 1):
        values.add(ms * 1000)
    figures = {name: statistics(values) for name in FIGURES}
    return [(one.met, one.value) for one in check(parse_slo(text), figures, FRAMES)]


@pytest.mark.parametrize(
    ("text", "met", "value"),
    [
        ("latency.p99<991ms", True, 990),
        ("latency.p99<990ms", False, 990),
        ("latency.p99<=990ms", True, 990),
        ("age.p50 < 0.5s", False, 500),
        ("age.p50<=500000us", True, 500),
        ("service.mean>500ms", True, 500.5),
        ("infer.max>=1s", True, 1000),
        ("drops<3.1%", True, 3.0),
        ("drops<30", False, 30),
        ("missed<=35", True, 35),
        ("delivered>=97%", True, 97),
    ],
)
def test_an_objective_is_scored_by_the_summarys_figures(text: str, met: bool, value: float) -> None:
    assert scored(text) == [(met, value)]


def test_several_objectives_are_scored_each() -> None:
    assert [met for met, _ in scored("latency.p99<33ms, drops<5%,age.p50<1s")] == [False, True, True]


@pytest.mark.parametrize("text", ["latency.p99.9<2s", "latency.p99.9>1ms"])
def test_a_percentile_that_is_withheld_misses_the_objective_either_way(text: str) -> None:
    assert scored(text) == [(False, None)]
    values = Distribution()
    figures = {name: statistics(values) for name in FIGURES}
    (one,) = check(parse_slo(text), figures, FRAMES)
    assert one.why == "latency.p99.9 needs 6,636 frames, has 0"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("latency.p99<33xs", "at character 15, 'xs'"),
        ("latency.p98<33ms", "at character 9, 'p98<33ms'"),
        ("latency<33ms", "at character 8, '<33ms'"),
        ("drops<1%,drops.p99<1", "at character 16, 'p99<1'"),
        ("drops<1%,foo<1", "at character 10, 'foo<1'"),
        ("drops<1ms", "at character 8, 'ms'"),
        ("latency.p99", "at its end"),
        ("latency.p99<", "at its end"),
        ("", "at its end"),
        ("drops<1%,,age.p50<1s", "at character 10, ',age.p50<1s'"),
        ("latency.p99<33ms;drops<1", "at character 17, ';drops<1'"),
        ("age.p99<abc", "at character 9, 'abc'"),
    ],
)
def test_what_does_not_parse_is_pointed_at(text: str, place: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_slo(text)
    assert place in str(refused.value)
