"""``streamer.pace``: the command's study as a function, whoever calls it, and however it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from anyio.lowlevel import current_token

import streamer
from streamer.settings.study_options import read_rates
from streamer.workers.event_loop import tell_loop
from tests.api.calls import interrupted, kill_in_round
from tests.runs import manifest
from tests.runs import streamer as command

pytestmark = [pytest.mark.usefixtures("no_child_is_left"), pytest.mark.slow]

SHORT = {"engine": "null", "duration": 4, "warmup": 0, "chart": False}
LONG = {**SHORT, "duration": "10m"}
"""It would go on for far longer than a test may."""


def pace(source: Path, model: Path, **options: Any) -> streamer.PaceResult:
    return streamer.pace(source, **{"model": model, **SHORT, **options})


@pytest.fixture(scope="module")
def seen() -> list[streamer.Progress]:
    return []


@pytest.fixture(scope="module")
def result(
    clip: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, seen: list[streamer.Progress]
) -> streamer.PaceResult:
    """A study of two rates and the closed loop, and of an engine that cannot run."""
    options = {"engine": ["null", "ir-gpu"], "chart": True, "slo": "drops<50%"}
    out = tmp_path_factory.mktemp("pace") / "out"
    return pace(clip, tiny_model, fps=[20, "max", 10], out=out, observer=seen.append, **options)


def test_the_result_is_what_the_command_writes(result: streamer.PaceResult) -> None:
    assert json.loads((result.directory / "pace.json").read_text()) == result.document
    assert result.interrupted is None
    assert result.answer == result.document["answer"]
    assert [(row["engine"], row["fps"]) for row in result.document["rates"]] == [
        (engine, fps) for engine in ("null", "ir-gpu") for fps in ("10", "20", "max")
    ]
    assert result.document["run"]["video"] == "none"
    assert result.document["run"]["seconds"] == 4
    assert result.chart == result.directory / "pace.png"


def test_a_notebook_shows_a_row_for_each_rate(result: streamer.PaceResult) -> None:
    headings, cells = result._rows()
    assert [row[:2] for row in cells][:3] == [("null", "10"), ("null", "20"), ("null", "max")]
    assert {len(row) for row in cells} == {len(headings)}
    assert set(cells[-1][2:]) == {""}
    assert "data:image/png" in result._repr_html_()


def test_progress_counts_the_rounds_of_all_that_run(
    result: streamer.PaceResult, seen: list[streamer.Progress]
) -> None:
    assert {(one.unit, one.total) for one in seen} == {("rounds", 24)}
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[0].doing == "null at 10 fps: reading, compiling, warming up"
    assert seen[-1].doing == "null at 10 fps: round 8 of 8", "the order turns round"


@pytest.mark.parametrize(
    ("fps", "rates"),
    [
        ("20", ["20"]),
        (20, ["20"]),
        (Fraction(30000, 1001), ["30000/1001"]),
        ([np.float64(12.5)], ["25/2"]),
        (("max", "25", 12.5), ["25/2", "25", "max"]),
    ],
    ids=str,
)
def test_rates_are_given_as_people_type_them(fps: Any, rates: Sequence[str]) -> None:
    assert [str(rate) for rate in read_rates(fps)] == rates


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a rate": ({"fps": [5, "often"]}, "fps often: give 'source', 'max' or frames per second"),
    "no rate": ({"fps": []}, "fps : give"),
    "none": ({"fps": None}, "fps NoneType: give"),
    "the source's": ({"fps": "source"}, "fps source: give frames per second and max"),
    "too short": ({"duration": "3s"}, "duration 3s: each rate needs 4 s or more"),
    "no time": ({"duration": None}, "duration NoneType: give a number above 0"),
    "for ever": ({"duration": float("inf")}, "duration: 'inf' is not a duration"),
    "an option of compare alone": ({"loop": True}, "no option is called loop: "),
    "an engine": ({"engine": "irr"}, "unknown engine 'irr': did you mean ir?"),
    "a group": ({"engine": None, "engines": "some"}, "engines some: give tutorial or all"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_makes_no_sense_is_an_error_in_the_words_of_the_library(
    case: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    options, message = WRONG[case]
    with pytest.raises(streamer.UsageError) as error:
        pace(clip, tiny_model, out=tmp_path / "out", **options)
    assert str(error.value).startswith(message)
    assert not (tmp_path / "out").exists()


def test_when_no_engine_comes_to_its_end_that_is_the_error(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(streamer.EngineError, match=r"no engine came to its end: .* was killed by SIGKILL"):
        pace(clip, tiny_model, fps=10, out=tmp_path / "out", observer=kill_in_round)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_to_cancel_the_awaitable_ends_it_and_keeps_what_was_done(
    backend: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    async def program() -> bool:
        with anyio.CancelScope() as scope:
            loop = current_token()

            def observer(progress: streamer.Progress) -> None:
                # The second round of the slow one is under way: the first is done at both rates.
                if progress.done >= 3:
                    tell_loop(loop, scope.cancel)

            options: dict[str, Any] = {"model": tiny_model, "out": out, **SHORT}
            await streamer.aio.pace(clip, fps="5,10", observer=observer, **options)
        return scope.cancelled_caught

    assert anyio.run(program, backend=backend)
    document = json.loads((out / "pace.json").read_text())
    assert document["run"]["interrupted"] is True
    assert 1 <= document["run"]["rounds"] < 8
    for row in document["rates"]:
        assert manifest(out / row["directory"])["verdict"] == "INTERRUPTED"
        assert command("verify", out / row["directory"], cwd=tmp_path).code == 0


def test_ctrl_c_ends_it_and_the_result_has_what_was_done(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = {**SHORT, "model": str(tiny_model), "out": str(tmp_path / "out"), "fps": "5,10"}
    result = interrupted("pace", clip, options, "3", cwd=tmp_path)
    assert result["interrupted"] == "SIGINT"
    assert result["document"] == json.loads((tmp_path / "out" / "pace.json").read_text())
    assert result["document"]["run"]["interrupted"] is True


def test_ctrl_c_before_a_round_is_done_is_raised(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = {**LONG, "model": str(tiny_model), "out": str(tmp_path / "out"), "fps": "5,10"}
    assert interrupted("pace", clip, options, "0", cwd=tmp_path)["raised"] == "KeyboardInterrupt"
    assert not (tmp_path / "out").exists()
