"""The display of results: all that is to be known, and nothing that others could inject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from streamer.charts.shown import Cell, Shown, Withheld, figure
from tests.test_imports import modules

BAD = "<script>alert(1)</script>\"'&\udcff\x1b[31m"
"""Text that names of models and files, and errors, may have."""


@dataclass(frozen=True, slots=True, repr=False)
class Result(Shown):
    directory: Path
    document: dict[str, Any]
    interrupted: str | None = None
    sentence: str = "Sustains 25 fps."
    chart_there: Path | None = None
    cells: Sequence[Sequence[Cell]] = (("latency", "1.00"),)

    @property
    def answer(self) -> str:
        return self.sentence

    @property
    def chart(self) -> Path | None:
        return self.chart_there

    def _rows(self) -> tuple[Sequence[str], Sequence[Sequence[Cell]]]:
        return ("ms", "p50"), self.cells


class Read(HTMLParser):
    """The elements, their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str] = {}
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name: value or "" for name, value in attrs}
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(result: Shown) -> Read:
    """What is shown of it; fails when an element is not closed."""
    found = Read(result._repr_html_())
    assert not found.open
    return found


def test_the_end_the_doubts_and_the_notes_are_shown() -> None:
    document = {
        "verdict": "FAILED",
        "error": "frame 5: it broke",
        "doubts": ["a doubt of it"],
        "notes": ["one", "two"],
    }
    shown = read(Result(Path("runs/one"), document, "SIGTERM"))
    for text in (
        "FAILED: frame 5: it broke",
        "INTERRUPTED (SIGTERM)",
        "doubt: a doubt of it",
        "2 notes",
        "two",
        "runs/one",
    ):
        assert text in shown.text


@pytest.mark.parametrize("verdict", ["INVALID", "FAILED", "INTERRUPTED", "KILLED"])
def test_a_verdict_is_shown_that_is_not_valid(verdict: str) -> None:
    result = Result(Path("run"), {"verdict": verdict})
    assert verdict in read(result).text
    assert verdict in repr(result)


def test_a_valid_run_shows_no_verdict_but_its_answer() -> None:
    shown = read(Result(Path("run"), {"verdict": "VALID", "error": None, "doubts": [], "notes": []}))
    assert shown.text.startswith("Sustains 25 fps.")
    assert not {"ul", "details", "img"} & set(shown.tags)


def test_text_of_others_is_escaped(tmp_path: Path) -> None:
    chart = tmp_path / "chart.png"
    chart.write_bytes(b"\x89PNG")
    document = {"verdict": BAD, "error": BAD, "doubts": [BAD], "notes": [BAD]}
    cells: Sequence[Sequence[Cell]] = [(BAD, BAD), (Withheld(BAD), Withheld(BAD))]
    result = Result(Path(BAD), document, BAD, BAD, chart, cells)
    result._repr_html_().encode("utf-8")
    shown = read(result)
    known = {"div", "p", "strong", "br", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
    assert set(shown.tags) == known | {"img", "details", "summary", "code"}
    assert set(shown.attributes) == {"style", "scope", "title", "alt", "src"}
    text = r"""<script>alert(1)</script>"'&\udcff\x1b[31m"""
    assert shown.text.count(text) == 10
    assert text in shown.attributes["alt"]
    assert shown.attributes["src"].startswith("data:image/png;base64,")


def test_a_chart_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    assert "img" not in read(Result(tmp_path, {}, chart_there=tmp_path / "gone.png")).tags


def test_a_table_without_rows_is_left_out() -> None:
    assert "table" not in read(Result(Path("run"), {}, cells=())).tags


def test_a_percentile_that_is_withheld_says_what_it_needs() -> None:
    withheld = figure(None, "p99", 100)
    assert withheld == Withheld("p99 needs 662 frames, has 100")
    shown = read(Result(Path("run"), {}, cells=[("latency", withheld)]))
    assert "–" in shown.text
    assert shown.attributes["title"] == "p99 needs 662 frames, has 100"
    assert figure(1234.567, "p99", 700) == "1,234.57"


def test_elsewhere_a_result_is_one_printable_line() -> None:
    result = Result(Path("runs/one"), {"doubts": ["a", "b"]}, "SIGINT", sentence="Sustains\n25 fps.")
    assert repr(result) == "<Result runs/one: INTERRUPTED (SIGINT). Sustains 25 fps. (2 doubts)>"
    assert repr(Result(Path(BAD), {}, sentence=BAD)).isprintable()


def test_no_result_shows_a_whole_document_as_its_line() -> None:
    for name in modules():
        if name.split(".")[-1] in ("finished", "result", "document", "study"):
            import_module(f"streamer.{name}")
    results = [one for one in Shown.__subclasses__() if one.__module__.startswith("streamer.")]
    assert results
    assert [one.__name__ for one in results if "__repr__" in vars(one)] == []
