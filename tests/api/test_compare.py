"""``streamer.compare``: the command's study as a function, whoever calls it, and however it ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import chdir
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import psutil
import pytest
from anyio.lowlevel import current_token

import streamer
from streamer.workers.event_loop import tell_loop
from tests.api.calls import interrupted, kill_in_round
from tests.runs import manifest, rows
from tests.runs import streamer as command

pytestmark = [pytest.mark.usefixtures("no_child_is_left"), pytest.mark.slow]

PACED = {"fps": 20, "frames": 40, "warmup": 0, "chart": False}
"""Two rounds of a second."""
ENDLESS = {"fps": 50, "loop": True, "duration": "10m", "warmup": 0, "chart": False}
"""It would go on for far longer than a test may."""
TWO = ("null,delay_ms=1", "null,delay_ms=2")


def compare(source: Path, model: Path, **options: Any) -> streamer.ComparisonResult:
    return streamer.compare(source, **{"engine": TWO, "model": model, **PACED, **options})


@pytest.fixture(scope="module")
def seen() -> list[streamer.Progress]:
    return []


@pytest.fixture(scope="module")
def result(
    clip: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, seen: list[streamer.Progress]
) -> streamer.ComparisonResult:
    """A comparison of an engine that has no answers, one that has, and one that cannot run."""
    out = tmp_path_factory.mktemp("compare") / "out"
    engines = ("null,delay_ms=1", "ir", "ir-gpu")
    return compare(clip, tiny_model, engine=engines, out=str(out), chart=True, observer=seen.append)


def test_the_result_is_what_the_command_writes(result: streamer.ComparisonResult) -> None:
    assert json.loads((result.directory / "compare.json").read_text()) == result.document
    assert result.interrupted is None
    assert result.answer == result.document["answer"]
    assert [row["engine"] for row in result.document["engines"]] == ["null,delay_ms=1", "ir", "ir-gpu"]
    assert result.document["run"]["video"] == "none"
    assert result.chart == result.directory / "compare.png"


def test_a_notebook_shows_a_row_for_each_engine(result: streamer.ComparisonResult) -> None:
    headings, cells = result._rows()
    assert [row[0] for row in cells] == ["null,delay_ms=1", "ir", "ir-gpu"]
    assert {len(row) for row in cells} == {len(headings)}
    assert cells[2][1:] == ("", "", "", "", "unavailable")
    assert "data:image/png" in result._repr_html_()


def test_progress_counts_the_rounds_of_all_that_run_then_the_frames_scored(
    result: streamer.ComparisonResult, seen: list[streamer.Progress]
) -> None:
    ran = [one for one in seen if one.unit == "rounds"]
    assert {one.total for one in ran} == {4}
    assert [one.done for one in ran] == sorted(one.done for one in ran)
    assert ran[0].doing == "null,delay_ms=1: reading, compiling, warming up"
    assert ran[-1].doing == "null,delay_ms=1: round 2 of 2", "the order is not reversed"
    scored = seen[len(ran) :]
    assert {(one.unit, one.doing, one.total) for one in scored} == {("frames", "scoring the detections", 40)}
    assert scored[-1].done == 40


def test_nothing_is_printed(clip: Path, tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    compare(clip, tiny_model, out=out)
    compare(clip, tiny_model, out=out, overwrite=True)
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in out.iterdir() if path.is_file()) == ["compare.csv", "compare.json"]


def test_finished_runs_are_compared(result: streamer.ComparisonResult, tmp_path: Path) -> None:
    runs = [result.directory / str(row["directory"]) for row in result.document["engines"][:2]]
    found = streamer.compare(runs[0], str(runs[1]), baseline="ir", out=tmp_path / "out", chart=False)
    assert found.document["run"]["interleaved"] is True
    assert found.document["baseline"] == "ir"


WRONG: dict[str, tuple[dict[str, Any], type[streamer.StreamerError], str]] = {
    "an option of replay alone": ({"streams": 2}, streamer.UsageError, "no option is called streams: "),
    "a name that is near": ({"bseline": "ir"}, streamer.UsageError, "did you mean baseline?"),
    "an engine": ({"engine": "irr"}, streamer.UsageError, "unknown engine 'irr': did you mean ir?"),
    "no engine": ({"engine": 5}, streamer.UsageError, "engine 5: give a text, or several"),
    "a group": ({"engine": None, "engines": "some"}, streamer.UsageError, "engines some: give tutorial or all"),
    "both": ({"engines": "all"}, streamer.UsageError, "engine and engines all: give one of the two"),
    "a baseline": ({"baseline": "irr"}, streamer.UsageError, "baseline: unknown engine 'irr'"),
    "two baselines": ({"baseline": TWO}, streamer.UsageError, "baseline tuple: give a text, as in baseline SPEC"),
    "no truth": ({"truth": "none.json"}, streamer.UsageError, "cannot read none.json (No such file or directory)"),
    "an empty path": ({"truth": ""}, streamer.UsageError, "truth is empty: give a path"),
    "none of several": ({"engine": []}, streamer.UsageError, "engine list: name one at least, or leave it out"),
    "too short": ({"frames": 19}, streamer.UsageError, "too few for two rounds"),
    "a range": ({"queue": -1}, streamer.UsageError, "queue -1: give 0 or more"),
    "unavailable": ({"engine": "ir-gpu"}, streamer.EngineUnavailable, "none of the engines can run here"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_makes_no_sense_is_an_error_in_the_words_of_the_library(
    case: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    options, kind, message = WRONG[case]
    with chdir(tmp_path), pytest.raises(kind) as error:
        compare(clip, tiny_model, out=tmp_path / "out", **options)
    assert message in str(error.value)
    assert "--" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_an_endless_source_is_an_error_in_the_words_of_the_library(tiny_model: Path) -> None:
    with pytest.raises(streamer.UsageError, match="say with frames or duration how long to compare"):
        streamer.compare("synthetic:street", engine="null", model=tiny_model)


def test_when_no_engine_comes_to_its_end_that_is_the_error(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(streamer.EngineError, match=r"no engine came to its end: .* was killed by SIGKILL"):
        compare(clip, tiny_model, out=tmp_path / "out", observer=kill_in_round)


def test_an_error_of_the_observer_ends_it(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    def observer(progress: streamer.Progress) -> None:
        if progress.done >= 2:
            raise LookupError("of the caller's")

    with pytest.raises(LookupError, match="of the caller's"):
        compare(clip, tiny_model, out=tmp_path / "out", observer=observer, frames=None, **ENDLESS)


def test_it_is_called_in_a_thread_beside_an_event_loop(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    async def program() -> streamer.ComparisonResult:
        return compare(clip, tiny_model, out=tmp_path / "out")

    found = []
    thread = Thread(target=lambda: found.append(asyncio.run(program())))
    thread.start()
    thread.join()
    assert found[0].document["run"]["rounds"] == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_to_cancel_the_awaitable_ends_it_and_keeps_what_was_done(
    backend: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    async def program() -> bool:
        with anyio.CancelScope() as scope:
            loop = current_token()

            def observer(progress: streamer.Progress) -> None:
                if progress.done >= 4:
                    tell_loop(loop, scope.cancel)

            options: dict[str, Any] = {"model": tiny_model, "out": out, **ENDLESS}
            await streamer.aio.compare(clip, engine=TWO, observer=observer, **options)
        return scope.cancelled_caught

    assert anyio.run(program, backend=backend)
    document = json.loads((out / "compare.json").read_text())
    assert document["run"]["interrupted"] is True
    assert document["run"]["rounds"] >= 2
    for row in document["engines"]:
        assert manifest(out / row["directory"])["verdict"] == "INTERRUPTED"
        assert len(rows(out / row["directory"] / "frames.csv")) >= document["run"]["frames"]
        assert command("verify", out / row["directory"], cwd=tmp_path).code == 0


def test_ctrl_c_ends_it_and_the_result_has_what_was_done(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = {"engine": TWO, "model": str(tiny_model), "out": str(tmp_path / "out"), **ENDLESS}
    result = interrupted("compare", clip, options, "4", cwd=tmp_path)
    assert result["interrupted"] == "SIGINT"
    document = result["document"]
    assert document == json.loads((tmp_path / "out" / "compare.json").read_text())
    assert document["run"]["interrupted"] is True
    assert document["run"]["rounds"] >= 2
    assert "interrupted: the engines' detections were not scored" in document["notes"]


def test_ctrl_c_while_an_engine_is_made_ready_leaves_nothing(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    # Ten minutes of warm-up, in which an engine says nothing.
    options = {"engine": "null,delay_ms=100", "model": str(tiny_model), "out": str(tmp_path / "out")}
    result = interrupted("compare", clip, {**options, **ENDLESS, "warmup": 6000}, "opening", cwd=tmp_path)
    assert result["raised"] == "KeyboardInterrupt"
    assert not (tmp_path / "out").exists()


def test_a_second_ctrl_c_does_not_wait(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = {"engine": TWO, "model": str(tiny_model), "out": str(tmp_path / "out"), **ENDLESS}
    result = interrupted("compare", clip, options, "twice4", cwd=tmp_path)
    assert result["raised"] == "KeyboardInterrupt"
    assert len(result["children"]) >= 2
    assert not any(psutil.pid_exists(child) for child in result["children"])
