"""The drawing of the layout names each folder and each file, and where a change begins."""

from __future__ import annotations

import re

import pytest

from tests.runs import ROOT
from tests.test_imports import LAYERS

DRAWING = (ROOT / "docs/contributing/layout.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "streamer"
FOLDERS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file())
ENTRIES = re.split(r"\b([a-z]+)/ {2,}", DRAWING.split("```")[1])[1:]
ENTRY = {
    folder: set(re.findall(r"[a-z_0-9]+", text)) for folder, text in zip(ENTRIES[::2], ENTRIES[1::2], strict=True)
}
"""The words of each folder's entry: up to the next one."""


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_drawing_names_each_file_of_a_folder(folder: str) -> None:
    names = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in (PACKAGE / folder).glob("*/__init__.py")}
    assert not (names | folders) - ENTRY[folder]


def test_the_drawing_names_no_folder_that_is_not_there() -> None:
    assert sorted(ENTRY) == FOLDERS


def test_a_change_begins_in_a_file_that_is_there() -> None:
    named = re.findall(r"`(streamer/[a-z_/]+\.py)`", DRAWING)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_page_of_layers_has_the_layers_of_the_imports() -> None:
    page = (ROOT / "docs/contributing/layers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE)
    shown = [set(re.findall(r"`(\w+)`", cell)) for cell in rows]
    assert shown == [set(layer.split()) for layer in reversed(LAYERS)]
