"""The README names what there is: every command, option, column, engine and exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import EnumMeta
from itertools import groupby

import click
import pytest

from streamer.cli.exit_codes import EXIT_CODES
from streamer.cli.main import group
from streamer.engines.variants import VARIANTS
from streamer.faults.kinds import KINDS, Kind
from streamer.rundir.detections_csv import DETECTION_COLUMNS
from streamer.rundir.frames_csv import COLUMNS, FRAME_COLUMNS
from streamer.settings.settings import OPTIONS
from tests.runs import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def row(*cells: str) -> str:
    """A row of a table in Markdown."""
    return "\n" + "".join(f"| {cell} " if cell else "| " for cell in cells) + "|\n"


def commands(of: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """All commands with their names in full, those of groups within groups too."""
    context = click.Context(of)
    for name in of.list_commands(context):
        command = of.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize(("name", "command"), [pytest.param(*found, id=found[0]) for found in commands(group)])
def test_every_command_and_option_is_in_the_readme(name: str, command: click.Command) -> None:
    assert f"`streamer {name}" in README or f"\nstreamer {name}" in README
    options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
    assert [option for option in options if not re.search(rf"{option}\b", README)] == []


def test_every_choice_of_an_option_is_in_its_row_of_the_readme() -> None:
    kinds = [(option.flag, option.read) for option in OPTIONS.values()]
    choices: dict[str, list[str]] = {flag: list(kind) for flag, kind in kinds if isinstance(kind, EnumMeta)}
    assert len(choices) >= 3
    for flag, values in choices.items():
        found = re.findall(rf"^\| `{flag}\b.*$", README, re.MULTILINE)
        assert any(all(re.search(rf"\b{value}\b", row) for value in values) for row in found), flag


def test_every_column_is_in_the_readme() -> None:
    columns = {*FRAME_COLUMNS.split(","), *DETECTION_COLUMNS.split(",")}
    assert sorted(column for column in columns if f"`{column}`" not in README) == []


def test_the_columns_of_frames_csv_stand_in_the_readme_as_in_their_table() -> None:
    for (unit, meaning), columns in groupby(COLUMNS, key=lambda column: (column.unit, column.meaning)):
        names = ", ".join(f"`{column.name}`" for column in columns)
        assert row(names, unit, meaning) in README


def test_every_engine_is_in_the_readme() -> None:
    assert [name for name in VARIANTS if f"`{name}`" not in README] == []


def test_every_exit_code_is_in_the_readme() -> None:
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| ")]
    named = {code for row in rows for code in re.findall(r"\b\d+\b", row)}
    assert {"0", "1", "2", "3", "130", "143"} <= named
    for codes, meaning in EXIT_CODES:
        assert row(", ".join(str(int(code)) for code in codes), meaning) in README


def test_every_kind_of_fault_is_in_the_readme_with_its_keys() -> None:
    named: dict[str, str] = {}
    for line in README.splitlines():
        kinds, keys, *_ = [*(cell.strip() for cell in line.split("|")[1:]), "", ""]
        for kind in set(re.findall("`([a-z-]+)`", kinds)) & set(Kind):
            named.setdefault(kind, keys)
    assert named.keys() == set(Kind)
    for kind in Kind:
        may = [f"`{key}` ({KINDS[kind].frames})" for key in KINDS[kind].takes]
        assert named[kind].startswith(", ".join([*(f"`{key}`" for key in KINDS[kind].needs), *may])), kind


def test_every_file_that_the_readme_shows_is_there() -> None:
    shown = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert shown
    assert [target for target in shown if not (ROOT / target).exists()] == []
