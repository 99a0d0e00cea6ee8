"""Parameter types and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from streamer.cli.completion import complete_directories, complete_files, complete_model
from streamer.cli.given_path import GivenPath
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import VARIANTS
from streamer.errors import UsageError
from streamer.settings.as_json import settings_of
from streamer.settings.option import Group, Option
from streamer.settings.settings import OPTIONS, Settings
from streamer.settings.video import Video
from streamer.studies.engine_choice import ENGINE, GROUPS

Command = TypeVar("Command", bound=Callable[..., Any])
Completion = Callable[[click.Context, click.Parameter, str], list[str] | list[CompletionItem]]

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # up to click 8.3 it is not generic


class Parsed(_ParamType):
    """A value that a parser of streamer reads; its UsageError becomes click's."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except UsageError as error:
            raise click.UsageError(str(error), ctx) from error


def options(*several: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order in which help shows them."""

    def decorate(command: Command) -> Command:
        for one in reversed(several):
            command = one(command)
        return command

    return decorate


def complete_engine(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Engine names for shell completion."""
    return [name for name in VARIANTS if name.startswith(incomplete)]


def option_of(
    setting: str, *, shell_complete: Completion | None = None, **changes: Any
) -> Callable[[Command], Command]:
    """A setting's option, from its row; ``changes`` replace fields of the row for this command."""
    return option_of_row(replace(OPTIONS[setting], **changes), setting, shell_complete=shell_complete)


def option_of_row(
    row: Option, name: str, *, shell_complete: Completion | None = None
) -> Callable[[Command], Command]:
    """The option of a row; its value is the command's argument ``name``."""
    default, text = row.default, row.help
    if default is None and row.default_text is not None:
        text = f"{text}  [default: {row.default_text}]"
    elif row.default_text is not None:
        default = row.default_text
    elif isinstance(default, StrEnum):
        default = default.value
    return click.option(
        row.flag,
        name,
        metavar=row.metavar,
        type=_type_of(row),
        default=default,
        show_default=True,
        multiple=isinstance(default, tuple),
        is_flag=isinstance(default, bool),
        shell_complete=shell_complete,
        help=text,
    )


def own_options(rows: Mapping[str, Option], names: Iterable[str]) -> Callable[[Command], Command]:
    """The options that a study alone has, from their rows."""
    complete = {"reference": complete_engine}
    return options(*(option_of_row(rows[name], name, shell_complete=complete.get(name)) for name in names))


def _type_of(row: Option) -> Any:
    """The type of an option's values, as click has it."""
    if row.read is None or row.read in (int, float):
        return row.read
    if row.read is Path:
        return GivenPath()
    if isinstance(row.read, type) and issubclass(row.read, StrEnum):
        return click.Choice([choice.value for choice in row.read])
    return Parsed(row.flag, row.read)


def _options_of(group: Group) -> Callable[[Command], Command]:
    complete = {"model": complete_model, "arrivals": complete_files, "faults": complete_files}
    names = [name for name, row in OPTIONS.items() if row.group is group]
    return options(*(option_of(name, shell_complete=complete.get(name)) for name in names))


model_options = _options_of(Group.MODEL)
pacing_options = _options_of(Group.PACING)
freshness_options = _options_of(Group.FRESHNESS)
length_options = _options_of(Group.LENGTH)
endurance_options = _options_of(Group.ENDURANCE)
detection_options = _options_of(Group.DETECTION)
engine_option = option_of("engine", shell_complete=complete_engine)
streams_option = option_of("streams")
video_stream_option = option_of("video_stream")
pace_options = options(option_of("fps"), option_of("skip_gaps"))


def engines_options(default: str) -> Callable[[Command], Command]:
    """``--engine``, repeated, and ``--engines``: the engines of a study."""
    return options(
        click.option(
            ENGINE.flag,
            "engines",
            metavar=ENGINE.metavar,
            type=Parsed("engine", parse_spec),
            shell_complete=complete_engine,
            multiple=True,
            help=ENGINE.help,
        ),
        click.option(
            "--engines",
            "group",
            type=click.Choice(GROUPS),
            help=f"Those of the tutorial, or every one but null.  [default: {default}, without --engine]",
        ),
    )


def picture_options(video: Video) -> Callable[[Command], Command]:
    """``--video``, with its default, and ``--chart``."""
    return options(option_of("video", default=video), option_of("chart"))


def output_options(out: str, overwrite: str, document: str) -> Callable[[Command], Command]:
    """``--out``, ``--overwrite``, ``--json`` and ``--quiet``, with the help of two and the printed document."""
    return options(
        option_of("out", help=out, shell_complete=complete_directories),
        option_of("overwrite", help=overwrite),
        click.option(
            "--json", "as_json", is_flag=True, help=f"Print {document} on standard output, and nothing else there."
        ),
        click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    )


def given_settings(given: Mapping[str, Any]) -> Settings:
    """The settings among the values that a command was given. Raises UsageError for what an option does not take."""
    return settings_of({name: value for name, value in given.items() if name in OPTIONS})
