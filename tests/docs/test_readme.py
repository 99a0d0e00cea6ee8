"""The README is short, names every command, and quotes few figures, which are those of the page of benchmarks."""

from __future__ import annotations

import re

from tests.docs.pages.options import commands
from tests.runs import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
MOST_LINES = 200
MOST_FIGURES = 3


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_every_command_is_in_the_readme() -> None:
    names = [name for name, command in commands() if not hasattr(command, "commands")]
    assert len(names) > 10
    assert [name for name in names if f"| `streamer {name}` |" not in README] == []


def test_the_readme_quotes_few_figures_of_the_benchmarks() -> None:
    section = README.split("## How far to trust it")[1].split("\n## ")[0]
    quoted = re.findall(r"\d+\.\d+", section)
    assert 0 < len(quoted) <= MOST_FIGURES
    assert [figure for figure in quoted if not re.search(rf"\| [^|]*\b{re.escape(figure)}\b", BENCHMARKS)] == []
