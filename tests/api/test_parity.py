"""``streamer.parity``: its options, its result, its progress, and what ends it."""

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
import numpy as np
import pytest
from anyio.lowlevel import current_token

import streamer
from streamer.studies.parity.document import ParityDocument
from streamer.workers.event_loop import tell_loop
from streamer.workers.stopping import Interrupted, Stop, current_stop
from tests.documents import wrong
from tests.runs import Finished, environment
from tests.studies.test_parity import write_truth
from tests.videos import write_video

pytestmark = pytest.mark.slow

REFERENCE = "ir,precision=f32"
"""The tiny model has no ONNX file."""
SLOW = "null,delay_ms=300"
FRAMES = 40
"""With so many frames it has time to be ended."""

Parity = Callable[..., streamer.ParityResult]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight bright frames of 64x64, in which the tiny model is sure of both of its objects."""
    white = [np.full((64, 64, 3), 235, np.uint8)] * 8
    return write_video(tmp_path_factory.mktemp("clips") / "bright.mp4", white, size=(64, 64))


@pytest.fixture
def parity(clip: Path, tiny_model: Path, tmp_path: Path) -> Parity:
    """``streamer.parity`` of the clip with the tiny model."""

    def parity(**options: Any) -> streamer.ParityResult:
        return streamer.parity(clip, **{"model": tiny_model, "out": tmp_path / "out", **options})

    return parity


def table(directory: Path) -> list[str]:
    """The engines in ``parity.csv``."""
    lines = (directory / "parity.csv").read_text(encoding="utf-8").splitlines()
    return [row["engine"] for row in csv.DictReader(lines)]


def test_the_result_says_which_engines_agree_and_nothing_is_printed(
    parity: Parity, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done = parity(engine=["ir", "null", "onnx"])
    assert capfd.readouterr() == ("", "")
    assert (done.directory, done.interrupted) == (tmp_path / "out", None)
    assert done.agreement == {"ir": 1.0, "null": 0.0, "onnx": None}
    assert done.missed
    assert not parity(engine="ir", overwrite=True).missed
    assert [row["engine"] for row in done.document["engines"]] == [REFERENCE, "ir", "null", "onnx"]
    assert [row["verdict"] for row in done.document["engines"]] == ["reference", "agrees", "disagrees", "unavailable"]
    assert done.document["file"] == str(tmp_path / "out" / "parity.csv")
    assert wrong(done.document, ParityDocument) == []


def test_what_was_left_out_is_stated_in_the_words_of_the_library(parity: Parity, clip: Path) -> None:
    done = parity(engine="ir", frames=3)
    assert done.left_out == (
        ("frames", "3 of 8, spread evenly"),
        ("no mAP", f"{clip} has no ground truth of its own: give a COCO JSON with truth FILE"),
    )


def test_with_ground_truth_it_says_how_right_each_engine_is(parity: Parity, tmp_path: Path) -> None:
    done = parity(engine=["ir", "null"], truth=write_truth(tmp_path / "truth.json", frames=8))
    assert wrong(done.document, ParityDocument) == []
    classes = done.document["engines"][1]["per_class"]
    assert classes == {name: {"objects": 8, "ap50": 1, "ap50_95": 1} for name in ("person", "car")}
    assert done.document["truth_left_out"] == {"labels": ["zebra"], "objects": 8, "crowds": 0, "images": 0}
    headings, rows = done._rows()
    assert list(headings) == ["engine", "in", "agreement", "mAP50", "mAP50-95", "verdict"]
    assert list(rows[2]) == ["null", "", "0.000", "0.000", "0.000", "disagrees"]
    assert "<td>disagrees</td>" in done._repr_html_()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"frames": 0}, streamer.UsageError, "frames 0: give 1 or more"),
        ({"frames": 2.5}, streamer.UsageError, "frames 2.5: give a whole number, 1 or more"),
        ({"min_agreement": 90}, streamer.UsageError, "min_agreement 90.0: give a share from 0 to 1"),
        ({"min_agreement": "most"}, streamer.UsageError, "min_agreement most: give a share from 0 to 1"),
        ({"min_agrement": 0.9}, streamer.UsageError, "no option is called min_agrement: did you mean min_agreement?"),
        ({"reference": "warp"}, streamer.UsageError, "reference: unknown engine 'warp'"),
        ({"reference": "ir"}, streamer.UsageError, "ir is the reference itself"),
        ({"reference": "onnx"}, streamer.EngineUnavailable, "the reference cannot run here: onnx"),
        ({"engine": "ir,FOO=1"}, streamer.UsageError, "engine ir,FOO=1: OpenVINO has no property FOO"),
        ({"truth": "none.json"}, streamer.UsageError, "cannot read none.json"),
        ({"conf": 0}, streamer.UsageError, "conf 0.0: give a number above 0 and up to 1"),
        ({"fit": "wide"}, streamer.UsageError, "fit wide: give 'letterbox'"),
        ({"number": 5}, streamer.UsageError, "no option is called number"),
    ],
)
def test_what_makes_no_sense_is_stated_in_the_words_of_the_library_and_nothing_is_written(
    options: dict[str, Any], error: type[Exception], says: str, parity: Parity, tmp_path: Path
) -> None:
    with pytest.raises(error) as raised:
        parity(**{"engine": "ir", **options})
    assert str(raised.value).startswith(says)
    assert not (tmp_path / "out").exists()


def test_when_no_other_engine_can_run_it_is_an_error(parity: Parity) -> None:
    with pytest.raises(streamer.EngineError, match=f"nothing to compare {REFERENCE} with"):
        parity(engine="onnx")


def test_an_observer_hears_how_many_frames_of_all_are_done(parity: Parity) -> None:
    seen: list[streamer.Progress] = []
    parity(engine=["null", "onnx"], observer=seen.append)
    assert {(one.total, one.unit) for one in seen} == {(24, "frames")}
    assert [(one.doing, one.done) for one in seen if one.done in (0, 8, 24)] == [
        (REFERENCE, 0),
        (REFERENCE, 8),
        ("onnx", 24),
    ]


def test_an_error_of_the_observer_ends_it(parity: Parity, tmp_path: Path) -> None:
    def observer(progress: streamer.Progress) -> None:
        if progress.doing == "null":
            raise RuntimeError("the window is closed")

    with pytest.raises(RuntimeError, match="the window is closed"):
        parity(engine="null", observer=observer)
    assert table(tmp_path / "out") == [REFERENCE]


def test_it_runs_off_the_main_thread(parity: Parity) -> None:
    done: list[streamer.ParityResult] = []
    thread = threading.Thread(target=lambda: done.append(parity(engine="ir")))
    thread.start()
    thread.join()
    assert done[0].agreement == {"ir": 1.0}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_runs_beside_an_event_loop_and_has_an_awaitable_twin(
    backend: str, parity: Parity, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    async def program() -> streamer.ParityResult:
        assert parity(engine="ir").interrupted is None
        return await streamer.aio.parity(clip, engine="ir", model=tiny_model, out=tmp_path / "other")

    assert anyio.run(program, backend=backend).agreement == {"ir": 1.0}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_when_the_awaitable_is_cancelled_the_engines_that_are_done_are_kept(
    backend: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    async def program() -> bool:
        loop = current_token()
        with anyio.CancelScope() as scope:

            def observer(progress: streamer.Progress) -> None:
                if progress.doing == SLOW:
                    tell_loop(loop, scope.cancel)

            source = "synthetic:street,width=64,height=64"
            options: Any = {"reference": "null", "engine": SLOW, "model": tiny_model, "out": tmp_path / "out"}
            await streamer.aio.parity(source, frames=FRAMES, observer=observer, **options)
        return scope.cancelled_caught

    assert anyio.run(program, backend=backend)
    assert table(tmp_path / "out") == ["null"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_ends_it_in_good_order_and_before_anything_is_done_is_a_keyboardinterrupt(
    tiny_model: Path, tmp_path: Path
) -> None:
    script = f"""
import json, os, signal, streamer

def ctrl_c_at(doing):
    heard = []
    def observer(progress):
        if progress.doing == doing and not heard:
            heard.append(True)
            os.kill(os.getpid(), signal.SIGINT)
    return observer

def parity(reference, engine, out):
    return streamer.parity("synthetic:street,width=64,height=64", reference=reference, engine=engine, out=out,
        frames={FRAMES}, model={str(tiny_model)!r}, observer=ctrl_c_at({SLOW!r}))

done = parity("null", {SLOW!r}, "out")
print(json.dumps([done.interrupted, done.document]))
try:
    parity({SLOW!r}, "null", "other")
except KeyboardInterrupt:
    print("interrupted")
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    first, *last = ran.stdout.splitlines()
    done = Finished(ran.returncode, ran.stdout, ran.stderr)
    assert (done.code, done.err, last) == (0, "", ["interrupted"])
    reason, document = json.loads(first)
    assert (reason, document["interrupted"]) == ("SIGINT", True)
    assert document["answer"].endswith("; 1 not reached.")
    assert wrong(document, ParityDocument) == []
    assert (table(tmp_path / "out"), table(tmp_path / "other")) == (["null"], [])


def test_it_is_ended_before_the_first_frame(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    stop = Stop()
    before = current_stop.set(stop)
    heard: list[str] = []

    def observer(progress: streamer.Progress) -> None:
        heard.append(f"{progress.doing} {progress.done}")
        stop.ask("SIGINT")

    try:
        with pytest.raises(Interrupted):
            streamer.parity(clip, engine="null", model=tiny_model, out=tmp_path / "out", observer=observer)
    finally:
        current_stop.reset(before)
    assert heard == [f"{REFERENCE} 0"]
