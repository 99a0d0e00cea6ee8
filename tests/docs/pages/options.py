"""docs/reference/options.md, made from the options of all commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from streamer.cli.main import group
from streamer.stats.slo import COMPARISONS, COUNTS, MILLISECONDS, STATISTICS
from streamer.stats.summary import FIGURES
from tests.docs.pages.markdown import MADE, codes, table

HEADING = f"""# Options

The table lists each option of each command, by its name. [The command line](command-line.md) shows the help of each
command. {MADE}

- An option with a word in `UPPER CASE` needs a value. Choices are beside the option, with bars between them.
- In the library an option is a keyword argument: `--max-age` is `max_age` (see [the library](api.md)).

"""
GENERAL = """
`--help` and `-h` of each command show its help. `--debug`, anywhere, shows the traceback of an error. `streamer
--version` shows the version.
"""

OBJECTIVES = """
## Objectives

`--slo` is one or more objectives with commas between them, as in `latency.p99<33ms,drops<1%`. A run meets it when it
meets all of them. `slo_checks` in `run.json` has the figure that was found for each.

"""
WITHHELD = """
An objective of a percentile that is [withheld](../explain/latency.md#percentiles) is missed: give `--until`, or a
longer `--duration`. `preprocess_start` is *due to preprocess*. In a closed loop there is no `age`: an objective for
it is missed.
"""


def commands(of: click.Group = group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands with their full names, also those of groups within groups."""
    context = click.Context(of)
    for name in of.list_commands(context):
        command = of.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def page() -> str:
    """The text of the page."""
    takers: dict[tuple[str, str, str], list[str]] = {}
    for name, command in commands():
        for option in command.params:
            if isinstance(option, click.Option):
                takers.setdefault(_cells(option), []).append(name)
    rows = sorted(takers.items())
    named = ((name, default, text, codes(by)) for (name, default, text), by in rows)
    options = table("option", "default", "meaning", "commands", rows=named)
    return HEADING + options + GENERAL + _objectives() + _arguments()


def _objectives() -> str:
    """What an objective consists of."""
    compared = codes(COMPARISONS)
    rows = (
        (
            f"a figure: {codes(FIGURES)}",
            f"a statistic: {codes(STATISTICS)}",
            compared,
            f"a time with its unit: {codes(MILLISECONDS)}",
        ),
        (f"a number of frames: {codes(COUNTS)}", "none", compared, "a number, or with `%` a share of the scheduled"),
    )
    return OBJECTIVES + table("name", "after a dot", "comparison", "limit", rows=rows) + WITHHELD


def _cells(option: click.Option) -> tuple[str, str, str]:
    """Its name with its value, its default, and its help."""
    text, default = option.help or "", ""
    if found := re.search(r"\s*\[default: (.*)\]$", text):  # of a default that stands for something
        text, default = text[: found.start()], found[1]
    elif option.show_default and not option.multiple and option.default is not None:
        switches = (option.opts[0], option.secondary_opts[0]) if option.secondary_opts else None
        default = (switches[not option.default] if switches else "") if option.is_flag else str(option.default)
    return _name(option), f"`{default}`" if default and " " not in default else default, text


def _name(option: click.Option) -> str:
    flag = "/".join((*option.opts, *option.secondary_opts))
    if option.is_flag:
        return f"`{flag}`"
    if isinstance(option.type, click.Choice):
        return f"`{flag} {'|'.join(map(str, option.type.choices))}`"
    return f"`{flag} {option.metavar or option.type.name.upper()}`"


def _arguments() -> str:
    """The arguments of each command, and what it does."""
    rows = (
        (f"`streamer {' '.join((name, *map(_argument, command.params))).strip()}`", _first(command))
        for name, command in commands()
        if not isinstance(command, click.Group)
    )
    return "\n## Commands\n\n" + table("command", "what it does", rows=rows)


def _argument(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return ""
    name = parameter.metavar or (parameter.name or "").upper()
    shown = f"{name}..." if parameter.nargs == -1 and not name.endswith("...") else name
    return shown if parameter.required or shown.startswith("[") else f"[{shown}]"


def _first(command: click.Command) -> str:
    """The first paragraph of its help."""
    return " ".join(inspect.cleandoc(command.help or "").partition("\n\n")[0].split())
