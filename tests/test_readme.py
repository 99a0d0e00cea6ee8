"""The README names what there is: every command, option, column, engine and exit code."""

from __future__ import annotations

import re

import click
import pytest

from streamer.cli.main import COMMANDS, LazyGroup
from streamer.csv_rows import DETECTION_COLUMNS, FRAME_COLUMNS
from streamer.engines.spec import VARIANTS
from tests.runs import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def options(name: str) -> list[str]:
    """The long options of a command."""
    command = LazyGroup().get_command(click.Context(click.Group()), name)
    assert command is not None
    return [option for parameter in command.params for option in parameter.opts if option.startswith("--")]


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_and_option_is_in_the_readme(name: str) -> None:
    assert f"`streamer {name}" in README or f"\nstreamer {name}" in README
    missing = [option for option in options(name) if not re.search(rf"{option}\b", README)]
    assert missing == []


def test_every_column_is_in_the_readme() -> None:
    columns = {*FRAME_COLUMNS.split(","), *DETECTION_COLUMNS.split(",")}
    assert sorted(column for column in columns if f"`{column}`" not in README) == []


def test_every_engine_is_in_the_readme() -> None:
    assert [name for name in VARIANTS if f"`{name}`" not in README] == []


def test_every_exit_code_is_in_the_readme() -> None:
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| ")]
    named = {code for row in rows for code in re.findall(r"\b\d+\b", row)}
    assert {"0", "1", "2", "3", "130", "143"} <= named


def test_every_file_that_the_readme_shows_is_there() -> None:
    shown = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert shown
    assert [target for target in shown if not (ROOT / target).exists()] == []
