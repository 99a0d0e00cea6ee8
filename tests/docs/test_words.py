"""One idea has one word: no private one is left in code or documents, but for the names of the contract."""

from __future__ import annotations

import re

import pytest

from tests.docs.words import CONTRACT, CONTRACT_WORDS, ROOT, WORDS, files, uses


def test_no_private_word_is_left() -> None:
    found = [
        str(use) for path in files() for use in uses(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("class ApartEngine:", ["Apart"]),
        ("    _let_go_on = 1", ["let_go"]),
        ("# what is taken, as said", ["taken", "said"]),
        ("MOST_TOLD = 10", ["TOLD"]),
        ("it is mistaken, and disarmed", []),
        ('document["asked"], part["faults.asked"]', []),
        ("    asked: LoadFigures", []),
        ("as `pieces` in `run.json`, by `asked.json`", []),
        ("config_in_force and told_by", []),
        ("asked = 3", ["asked"]),
        ("in pieces", ["pieces"]),
    ],
)
def test_a_word_is_found_in_names_and_sentences_and_the_contract_is_left_alone(line: str, found: list[str]) -> None:
    assert [use.found for use in uses("streamer/one.py", line)] == found


def test_a_word_of_two_meanings_is_found_where_it_is_private() -> None:
    assert [use.found for use in uses("streamer/ledger/outages.py", "a gap")] == ["gap"]
    assert not list(uses("streamer/schedule/file_gaps.py", "a gap"))


def test_the_glossary_names_every_private_word_beside_the_one_in_its_place() -> None:
    glossary = (ROOT / "docs" / "contributing" / "glossary.md").read_text(encoding="utf-8")
    column = " ".join(row.split("|")[-2] for row in glossary.splitlines() if row.startswith("|")).replace(" ", "_")
    missing = [word.pattern for word in WORDS if not re.search(word.pattern, column, re.IGNORECASE)]
    assert missing == []


def test_the_contract_has_no_name_that_is_no_longer_in_it() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in files(["streamer"]) if path.suffix == ".py")
    assert [name for name in (*CONTRACT, *CONTRACT_WORDS) if not re.search(name, sources)] == []
