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
"""The options of a function alone: on the command line a run that is cut into segments is a soak."""
SOURCES = {"source", "sources", "more", "image", "run_dir"}
"""The source or the run, which is an argument of both."""


def command_of(name: str) -> click.Command:
    """The command of a function."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return command


def own(name: str) -> dict[str, Any]:
    """The options in a function's signature, with their defaults."""
    parameters = inspect.signature(getattr(streamer, name)).parameters
    return {name: one.default for name, one in parameters.items() if name not in OF_THE_LIBRARY | SOURCES}


def typed(function: Callable[..., Any]) -> list[str]:
    """The other options of a function, from its typed dictionary."""
    options = get_type_hints(function, include_extras=True).get("options")
    return list(get_type_hints(get_args(options)[0])) if options is not None else []


def parameters_of(command: click.Command) -> dict[str, click.Parameter]:
    """The parameters of a command, by their names in the function."""
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
    assert sorted(options) == sorted([*parameters_of(command_of(name)), *MORE.get(name, [])])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_default_of_its_own_is_that_of_the_command(name: str) -> None:
    flags = {flag: parameter.opts[0] for flag, parameter in parameters_of(command_of(name)).items()}
    defaults = {option: default for option, default in own(name).items() if default not in (None, False)}
    words = [word for option, default in defaults.items() for word in (flags[option], str(default))]
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
