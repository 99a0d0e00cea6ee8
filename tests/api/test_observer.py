"""An observer that fails, or calls streamer itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import streamer
from streamer.workers.stopping import Stop, current_stop
from tests.runs import environment

pytestmark = pytest.mark.slow

ENDLESS: dict[str, Any] = {"engine": "null", "video": "none", "chart": False, "fps": "max", "loop": True}


def fails_when_it_runs(progress: streamer.Progress) -> None:
    if progress.done:
        raise LookupError("of the caller's")


def test_an_error_of_the_observer_ends_a_run_in_good_order(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="of the caller's") as raised:
        streamer.replay(clip, observer=fails_when_it_runs, out=tmp_path / "out", **ENDLESS)
    assert raised.value.__context__ is None, "what ended the run is no part of the caller's error"
    run = streamer.open_run(tmp_path / "out")
    assert run.interrupted == "an error of the observer"
    assert not (tmp_path / "out" / "traceback.txt").exists(), "it is no fault of streamer's"


def test_an_error_of_the_observer_before_the_run_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    seen: list[streamer.Progress] = []

    def observer(progress: streamer.Progress) -> None:
        seen.append(progress)
        raise LookupError("at once")

    with pytest.raises(LookupError, match="at once"):
        streamer.replay(clip, observer=observer, out=tmp_path / "out", **ENDLESS)
    assert len(seen) == 1
    assert not (tmp_path / "out").exists()


def test_an_error_of_the_observer_ends_an_awaited_run(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="of the caller's"):
        asyncio.run(streamer.aio.replay(clip, observer=fails_when_it_runs, out=tmp_path / "out", **ENDLESS))
    assert streamer.open_run(tmp_path / "out").interrupted == "an error of the observer"


def test_an_observer_may_call_streamer_in_an_awaited_run(clip: Path, tmp_path: Path) -> None:
    inner: list[streamer.Run] = []
    stops: list[Stop | None] = []

    def observer(progress: streamer.Progress) -> None:
        if not inner:
            stops.append(current_stop.get())
            inner.append(
                streamer.replay(clip, engine="null", frames=2, video="none", chart=False, out=tmp_path / "in")
            )

    run = asyncio.run(
        streamer.aio.replay(clip, engine="null", frames=3, observer=observer, chart=False, out=tmp_path / "out")
    )
    assert run.manifest["frames"]["scheduled"] == 3
    assert inner[0].manifest["frames"]["scheduled"] == 2
    assert stops == [None], "the stop of the outer call is not that of the inner one"


DAEMON = """
import threading
import streamer

runs = threading.Event()
def observer(progress):
    if progress.done:
        runs.set()
options = {"engine": "ir", "model": MODEL, "video": "none", "chart": False, "loop": True, "fps": "max"}
call = lambda: streamer.replay(CLIP, observer=observer, out="out", **options)
threading.Thread(target=call, daemon=True).start()
runs.wait()
print("ended")
"""


def test_a_call_that_a_program_leaves_behind_ends_in_good_order(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    code = DAEMON.replace("MODEL", repr(str(tiny_model))).replace("CLIP", repr(str(clip)))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
    assert streamer.open_run(tmp_path / "out").interrupted == "the end of the program"
