"""The pages of the reference are made from the code, and list everything in it."""

from __future__ import annotations

import re
from enum import EnumMeta

import click
import pytest

from streamer.cli.exit_codes import EXIT_CODES
from streamer.engines.variants import RUNTIMES, VARIANTS
from streamer.faults.kinds import KINDS, Kind
from streamer.pipeline.drop_policy import Policy
from streamer.run.doubts import DOUBTS
from streamer.settings.settings import OPTIONS
from tests.docs import claims
from tests.docs.pages import csv_columns, run_json
from tests.docs.pages.markdown import row
from tests.docs.pages.options import commands
from tests.docs.reference import FOLDER, PAGES
from tests.runs import ROOT


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def first_cells(name: str) -> list[str]:
    """The first cell of each row of each table."""
    return [line.split(" | ")[0].removeprefix("| ") for line in text_of(name).splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_the_one_that_is_made_from_the_code(name: str) -> None:
    assert text_of(name) == PAGES[name](), "python -m tests.docs.reference writes it"


@pytest.mark.parametrize(("name", "command"), [pytest.param(*found, id=found[0]) for found in commands()])
def test_every_command_and_option_is_in_the_table_of_options(name: str, command: click.Command) -> None:
    page = text_of("options.md")
    if not isinstance(command, click.Group):
        assert re.search(rf"^\| (`|<code>)streamer {name}[ `<]", page, re.MULTILINE)
    rows = [line for line in page.splitlines() if f"`{name}`" in line]
    options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
    assert [option for option in options if not any(re.match(rf"\| (`|<code>){option}\b", row) for row in rows)] == []


def test_every_choice_of_an_option_is_beside_its_name() -> None:
    kinds = [(option.flag, option.read) for option in OPTIONS.values()]
    choices: dict[str, list[str]] = {flag: list(kind) for flag, kind in kinds if isinstance(kind, EnumMeta)}
    assert len(choices) >= 3
    shown = first_cells("options.md")
    for flag, values in choices.items():
        assert row(f"`{flag} {'|'.join(map(str, values))}`").strip("| \n") in shown


def test_every_column_is_in_the_page_of_columns() -> None:
    page = text_of("csv-columns.md")
    for file, (_, columns) in csv_columns.FILES.items():
        section = page.split(f"\n## {file}\n")[1].split("\n## ")[0]
        assert [column.name for column in columns if f"`{column.name}`" not in section] == [], file


def test_every_field_of_run_json_is_in_its_page() -> None:
    cells = first_cells("run-json.md")
    fields = set(run_json.fields())
    assert len(fields) > 100
    assert [field for field in fields if f"`{field}`" not in cells] == []


def test_every_engine_and_refinement_is_in_the_page_of_engines() -> None:
    cells = first_cells("engines.md")
    keys = {f"{key}=" for row in RUNTIMES.values() for key in row.keys}
    assert [name for name in (*VARIANTS, *keys) if f"`{name}`" not in cells] == []


def test_every_exit_code_is_in_the_page_of_exit_codes() -> None:
    cells = first_cells("exit-codes.md")
    assert [codes for codes, _ in EXIT_CODES if ", ".join(str(int(code)) for code in codes) not in cells] == []


def test_every_kind_of_fault_is_in_the_page_of_faults_with_its_keys() -> None:
    rows = {
        found[1]: line for line in text_of("faults.md").splitlines() if (found := re.match(r"\| `([a-z-]+)`", line))
    }
    assert set(Kind) <= rows.keys()
    for kind, what in KINDS.items():
        assert [key for key in (*what.needs, *what.takes) if f"`{key}`" not in rows[kind]] == []


def test_every_doubt_of_a_run_is_in_the_page_of_doubts() -> None:
    page = text_of("doubts.md")
    everywhere = claims.in_the_code()
    places = [f"{doubt.__module__.removeprefix('streamer.')}.{doubt.__name__}" for doubt in DOUBTS]
    assert len(places) > 10
    sentences = [
        sentence
        for place in places
        if place in everywhere
        for sentence in everywhere[place].sentences
        if "{" in sentence
    ]
    assert len(sentences) > 20
    shown = {claims.template(code) for code in re.findall(r"`([^`]+)`", page)}
    assert [sentence for sentence in sentences if claims.template(sentence) not in shown] == []


def test_each_drop_policy_is_explained() -> None:
    explained = (ROOT / "docs" / "explain" / "latency.md").read_text(encoding="utf-8")
    assert [policy for policy in Policy if f"\n| `{policy}` |" not in explained] == []
