"""``streamer pace``: an engine at several rates, with the idle penalty and the queueing knee."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import pytest

from streamer.errors import UsageError
from streamer.settings.study_options import parse_rates
from tests.runs import Finished, check_conserved, manifest, streamer
from tests.videos import write_video

pytestmark = pytest.mark.timing


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a clip of a second."""
    place = tmp_path_factory.mktemp("pace")
    write_video(place / "clip.mkv", 25, size=(64, 48))
    return place


def pace(place: Path, tiny_model: Path, *arguments: str | Path) -> Finished:
    usual = ("--model", tiny_model, "--warmup", "0", "--duration", "4s")
    return streamer("pace", "clip.mkv", *usual, *arguments, cwd=place)


@pytest.fixture(scope="module")
def studied(place: Path, tiny_model: Path) -> dict[str, Any]:
    """An engine that takes 30 ms: it keeps up with 10 fps, and not with 50."""
    engines = ("--engine", "null,delay_ms=30", "--engine", "ir-gpu")
    done = pace(place, tiny_model, *engines, "--fps", "50,10,max", "--slo", "drops<1%", "--json", "--out", "out")
    assert done.code == 3, done.err  # ir-gpu meets the objective at no rate
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_rates_are_ascending_and_the_closed_loop_comes_last() -> None:
    assert parse_rates("max, 30,2,29.97,30") == (Fraction(2), Fraction("29.97"), Fraction(30), "max")
    assert parse_rates("5") == (Fraction(5),)


@pytest.mark.parametrize("text", ["", "5,", "5,fast", "0,5", "-1", "source,5"])
def test_a_text_that_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--fps"):
        parse_rates(text)


def test_there_is_a_run_that_verifies_for_each_rate(studied: dict[str, Any], place: Path) -> None:
    ran = [row for row in studied["rates"] if row["directory"] is not None]
    assert [(row["engine"], row["fps"]) for row in ran] == [("null,delay_ms=30", fps) for fps in ("10", "50", "max")]
    for row in ran:
        directory = place / "out" / row["directory"]
        check_conserved(directory)
        assert streamer("verify", directory, cwd=place).code == 0
        assert row["frames"]["scheduled"] == manifest(directory)["frames"]["scheduled"]


def test_each_rate_gets_the_same_time_however_short_the_source_is(studied: dict[str, Any]) -> None:
    scheduled = {row["fps"]: row["frames"]["scheduled"] for row in studied["rates"] if row["frames"]}
    assert scheduled["10"] == 40
    assert scheduled["50"] == 200


def test_it_shows_the_rates_that_are_too_fast_for_the_engine(studied: dict[str, Any]) -> None:
    slow, quick, loop = studied["rates"][:3]
    assert slow["drops_percent"] == 0
    assert 25 < quick["drops_percent"] < 75
    assert quick["result_latency_ms"]["p50"] > slow["result_latency_ms"]["p50"]
    assert slow["delivered_rate"] == pytest.approx(10, rel=0.01)
    assert loop["delivered_rate"] < 1000 / 30
    assert loop["age_ms"] is None
    assert "keeps up with 10 fps" in studied["answer"]


def test_an_engine_that_sleeps_has_no_idle_penalty_to_speak_of(studied: dict[str, Any]) -> None:
    slow, _, loop = studied["rates"][:3]
    assert loop["idle_penalty"] is None
    penalty = slow["idle_penalty"]
    assert penalty["low"] <= penalty["value"] <= penalty["high"]
    assert penalty["value"] == pytest.approx(1, abs=0.1)


def test_the_highest_rate_that_meets_the_objectives_is_named(studied: dict[str, Any]) -> None:
    assert studied["highest_rate"] == {"null,delay_ms=30": "10", "ir-gpu": None}
    assert "drops<1% is met up to 10 fps" in studied["answer"]


def test_an_engine_that_cannot_run_says_why(studied: dict[str, Any]) -> None:
    missing = studied["rates"][3:]
    assert {row["engine"] for row in missing} == {"ir-gpu"}
    assert all("needs device GPU" in row["why"] for row in missing)
    assert "ir-gpu cannot run here" in studied["answer"]


def test_the_table_has_the_documents_rows(studied: dict[str, Any], place: Path) -> None:
    with (place / "out" / "pace.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["engine"], row["fps"]) for row in table] == [(row["engine"], row["fps"]) for row in studied["rates"]]
    assert float(table[0]["idle_penalty_high"]) == studied["rates"][0]["idle_penalty"]["high"]
    assert float(table[0]["infer_median_ms"]) == studied["rates"][0]["infer_median_ms"]["value"]
    assert json.loads((place / "out" / "pace.json").read_text()) == studied


def test_the_chart_is_as_wide_as_documented(studied: dict[str, Any], place: Path) -> None:
    picture = cv2.imread(str(place / "out" / "pace.png"))
    assert picture is not None
    assert picture.shape[1] == 1200


def test_without_the_closed_loop_there_is_no_penalty_and_the_terminal_says_so(place: Path, tiny_model: Path) -> None:
    done = pace(place, tiny_model, "--engine", "null", "--fps", "20")
    assert done.code == 0, done.err
    assert "no idle penalty without the closed loop" in done.out
    assert done.out.splitlines()[-1].startswith("null: it keeps up with 20 fps")


WRONG = {
    "all unavailable": (("--engine", "ir-gpu"), 1, "none of the engines can run here"),
    "an unknown engine": (("--engine", "irr"), 2, "did you mean ir"),
    "a wrong rate": (("--fps", "5,often"), 2, "--fps often"),
    "too short a time": (("--duration", "3s"), 2, "needs 4 s or more"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_input_is_one_line_before_anything_runs(wrong: str, place: Path, tiny_model: Path) -> None:
    arguments, code, message = WRONG[wrong]
    done = pace(place, tiny_model, *arguments, "--out", "wrong")
    assert done.code == code
    assert message in done.error
    assert not (place / "wrong").exists()
