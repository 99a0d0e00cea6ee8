"""Each function has the options of its command, with the same defaults, and no others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args, get_type_hints

import click
import pytest

import streamer
from streamer.cli.main import group
from streamer.cli.options import given_settings
from streamer.settings.given import given_settings as given_to_function
from streamer.settings.keywords import CompareOptions, PaceOptions
from streamer.settings.settings import Settings
from streamer.settings.video import Video

FUNCTIONS = list(streamer.aio.__all__)
OF_THE_TERMINAL = {"json", "quiet"}
"""Options for what is printed, which a function has no use for."""
OF_THE_LIBRARY = {"observer", "options", "settings"}
MORE = {"replay": ["keep", "segment"]}
"""What a function alone has: on the command line a run that is cut into pieces is a soak."""
SOURCES = {"source", "sources", "more", "image", "run_dir"}
"""What they are about, which is an argument of either."""


def command_of(name: str) -> click.Command:
    """The command of a function."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def own(name: str) -> dict[str, Any]:
    """What a function's signature names, with the defaults."""
    parameters = inspect.signature(getattr(streamer, name)).parameters
    return {name: one.default for name, one in parameters.items() if name not in OF_THE_LIBRARY | SOURCES}


def typed(function: Callable[..., Any]) -> list[str]:
    """The other options that it takes."""
    options = get_type_hints(function, include_extras=True).get("options")
    return list(get_type_hints(get_args(options)[0])) if options is not None else []


def taken(command: click.Command) -> dict[str, click.Parameter]:
    """What a command takes, by the name that a function has for it."""
    found = {}
    for one in command.params:
        name = one.opts[0].removeprefix("--").replace("-", "_") if isinstance(one, click.Option) else str(one.name)
        if name not in OF_THE_TERMINAL | SOURCES:
            found[name] = one
    return found


def given(name: str, *arguments: str) -> dict[str, Any]:
    """The values of a command's options with these arguments."""
    there = [] if name == "bench" else ["there"]
    return command_of(name).make_context(name, [*there, *arguments]).params


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_options_are_those_of_the_command(name: str) -> None:
    options = [*own(name), *typed(getattr(streamer, name))]
    assert sorted(options) == sorted([*taken(command_of(name)), *MORE.get(name, [])])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_default_of_its_own_is_that_of_the_command(name: str) -> None:
    flags = {flag: parameter.opts[0] for flag, parameter in taken(command_of(name)).items()}
    said = {option: default for option, default in own(name).items() if default not in (None, False)}
    words = [word for option, default in said.items() for word in (flags[option], str(default))]
    assert given(name, *words) == given(name)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("replay", Settings()),
        ("compare", given_to_function({"video": Video.NONE}, CompareOptions, ())),
        ("pace", given_to_function({"video": Video.NONE}, PaceOptions, ())),
    ],
)
def test_the_defaults_of_the_replay_are_those_of_the_command(name: str, settings: Settings) -> None:
    of_the_study: dict[str, Any] = {"duration_s": None} if name == "pace" else {}
    assert settings == replace(given_settings(given(name)), **of_the_study)
