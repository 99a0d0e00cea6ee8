"""The options of a replay, and the words in which they are refused."""

from __future__ import annotations

from dataclasses import fields, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from streamer.detection.input_spec import Fit
from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.settings.keywords import ReplayOptions
from streamer.settings.library_words import SWITCHES, library_words
from streamer.settings.settings import OPTIONS, Settings
from streamer.settings.video import Video
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


WRONG = [
    ({"queue": -1}, "queue -1: give 0 or more"),
    ({"queue": None}, "queue NoneType: give a whole number, 0 or more"),
    ({"warmup": -1}, "warmup -1"),
    ({"frames": 0}, "frames 0"),
    ({"frames": "many"}, "frames many: give a whole number, 1 or more"),
    ({"frames": 2.5}, "frames 2.5: give a whole number, 1 or more"),
    ({"frames": True}, "frames True: give a whole number, 1 or more"),
    ({"conf": 0.0}, "conf 0"),
    ({"iou": 1.5}, "iou 1.5"),
    ({"deadline": 0.0}, "deadline 0"),
    ({"deadline": float("nan")}, "deadline nan"),
    ({"duration": float("inf")}, "duration: 'inf' is not a duration"),
    ({"duration": "soon"}, "duration: 'soon' is not a duration: give one as in 90s, 10m or 1h"),
    ({"keep": "much"}, "keep: 'much' is not a size"),
    ({"fps": 0}, "fps 0"),
    ({"fps": Fraction(-1)}, "fps -1"),
    ({"fps": "fast"}, "fps fast: give 'source', 'max' or frames per second"),
    ({"load": "c"}, "load c: give cpu, mem, io, nice"),
    ({"load": 5}, "load 5: give a text, or several"),
    ({"load": (5,)}, "load tuple: give a text, or several"),
    ({"engine": 5}, "engine 5: give a text, as in engine SPEC"),
    ({"out": ""}, "out is empty: give a path"),
    ({"loop": "yes"}, "loop yes: give True or False"),
    ({"video": "some"}, "video some: give 'delivered', 'all', 'none'"),
    ({"fps": "max", "policy": Policy.DROP_OLDEST}, "policy drop-oldest: with fps max nothing is due"),
    ({"fps": "max", "max_age": 5}, "max_age: with fps max nothing is due"),
    ({"reconnect": False, "give_up": 9}, "give_up with reconnect=False: a source that is lost"),
    ({"out": ""}, "out is empty: give a path"),
    ({"slo": "latency<"}, "slo latency<"),
    ({"fsp": 30}, "no option is called fsp: did you mean fps?"),
]
"""Options that make no sense, and the errors."""


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_what_makes_no_sense_is_refused_by_the_name_that_it_was_given_by(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        Settings(**wrong)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"out": "runs/x"}, "out", Path("runs/x")),
        ({"out": Path("runs/x")}, "out", Path("runs/x")),
        ({"model": Path("mine.onnx")}, "model", "mine.onnx"),
        ({"load": "cpu=1"}, "load", ("cpu=1",)),
        ({"load": ["cpu=1", "io=1M/s"]}, "load", ("cpu=1", "io=1M/s")),
        ({"fps": "max"}, "fps", "max"),
        ({"fps": 30}, "fps", Fraction(30)),
        ({"fps": 29.97}, "fps", Fraction(2997, 100)),
        ({"fps": Fraction(30000, 1001)}, "fps", Fraction(30000, 1001)),
        ({"duration": "10m"}, "duration_s", 600.0),
        ({"duration": 90}, "duration_s", 90.0),
        ({"duration": np.float64(1.5)}, "duration_s", 1.5),
        ({"frames": np.int64(5)}, "frames", 5),
        ({"keep": "2G"}, "keep_bytes", 2 * 10**9),
        ({"keep": 1000}, "keep_bytes", 1000),
        ({"policy": "wait"}, "policy", Policy.WAIT),
        ({"video": "none"}, "video", Video.NONE),
        ({"fit": "stretch"}, "fit", Fit.STRETCH),
    ],
)
def test_options_are_given_as_people_type_them(given: dict[str, Any], field: str, value: object) -> None:
    found = getattr(Settings(**given), field)
    assert found == value
    assert type(found) is type(value)


def test_the_names_for_type_checkers_are_those_of_the_rows() -> None:
    assert set(get_type_hints(ReplayOptions)) == {row.keyword for row in OPTIONS.values()}


def test_the_choices_for_type_checkers_are_those_of_the_options() -> None:
    checked = 0
    for name, hint in get_type_hints(ReplayOptions).items():
        kinds = [kind for kind in get_args(hint) if isinstance(kind, type) and issubclass(kind, StrEnum)]
        written = [text for kind in get_args(hint) if get_origin(kind) is Literal for text in get_args(kind)]
        if kinds:
            assert (name, written) == (name, [str(choice) for kind in kinds for choice in kind])
            checked += 1
    assert checked >= 3


def test_the_switches_are_the_options_that_are_on_or_off() -> None:
    assert {row.keyword for row in OPTIONS.values() if isinstance(row.default, bool)} == SWITCHES


@pytest.mark.parametrize(
    ("command_line", "library"),
    [
        ("--load c: give cpu", "load c: give cpu"),
        ("runs/x is not empty: give another directory, or --overwrite", None),
        ("--skip-gaps: leave it out", "skip_gaps=True: leave it out"),
        ("no run.json: make one: streamer verify runs/x--y --repair", None),
        (
            "'streamer models import a.onnx --name NAME', or --model",
            "'streamer models import a.onnx --name NAME', or model",
        ),
    ],
)
def test_an_error_says_options_as_python_has_them_and_commands_as_they_are(
    command_line: str, library: str | None
) -> None:
    assert library_words(command_line) == (library or command_line.replace("--overwrite", "overwrite=True"))


def test_an_old_name_works_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match="the option duration_s is called duration now"):
        assert Settings(**{"duration_s": 5}).duration_s == 5  # type: ignore[arg-type]


def test_settings_are_changed_by_the_same_names() -> None:
    base = Settings(engine="null", duration="1m")
    assert base.changed(fps=5, duration="2m") == Settings(engine="null", duration=120, fps=5)
    with pytest.raises(UsageError, match=r"^queue -1"):
        base.changed(queue=-1)


def test_an_error_of_a_replaced_field_has_the_words_of_the_command_line() -> None:
    with pytest.raises(UsageError, match=r"^--queue -1"):
        replace(Settings(), queue=-1)


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_an_options_row_says_its_default_as_it_is_typed(name: str) -> None:
    row, default = OPTIONS[name], getattr(Settings(), name)
    assert row.default == default
    if row.read is not None and default is not None:
        assert row.read(row.default_text or str(default)) == default


def test_the_policy_follows_the_pace_unless_it_is_given() -> None:
    assert Settings().effective_policy is Policy.DROP_OLDEST
    assert Settings(fps="max").effective_policy is Policy.WAIT
    assert Settings(policy=Policy.WAIT).effective_policy is Policy.WAIT
