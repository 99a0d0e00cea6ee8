"""Who calls the library need not be a module that can be imported again: its body runs once, whatever is started."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import runs
from tests.runs import ROOT, environment
from tests.videos import write_video

pytestmark = pytest.mark.slow

BODY = """
import sys
print("body")
import streamer
from pathlib import Path
settings = streamer.Settings(
    engine="null,delay_ms=2", {more}, policy=streamer.Policy.WAIT, video=streamer.Video.NONE, chart=False,
    out=Path("run"), frames=20,
)
run = streamer.replay("clip.mp4", settings)
print(run.manifest["verdict"], run.manifest["frames"]["delivered"], len(run.manifest["replacements"]))
"""
RESPAWN, LOAD = "respawn=1", "load=('cpu=0.5',), respawn=1"
AFTER = "body\nVALID 20 0\n"
IN_A_THREAD = """
from threading import Thread
code = compile({body!r}, "<the thread>", "exec")
thread = Thread(target=exec, args=(code, {{}}))
thread.start()
thread.join()
"""
BY_RUNPY = """
import runpy, sys
runpy.run_path({script!r}, run_name="__main__")
"""
UNFIT = """
import sys
if sys.argv[1:] != ["the first time"]:
    raise SystemExit("imported again")
class Unfit:
    def __reduce__(self):
        raise TypeError("a script's own object")
sys.modules["__main__"].own = Unfit()
"""
ELSEWHERE = """
import os, sys
sys.path[:] = [place for place in sys.path if place != {root!r}]
sys.path.append({root!r})
del os.environ["PYTHONPATH"]
"""
HERE_AND_AWAY = """
import os, sys
os.chdir({root!r})
sys.path[:] = ["", *(place for place in sys.path if place != {root!r})]
del os.environ["PYTHONPATH"]
import streamer
os.chdir({folder!r})
assert streamer.__file__.startswith({root!r})
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a script runs: it has a clip."""
    write_video(tmp_path / "clip.mp4", 30)
    return tmp_path


def output(command: Sequence[str | Path], folder: Path, *, given: str | None = None) -> str:
    """The standard output of a program, which has succeeded and printed no error."""
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment(), input=given, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("more", [RESPAWN, LOAD])
@pytest.mark.parametrize("way", ["script", "-c", "-", "thread", "runpy"])
def test_a_program_without_a_guard_runs_its_body_once(way: str, more: str, folder: Path) -> None:
    body = BODY.format(more=more)
    (folder / "script.py").write_text(body)
    match way:
        case "-c":
            out = output(["-c", body], folder)
        case "-":
            out = output(["-"], folder, given=body)
        case "thread":
            out = output(["-c", IN_A_THREAD.format(body=body)], folder)
        case "runpy":
            out = output(["-c", BY_RUNPY.format(script="script.py")], folder)
        case _:
            out = output(["script.py"], folder)
    assert out == AFTER
    assert runs.manifest(folder / "run")["load"] is None if more == RESPAWN else runs.manifest(folder / "run")["load"]


def test_a_program_that_would_fail_when_it_is_imported_is_not(folder: Path) -> None:
    (folder / "script.py").write_text(UNFIT + BODY.format(more=LOAD))
    assert output(["script.py", "the first time"], folder) == AFTER


def test_where_a_program_says_to_look_for_modules_a_child_looks_too(folder: Path) -> None:
    (folder / "script.py").write_text(ELSEWHERE.format(root=str(ROOT)) + BODY.format(more=LOAD))
    assert output(["script.py"], folder) == AFTER


def test_a_child_is_of_the_same_streamer_wherever_its_parent_has_gone(folder: Path) -> None:
    other = folder / "streamer"
    other.mkdir()
    (other / "__init__.py").write_text("raise SystemExit('not the one')")
    before = HERE_AND_AWAY.format(root=str(ROOT), folder=str(folder))
    (folder / "script.py").write_text(before + BODY.format(more=RESPAWN))
    assert output(["-P", "script.py"], folder) == AFTER


def test_a_program_without_standard_streams_starts_children_as_well(folder: Path) -> None:
    (folder / "script.py").write_text(BODY.format(more=LOAD))
    subprocess.run(
        ["bash", "-c", '"$0" script.py <&- >&- 2>&-', sys.executable], cwd=folder, env=environment(), check=True
    )
    assert runs.manifest(folder / "run")["verdict"] == "VALID"


COMPARE = """
print("body")
import sys
sys.argv = {arguments!r}
from streamer.cli.main import main
main()
"""


def test_a_comparison_out_of_a_program_without_a_guard(folder: Path, tiny_model: Path) -> None:
    options = [
        "--model",
        str(tiny_model),
        "--engine",
        "null,delay_ms=2",
        "--engine",
        "null,delay_ms=4",
        "--fps",
        "25",
    ]
    arguments = ["streamer", "compare", "clip.mp4", *options, "--loop", "--duration", "2s", "--no-chart", "--json"]
    (folder / "script.py").write_text(COMPARE.format(arguments=[*arguments, "--quiet", "--out", "out"]))
    first, _, document = output(["script.py"], folder).partition("\n")
    assert first == "body"
    figures: list[dict[str, Any]] = json.loads(document)["engines"]
    assert len(figures) == 2, "and nothing else was printed"
