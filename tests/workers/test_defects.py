"""An error that nobody raised on purpose is one line with the versions and the file that holds its traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from streamer.errors import Defect, SinkError, SourceError
from streamer.files.cache import cache_dir
from streamer.vendors.versions import line
from streamer.verification import verify
from streamer.workers.defects import as_streamer_error
from tests import runs
from tests.runs import ROOT, Finished, check_conserved, manifest
from tests.videos import write_video

BROKEN = """
import sys
sys.path.insert(0, {root!r})
{breaking}
sys.argv = ["streamer", *{arguments!r}]
from streamer.cli.main import main
main()
"""
SINK = """
from streamer.sink.sink import FileSink
def write(self, item):
    raise ZeroDivisionError("of rtsp://user:secret@camera/live")
FileSink.write = write
"""
OPENING = """
import streamer.run.open_sources
def open_source(*arguments, **more):
    raise AttributeError("'Stream' has no 'guessed_rate'")
streamer.run.open_sources.open_source = open_source
"""
CHART = """
import streamer.run.run
def draw(*arguments):
    raise TypeError("unexpected keyword")
streamer.run.run.draw_latency = draw
"""
HOUSEKEEPING = """
from streamer.run.measurements import Measurements
def sample(self, collections):
    raise LookupError("there is no such counter")
Measurements.sample = sample
"""


def broken(breaking: str, folder: Path, *arguments: str | Path) -> Finished:
    """The command with something in it broken."""
    code = BROKEN.format(root=str(ROOT), breaking=breaking, arguments=[str(argument) for argument in arguments])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=runs.environment(), capture_output=True, text=True, check=False
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def replay(tiny_model: Path) -> tuple[str | Path, ...]:
    return ("replay", "clip.mp4", "--engine", "null", "--model", tiny_model, "--quiet", "--out", "run")


@pytest.mark.parametrize(
    ("breaking", "name"),
    [(SINK, "ZeroDivisionError"), (CHART, "TypeError"), (HOUSEKEEPING, "LookupError")],
    ids=["sink", "chart", "housekeeping"],
)
def test_a_defect_in_a_run_is_one_line_and_what_was_written_is_kept(
    breaking: str, name: str, tmp_path: Path, tiny_model: Path
) -> None:
    write_video(tmp_path / "clip.mp4", 12)
    done = broken(breaking, tmp_path, *replay(tiny_model))
    assert done.code == 1
    assert done.error.startswith(f"{name}: ")
    assert "run/traceback.txt" in done.error
    assert line().partition(", ffmpeg")[0] in done.error
    text = (tmp_path / "run" / "traceback.txt").read_text()
    assert "Traceback (most recent call last)" in text
    assert f"numpy {manifest(tmp_path / 'run')['versions']['numpy']}" in text
    assert "secret" not in text + done.error
    check_conserved(tmp_path / "run")
    verification = verify(tmp_path / "run")
    assert verification.reasons == []


def test_a_defect_in_the_pipeline_makes_the_run_failed(tmp_path: Path, tiny_model: Path) -> None:
    write_video(tmp_path / "clip.mp4", 12)
    broken(SINK, tmp_path, *replay(tiny_model))
    document = manifest(tmp_path / "run")
    assert document["verdict"] == "FAILED"
    assert document["error"].startswith("ZeroDivisionError: ")


def test_a_defect_before_anything_is_written_has_its_traceback_in_the_cache(tmp_path: Path, tiny_model: Path) -> None:
    write_video(tmp_path / "clip.mp4", 3)
    done = broken(OPENING, tmp_path, *replay(tiny_model))
    assert done.code == 1
    assert done.error.startswith("AttributeError: 'Stream' has no 'guessed_rate': ")
    assert not (tmp_path / "run").exists()
    (path,) = [word.rstrip(";,") for word in done.error.split() if word.startswith(str(cache_dir() / "errors"))]
    assert "guessed_rate" in Path(path).read_text()


def test_debug_shows_the_traceback(tmp_path: Path, tiny_model: Path) -> None:
    write_video(tmp_path / "clip.mp4", 3)
    done = broken(OPENING, tmp_path, *replay(tiny_model), "--debug")
    assert "Traceback (most recent call last)" in done.err
    assert done.err.splitlines()[-1].startswith("streamer: AttributeError: ")


def test_an_engine_of_its_own_process_that_has_a_defect_ends_the_run_in_one_line(
    tmp_path: Path, tiny_model: Path
) -> None:
    write_video(tmp_path / "clip.mp4", 3)
    # The child imports the modules anew: it is broken by what it is given, a model that has no output shape.
    breaking = """
import streamer.engines.isolated as isolated
from dataclasses import replace
child = isolated.Child
isolated.Child = lambda work, spec, model, *rest: child(work, spec, replace(model, files=None), *rest)
"""
    done = broken(breaking, tmp_path, *replay(tiny_model), "--engine", "ir", "--respawn", "1")
    assert done.code == 1
    assert "TypeError" in done.error
    assert "traceback is in" in done.error


def test_a_group_of_streamers_own_errors_is_the_first_of_them() -> None:
    group = ExceptionGroup("", [ExceptionGroup("", [SourceError("the camera is gone")]), SinkError("disk full")])
    found = as_streamer_error(group)
    assert isinstance(found, SourceError)


def test_a_group_with_a_stranger_in_it_is_a_defect_that_names_it(tmp_path: Path) -> None:
    group = ExceptionGroup("", [SourceError("the camera is gone"), KeyError("fps")])
    found = as_streamer_error(group, tmp_path)
    assert isinstance(found, Defect)
    assert str(found).startswith("KeyError: 'fps': ")
    assert found.__cause__ is group


def test_a_traceback_that_cannot_be_written_is_no_second_error(tmp_path: Path) -> None:
    found = as_streamer_error(KeyError("fps"), tmp_path / "nowhere")
    assert "run it with --debug for the traceback" in str(found)
