"""The wheel carries the bundled model and clip, and works from anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.runs import check_conserved


def test_the_wheel_has_the_model_the_clip_and_nothing_of_the_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "streamer/py.typed",
        "streamer/bundled/models/street/model.onnx",
        "streamer/bundled/models/street/model.pt",
        "streamer/bundled/models/street/metadata.json",
        "streamer/bundled/samples/street.mp4",
        "streamer/bundled/samples/street.json",
        "streamer/cli/replay.py",
        "streamer/street/traffic.py",
    ):
        assert wanted in names
    assert {name.split("/")[0] for name in names if not name.startswith("streamer-")} == {"streamer"}


@pytest.mark.slow
def test_the_wheel_replays_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    clip = site / "streamer" / "bundled" / "samples" / "street.mp4"
    done = subprocess.run(
        [sys.executable, "-m", "streamer", "replay", str(clip), "--frames", "5", "--policy", "wait", "--out", "run"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "the bundled model knows the bundled clip: there is nothing to note"
    assert check_conserved(tmp_path / "run")["delivered"] == 5
