"""What a replay may be asked to do, and the words in which it is refused."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from typing import Any

import pytest

from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.settings import OPTIONS, Settings
from streamer.units import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h", 3600), ("0.5s", 0.5), ("250ms", 0.25), ("7", 7)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "0s", "-1s", "1d", "1h30m", "s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="give one as in 90s, 10m or 1h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        ({"queue": -1}, "--queue -1"),
        ({"warmup": -1}, "--warmup -1"),
        ({"frames": 0}, "--frames 0"),
        ({"confidence": 0.0}, "--conf 0"),
        ({"iou": 1.5}, "--iou 1.5"),
        ({"deadline_ms": 0.0}, "--deadline 0"),
        ({"deadline_ms": float("nan")}, "--deadline nan"),
        ({"duration_s": float("inf")}, "--duration inf"),
        ({"fps": 0}, "--fps 0"),
        ({"fps": Fraction(-1)}, "--fps -1"),
        ({"fps": "max", "policy": Policy.DROP_OLDEST}, "--policy drop-oldest"),
    ],
)
def test_what_makes_no_sense_is_refused_under_the_options_own_name(wrong: dict[str, Any], option: str) -> None:
    with pytest.raises(UsageError) as refused:
        Settings(**wrong)
    assert str(refused.value).startswith(option)


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_an_options_row_says_its_default_as_it_is_typed(name: str) -> None:
    row, default = OPTIONS[name], getattr(Settings(), name)
    assert row.default == default
    if row.read is not None and default is not None:
        assert row.read(row.default_text or str(default)) == default


def test_the_policy_follows_the_pace_unless_it_is_given() -> None:
    assert Settings().policy_in_force is Policy.DROP_OLDEST
    assert Settings(fps="max").policy_in_force is Policy.WAIT
    assert Settings(policy=Policy.WAIT).policy_in_force is Policy.WAIT
