"""``streamer.bench``: its options, its result, its progress, and what ends it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import cv2
import numpy as np
import pytest
from anyio.lowlevel import current_token

import streamer
from streamer.studies.bench.document import BenchDocument
from streamer.studies.bench.rows import HEADER
from streamer.workers.event_loop import tell_loop
from tests.documents import wrong
from tests.runs import Finished, environment

pytestmark = pytest.mark.slow

ENDLESS = "null,delay_ms=5"
"""So many inferences in a row last until they are ended."""
MANY = 100_000

Bench = Callable[..., streamer.BenchResult]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "dog.png"
    cv2.imwrite(str(path), np.full((48, 96, 3), 200, np.uint8))
    return path


@pytest.fixture
def bench(image: Path, tiny_model: Path, tmp_path: Path) -> Bench:
    """``streamer.bench`` of the image with the tiny model, two inferences in a row by default."""

    def bench(**options: Any) -> streamer.BenchResult:
        usual = {"engine": "null", "model": tiny_model, "number": 2, "out": tmp_path / "out"}
        return streamer.bench(image, **{**usual, **options})

    return bench


def table(directory: Path) -> list[str]:
    """The engines in ``bench.csv``."""
    text = (directory / "bench.csv").read_text(encoding="utf-8")
    assert text.startswith(HEADER + "\n")
    assert text.endswith("\n")
    return [row["engine"] for row in csv.DictReader(text.splitlines())]


def written(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "bench.json").read_text(encoding="utf-8"))
    return found


def test_the_result_is_what_was_written_and_nothing_is_printed(
    bench: Bench, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done = bench(engine=["null", "ir", "onnx"], number=11)
    assert capfd.readouterr() == ("", "")
    assert (done.directory, done.interrupted) == (tmp_path / "out", None)
    assert written(done.directory) == done.document
    assert wrong(done.document, BenchDocument) == []
    assert table(done.directory) == [row["engine"] for row in done.document["engines"]] == ["null", "ir", "onnx"]
    null, ir, onnx = done.document["engines"]
    assert (null["inferences"], ir["inferences"], ir["input"]) == (11, 11, "float32")
    assert onnx["why"] is not None
    assert "onnx needs a .onnx file" in onnx["why"]
    assert done.chart == done.directory / "bench.png"
    assert done.answer == done.document["answer"]


def test_a_notebook_shows_its_figures(bench: Bench) -> None:
    shown = bench(engine=["null", "onnx"], number=11)._repr_html_()
    assert ">mean</th>" in shown
    assert ">unavailable</td>" in shown
    assert '<img alt="Chart: Back to back null takes' in shown


def test_openvinos_own_program_is_a_row_and_so_is_that_it_failed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = bench(engine="ir", against="benchmark_app").document
    monkeypatch.setattr("multiprocessing.spawn._python_exe", b"/bin/false")
    failed = bench(engine="ir", against="benchmark_app", overwrite=True).document
    assert [wrong(document, BenchDocument) for document in (there, failed)] == [[], []]
    assert there["engines"][1]["inferences"]
    assert failed["engines"][1]["why"] == "benchmark_app did not run: /bin/false failed: without a word"


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"number": 0}, streamer.UsageError, "number 0: give 1 or more"),
        ({"number": "many"}, streamer.UsageError, "number many: give a whole number, 1 or more"),
        ({"number": None}, streamer.UsageError, "number NoneType: give a whole number, 1 or more"),
        ({"input": "float16"}, streamer.UsageError, "input float16: give 'float32', 'tutorial'"),
        ({"against": "trtexec"}, streamer.UsageError, "against trtexec: give 'benchmark_app'"),
        (
            {"against": "benchmark_app"},
            streamer.UsageError,
            "against benchmark_app stands beside engine ir: give engine ir",
        ),
        ({"engine": "warp"}, streamer.UsageError, "unknown engine 'warp'"),
        ({"engine": 5}, streamer.UsageError, "engine 5: give a text, or several"),
        ({"engines": "all"}, streamer.UsageError, "engine and engines all: give one of the two"),
        ({"engine": None, "engines": "some"}, streamer.UsageError, "engines some: give tutorial or all"),
        ({"egnine": "ir"}, streamer.UsageError, "no option is called egnine: did you mean engine?"),
        ({"fps": 30}, streamer.UsageError, "no option is called fps"),
        ({"overwrite": "yes"}, streamer.UsageError, "overwrite yes: give True or False"),
        ({"model": "nobody"}, streamer.UsageError, "no such model: nobody"),
        ({"engine": "onnx"}, streamer.EngineUnavailable, "none of the engines can run here: onnx"),
    ],
)
def test_what_makes_no_sense_is_stated_in_the_words_of_the_library_and_nothing_is_written(
    options: dict[str, Any], error: type[Exception], says: str, bench: Bench, tmp_path: Path
) -> None:
    with pytest.raises(error) as raised:
        bench(**options)
    assert str(raised.value).startswith(says)
    assert not (tmp_path / "out").exists()


def test_a_directory_in_use_is_replaced_when_that_is_requested(bench: Bench, tmp_path: Path) -> None:
    bench()
    with pytest.raises(streamer.UsageError, match="is not empty: give another directory, or overwrite=True"):
        bench()
    assert bench(engine="null,delay_ms=1", overwrite=True).directory == tmp_path / "out"
    assert table(tmp_path / "out") == ["null,delay_ms=1"]


def test_an_observer_hears_how_many_inferences_of_all_are_done(bench: Bench) -> None:
    seen: list[streamer.Progress] = []
    bench(engine=["null", "null,delay_ms=1"], number=20, observer=seen.append)
    assert {(one.total, one.unit) for one in seen} == {(40, "inferences")}
    done = [(one.doing, one.done) for one in seen]
    assert [done[0], done[-1]] == [("null", 0), ("null,delay_ms=1", 40)]
    assert ("null", 20) in done
    assert ("null,delay_ms=1", 20) in done
    assert [count for _, count in done] == sorted(count for _, count in done)


def test_an_error_of_the_observer_ends_it(bench: Bench, tmp_path: Path) -> None:
    def observer(progress: streamer.Progress) -> None:
        if progress.doing == ENDLESS and progress.done > 1:
            raise RuntimeError("the window is closed")

    with pytest.raises(RuntimeError, match="the window is closed"):
        bench(engine=["null", ENDLESS], number=MANY, observer=observer)
    assert table(tmp_path / "out") == ["null"], "it is not the engine that has failed"


def test_it_runs_off_the_main_thread(bench: Bench) -> None:
    done: list[streamer.BenchResult] = []
    thread = threading.Thread(target=lambda: done.append(bench()))
    thread.start()
    thread.join()
    assert done[0].document["engines"][0]["inferences"] == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_runs_beside_an_event_loop_and_has_an_awaitable_twin(
    backend: str, bench: Bench, image: Path, tiny_model: Path, tmp_path: Path
) -> None:
    async def program() -> streamer.BenchResult:
        assert bench().interrupted is None
        return await streamer.aio.bench(image, engine="null", number=2, model=tiny_model, out=tmp_path / "other")

    assert anyio.run(program, backend=backend).document["run"]["number"] == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_when_the_awaitable_is_cancelled_the_engines_that_are_done_are_kept(
    backend: str, image: Path, tiny_model: Path, tmp_path: Path
) -> None:
    async def program() -> bool:
        loop = current_token()
        with anyio.CancelScope() as scope:

            def observer(progress: streamer.Progress) -> None:
                if progress.doing == ENDLESS:
                    tell_loop(loop, scope.cancel)

            options: Any = {"engine": ["null", ENDLESS], "number": MANY, "model": tiny_model, "out": tmp_path / "out"}
            await streamer.aio.bench(image, observer=observer, **options)
        return scope.cancelled_caught

    assert anyio.run(program, backend=backend)
    assert table(tmp_path / "out") == ["null"]
    document = written(tmp_path / "out")
    assert document["run"]["interrupted"] is True
    assert wrong(document, BenchDocument) == []


def script(body: str, image: Path, model: Path, cwd: Path) -> Finished:
    """A user's script, in a process of its own, in which Ctrl-C comes once an endless engine has its turn."""
    begin = f"""
import os, signal, streamer

def ctrl_c(progress, heard=[]):
    if progress.doing == {ENDLESS!r} and not heard:
        heard.append(True)
        os.kill(os.getpid(), signal.SIGINT)

options = dict(number={MANY}, model={str(model)!r}, out="out", observer=ctrl_c)
image = {str(image)!r}
"""
    done = subprocess.run(
        [sys.executable, "-c", begin + body], cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_ends_it_in_good_order_and_the_script_goes_on(image: Path, tiny_model: Path, tmp_path: Path) -> None:
    body = f"""
done = streamer.bench(image, engine=["null", {ENDLESS!r}], **options)
print(done.interrupted, done.document["run"]["interrupted"], done.answer)
"""
    done = script(body, image, tiny_model, tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("SIGINT True Back to back null takes ")
    assert done.out.endswith("; 1 not reached.\n")
    assert table(tmp_path / "out") == ["null"]
    assert written(tmp_path / "out")["run"]["interrupted"] is True


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_before_anything_is_done_is_a_keyboardinterrupt(image: Path, tiny_model: Path, tmp_path: Path) -> None:
    body = f"""
try:
    streamer.bench(image, engine={ENDLESS!r}, **options)
except KeyboardInterrupt:
    print("interrupted")
"""
    assert script(body, image, tiny_model, tmp_path) == Finished(0, "interrupted\n", "")
    assert table(tmp_path / "out") == []
