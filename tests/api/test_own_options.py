"""``bench``, ``parity`` and ``verify`` have the options of their commands, with the same defaults, and no others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import click
import pytest

import streamer
from streamer.cli.bench import command as bench_command
from streamer.cli.parity import command as parity_command
from streamer.cli.verify import command as verify_command

OF_THE_TERMINAL = {"json", "quiet"}
OF_THE_LIBRARY = {"observer", "options"}
PAIRS = [(streamer.bench, bench_command), (streamer.parity, parity_command), (streamer.verify, verify_command)]
of_each = pytest.mark.parametrize(
    ("function", "command"), PAIRS, ids=lambda one: one.name if hasattr(one, "name") else ""
)


def own(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function's signature names, with the defaults."""
    parameters = inspect.signature(function).parameters
    return {name: one.default for name, one in parameters.items() if name not in OF_THE_LIBRARY}


def typed(function: Callable[..., Any]) -> list[str]:
    """The other options that it takes."""
    options = get_type_hints(function, include_extras=True).get("options")
    return list(get_type_hints(get_args(options)[0])) if options is not None else []


def taken(command: click.Command) -> dict[str, click.Parameter]:
    """What a command takes, by the name that a function has for it."""
    found = {}
    for one in command.params:
        name = one.opts[0].removeprefix("--").replace("-", "_") if isinstance(one, click.Option) else one.name
        found[str(name)] = one
    return found


@of_each
def test_the_options_are_those_of_the_command(function: Callable[..., Any], command: click.Command) -> None:
    assert sorted([*own(function), *typed(function)]) == sorted(taken(command).keys() - OF_THE_TERMINAL)


@of_each
def test_a_default_of_its_own_is_that_of_the_command(function: Callable[..., Any], command: click.Command) -> None:
    required = [] if function is streamer.bench else ["there"]
    values = command.make_context(command.name, required).params
    for name, default in own(function).items():
        if default is not inspect.Parameter.empty:
            assert values[str(taken(command)[name].name)] == default, name
