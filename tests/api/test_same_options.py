"""Each function has the options of its command, with the same defaults, and no others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args, get_type_hints

import click
import pytest

from streamer.api.compare import compare
from streamer.api.pace import pace
from streamer.api.replay import replay
from streamer.api.studying import replay_settings
from streamer.cli.compare import command as compare_command
from streamer.cli.options import given_settings
from streamer.cli.pace import command as pace_command
from streamer.cli.replay import command as replay_command
from streamer.settings.keywords import CompareOptions, PaceOptions
from streamer.settings.settings import Settings

OF_THE_TERMINAL = {"json", "quiet"}
"""Options for what is printed, which a function has no use for."""
OF_THE_LIBRARY = {"observer"}


@dataclass(frozen=True)
class Twins:
    """A function and its command; ``settings`` are those of a replay that the function has without any option.

    ``more`` are options that the function alone has.
    """

    function: Callable[..., Any]
    command: click.Command
    settings: Callable[[], Settings]
    more: tuple[str, ...] = ()


TWINS = [
    # On the command line a run that is cut into pieces is a soak.
    Twins(replay, replay_command, Settings, more=("keep", "segment")),
    Twins(compare, compare_command, lambda: replay_settings({}, CompareOptions, ())),
    Twins(pace, pace_command, lambda: replay_settings({}, PaceOptions, ())),
]
of_each = pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins.function.__name__)


def own(function: Callable[..., Any]) -> dict[str, Any]:
    """The options of a function's signature that are of its own, with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    named = {one.name: one.default for one in parameters if one.kind is one.KEYWORD_ONLY}
    return {name: default for name, default in named.items() if name not in OF_THE_LIBRARY}


def all_of(function: Callable[..., Any]) -> list[str]:
    """The names of all its options; one that is there twice comes twice."""
    (typed,) = get_args(get_type_hints(function, include_extras=True)["options"])
    return sorted([*own(function), *get_type_hints(typed)])


def flags(command: click.Command) -> dict[str, str]:
    """The flag of each option of a command, by the name that a function has for it."""
    found = [option.opts[0] for option in command.params if isinstance(option, click.Option)]
    return {flag.removeprefix("--").replace("-", "_"): flag for flag in found}


def given(command: click.Command, *arguments: str) -> dict[str, Any]:
    """The values of a command's options with these arguments."""
    return command.make_context(command.name, ["a.mp4", *arguments]).params


@of_each
def test_the_options_are_those_of_the_command(twins: Twins) -> None:
    assert all_of(twins.function) == sorted([*flags(twins.command).keys() - OF_THE_TERMINAL, *twins.more])


@of_each
def test_a_default_of_its_own_is_that_of_the_command(twins: Twins) -> None:
    told = {name: default for name, default in own(twins.function).items() if default is not None}
    typed = [part for name, default in told.items() for part in (flags(twins.command)[name], str(default))]
    assert given(twins.command, *typed) == given(twins.command)


@of_each
def test_the_defaults_of_the_replay_are_those_of_the_command(twins: Twins) -> None:
    options = given(twins.command)
    of_the_study: dict[str, Any] = {"duration_s": None} if "duration" in own(twins.function) else {}
    assert twins.settings() == replace(given_settings(options), **of_the_study)
