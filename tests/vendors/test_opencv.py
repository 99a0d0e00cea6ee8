"""An OpenCV that cannot be loaded is an error of one line with its mends, and only where it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from streamer.errors import LibraryMissing
from streamer.vendors.opencv import cv2, opencv_quiet, why_not
from tests import runs
from tests.runs import ROOT, Finished
from tests.videos import write_video

MISSING = "libGL.so.1: cannot open shared object file: No such file or directory"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ImportError(MISSING), "libGL.so.1 is missing"),
        (ImportError("libgthread-2.0.so.0: cannot open shared object file"), "libgthread-2.0.so.0 is missing"),
        (ImportError("libxcb.so.1: cannot open shared object file"), "libxcb.so.1 is missing"),
        (ImportError("libnew-9.so.3: cannot open shared object file"), "libnew-9.so.3 is missing"),
        (ImportError("numpy.core.multiarray failed to import"), "(numpy.core.multiarray failed to import)"),
        (ModuleNotFoundError("No module named 'cv2'", name="cv2"), "not installed: pip install"),
    ],
    ids=str,
)
def test_each_way_to_fail_names_what_is_missing_and_the_mend(error: ImportError, says: str) -> None:
    text = why_not(error)
    assert says in text
    assert "opencv-python-headless" in text
    assert "apt-get install" in text or ".so" not in text
    assert "\n" not in text


@pytest.mark.parametrize("library", ["libGL.so.1", "libxcb.so.1", "libgthread-2.0.so.0", "libglib-2.0.so.0"])
def test_a_desktop_is_installed_at_once_whichever_of_its_libraries_is_missed_first(library: str) -> None:
    text = why_not(ImportError(f"{library}: cannot open shared object file: No such file or directory"))
    assert f"{library} is missing: on Debian apt-get install libgl1 libglib2.0-0; or pip uninstall" in text


def without_opencv(folder: Path, *arguments: str | Path) -> Finished:
    """The command where a system library of OpenCV's is missing."""
    module = folder / "without" / "cv2"
    module.mkdir(parents=True, exist_ok=True)
    (module / "__init__.py").write_text(f"raise ImportError({MISSING!r})\n")
    path = os.pathsep.join([str(module.parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "streamer", *map(str, arguments)],
        cwd=folder, env=runs.environment({"PYTHONPATH": path}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [("devices",), ("models", "list"), ("replay", "--help"), ("soak", "--help"), ("engines", "--help")],
    ids=" ".join,
)
def test_what_needs_no_opencv_runs_without_it(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = without_opencv(tmp_path, *arguments)
    assert (done.code, done.err) == (0, "")


def test_a_finished_run_is_verified_without_opencv(tmp_path: Path, tiny_model: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 5)
    done = runs.streamer("replay", clip, "--engine", "null", "--model", tiny_model, "--out", "run", cwd=tmp_path)
    assert done.code == 0
    done = without_opencv(tmp_path, "verify", "run")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("VALID")


@pytest.mark.parametrize("source", ["clip.mp4", "picture.png", "synthetic:street"])
def test_what_needs_opencv_is_one_line_with_both_mends_and_leaves_nothing(
    source: str, tmp_path: Path, tiny_model: Path
) -> None:
    write_video(tmp_path / "clip.mp4", 5)
    cv2.imwrite(str(tmp_path / "picture.png"), cv2.UMat(48, 64, cv2.CV_8UC3).get())
    done = without_opencv(tmp_path, "replay", source, "--frames", "3", "--engine", "ir", "--model", tiny_model)
    assert done.error.startswith("OpenCV cannot be loaded, libGL.so.1 is missing: ")
    assert "apt-get install libgl1" in done.error
    assert "opencv-python-headless" in done.error
    assert done.code == 1
    assert not (tmp_path / "runs").exists()


def test_opencv_says_nothing_within_and_has_its_old_level_after() -> None:
    log = getattr(cv2.utils, "logging", cv2)
    before = log.getLogLevel()
    with opencv_quiet():
        assert log.getLogLevel() == 0
    assert log.getLogLevel() == before


def test_opencv_stays_quiet_until_the_last_thread_that_wants_it_so_has_left() -> None:
    log = getattr(cv2.utils, "logging", cv2)
    before = log.getLogLevel()
    first, second = opencv_quiet(), opencv_quiet()
    with ExitStack() as stack:
        with first:
            stack.enter_context(second)
        assert log.getLogLevel() == 0
    assert log.getLogLevel() == before


def test_a_missing_library_is_one_of_streamers_own_errors() -> None:
    assert LibraryMissing("x").exit_code == 1
