"""Notebooks, run for real: results that show themselves, bars, interruption, and calls that are awaited."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import streamer
from tests.runs import check_conserved, environment, manifest, needs_bundled
from tests.verified import runs_verified

pytest.importorskip("nbclient", reason="nbclient is not installed: no notebook can be run")
pytest.importorskip("ipykernel", reason="ipykernel is not installed: no notebook can be run")

if TYPE_CHECKING:
    from tests.notebooks.notebook import Notebook

pytestmark = pytest.mark.slow

NULL = "engine='null,delay_ms=2', model=MODEL, video='none', chart=False, warmup=0"
ENDLESS = f"{NULL}, frames=100_000, fps=200"
HTML, TEXT = "text/html", "text/plain"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels, and what looks for them, write nothing into the user's home."""
    home = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)


def run(cells: Sequence[str], cwd: Path, model: Path, *, interrupted: int | None = None) -> Notebook:
    """The notebook, run; before its first cell stands what all of them use, which is cell 0."""
    from tests.notebooks.notebook import Notebook

    first = f"import streamer\nMODEL, CLIP = {str(model)!r}, 'synthetic:street'"
    return Notebook([first, *cells], cwd, interrupted=interrupted).run()


def check_bar(done: Notebook, cell: int) -> list[str]:
    """A bar came with the cell, showed the progress and went; returns its lines."""
    (first, _), *updates = done.displays(cell)
    assert first == "display_data"
    assert {kind for kind, _ in updates} == {"update_display_data"}
    *steps, (_, last) = updates
    assert all("<progress" in shown[HTML] and "<script" not in shown[HTML] for _, shown in steps)
    assert last == {HTML: "", TEXT: ""}
    assert [output["data"] for output in done.outputs(cell, "display_data")] == [last]
    return [shown[TEXT] for _, shown in steps]


def test_runs_show_a_bar_and_then_their_sentence_table_and_chart(tmp_path: Path, tiny_model: Path) -> None:
    charted = NULL.replace("chart=False", "out='charted'")
    done = run(
        [
            f"streamer.replay(CLIP, frames=20, fps=40, {charted})",
            f"run = streamer.replay(CLIP, frames=5, fps=40, out='kept', {NULL})",
            "print(run)",
            f"streamer.replay(CLIP, frames=5, fps=40, observer=lambda progress: None, {NULL})",
        ],
        tmp_path,
        tiny_model,
    )
    lines = check_bar(done, 1)
    assert lines[0] == "null,delay_ms=2: reading, compiling, warming up: 0 of 20 frames"
    shown = done.result(1)
    html = shown[HTML]
    assert manifest(tmp_path / "charted")["answer"] in shown[TEXT]
    assert html.count("<table") == html.count("<img") == 1
    assert 'src="data:image/png;base64,iVBOR' in html
    assert "<script" not in html
    check_bar(done, 2)
    assert done.printed(3).startswith("<Run kept: ")
    assert done.displays(4) == []
    assert done.result(4)[HTML]


@needs_bundled
def test_the_bundled_model_runs_in_openvino(tmp_path: Path, tiny_model: Path) -> None:
    options = "engine='ir', frames=12, fps='max', chart=False, video='none', out='run'"
    done = run([f"streamer.replay(CLIP, {options})", "2 + 2"], tmp_path, tiny_model)
    check_bar(done, 1)
    assert "Closed loop" in done.result(1)[HTML]
    assert done.result(2)[TEXT] == "4"
    assert check_conserved(tmp_path / "run")["delivered"] == 12


@pytest.mark.skipif(not hasattr(streamer, "compare"), reason="streamer has no compare yet")
def test_a_comparison_shows_its_table(tmp_path: Path, tiny_model: Path) -> None:
    engines = "engine=['null,delay_ms=2', 'null,delay_ms=4'], model=MODEL, chart=False, out='compared'"
    done = run([f"streamer.compare('{write_clip(tmp_path)}', {engines})"], tmp_path, tiny_model)
    check_bar(done, 1)
    html = done.result(1)[HTML]
    assert html.count("<table") == 1
    assert "null,delay_ms=4" in html


def write_clip(folder: Path) -> Path:
    """A video of two rounds and a little more."""
    from tests.videos import write_video

    return write_video(folder / "clip.mp4", 60)


def test_a_run_with_a_load_and_an_engine_in_a_process_of_its_own(tmp_path: Path, tiny_model: Path) -> None:
    options = "engine='null,delay_ms=2', model=MODEL, chart=False, video='none', warmup=0, respawn=1, load='cpu=0.5'"
    done = run([f"streamer.replay(CLIP, frames=20, fps=20, out='run', {options})"], tmp_path, tiny_model)
    check_bar(done, 1)
    assert done.outputs(1, "stream") == []
    assert check_conserved(tmp_path / "run")["delivered"] > 0
    assert manifest(tmp_path / "run")["load"]["took"]["cpu_cores"] > 0


@pytest.mark.parametrize("children", ["", ", respawn=1, load='cpu=0.5'"], ids=["alone", "with children"])
def test_an_interrupted_cell_shows_what_there_was_and_the_next_one_works(
    children: str, tmp_path: Path, tiny_model: Path
) -> None:
    done = run(
        [
            f"streamer.replay(CLIP, out='stopped', {ENDLESS}{children})",
            f"streamer.replay(CLIP, frames=5, fps=40, out='next', {NULL}{children})",
        ],
        tmp_path,
        tiny_model,
        interrupted=1,
    )
    check_bar(done, 1)
    for shown in done.result(1).values():
        assert "INTERRUPTED (SIGINT)" in shown
    stopped = manifest(tmp_path / "stopped")
    assert (stopped["verdict"], stopped["stopped_by"]) == ("INTERRUPTED", "SIGINT")
    assert check_conserved(tmp_path / "stopped")["delivered"] > 0
    check_bar(done, 2)
    assert "INTERRUPTED" not in done.result(2)[HTML]
    assert check_conserved(tmp_path / "next").total() == 5


def test_calls_are_awaited_beside_the_kernels_loop_and_cancelled(tmp_path: Path, tiny_model: Path) -> None:
    done = run(
        [
            f"await streamer.aio.replay(CLIP, frames=5, fps=40, out='awaited', {NULL})",
            "import asyncio\n"
            "runs = asyncio.Event()\n"
            "loop = asyncio.get_running_loop()\n"
            "def observer(progress):\n"
            "    if progress.done:\n"
            "        loop.call_soon_threadsafe(runs.set)\n"
            f"call = streamer.aio.replay(CLIP, observer=observer, out='cancelled', {ENDLESS})\n"
            "task = asyncio.ensure_future(call)\n"
            "await runs.wait()\n"
            "task.cancel()\n"
            "await asyncio.wait([task])\n"
            "task.cancelled()",
            f"streamer.replay(CLIP, frames=5, fps=40, {NULL})",
        ],
        tmp_path,
        tiny_model,
    )
    check_bar(done, 1)
    assert "<table" in done.result(1)[HTML]
    assert done.displays(2) == []
    assert done.result(2)[TEXT] == "True"
    assert manifest(tmp_path / "awaited")["verdict"] == "VALID"
    assert manifest(tmp_path / "cancelled")["verdict"] == "INTERRUPTED"
    assert "<table" in done.result(3)[HTML]


def test_interrupting_a_cell_that_awaits_cancels_the_call(tmp_path: Path, tiny_model: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    with pytest.raises(CellExecutionError, match="CancelledError"):
        run([f"await streamer.aio.replay(CLIP, out='run', {ENDLESS})"], tmp_path, tiny_model, interrupted=1)
    assert manifest(tmp_path / "run")["verdict"] == "INTERRUPTED"
    check_conserved(tmp_path / "run")


def test_the_bar_of_a_call_that_fails_goes_and_the_error_is_shown(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / "plan.toml").write_text('[[fault]]\nkind = "engine-raise"\nframe = 5\n')
    cell = (
        "try:\n"
        f"    streamer.replay(CLIP, frames=20, fps=40, faults='plan.toml', out='failed', {NULL})\n"
        "except streamer.EngineError as error:\n"
        "    print(error)"
    )
    done = run([cell], tmp_path, tiny_model)
    check_bar(done, 1)
    assert re.search(r"frame \d", done.printed(1))
    assert manifest(tmp_path / "failed")["verdict"] == "FAILED"


def test_a_terminal_of_ipython_has_no_bar_and_shows_a_line(tmp_path: Path, tiny_model: Path) -> None:
    code = (
        f"import streamer; MODEL = {str(tiny_model)!r}; print(streamer.replay('synthetic:street', frames=5, {NULL}))"
    )
    with runs_verified(tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", code],
            cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
    (line,) = done.stdout.splitlines()
    assert line.startswith("<Run runs/")
