"""A run says which versions it was made with, and which of them nobody has tested."""

from __future__ import annotations

import configparser
import json
import platform
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import av
import pytest

from streamer.vendors import versions
from tests import record_tested, runs
from tests.runs import ROOT, manifest
from tests.videos import write_video

pytestmark = pytest.mark.extras

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")


def required(text: str) -> list[str]:
    """The names of the packages in a list of requirements."""
    return re.findall(r"^([a-z][a-z0-9-]*)", text, re.MULTILINE)


def test_every_dependency_is_looked_up() -> None:
    extras = SETUP["options.extras_require"]
    assert set(required(SETUP["options"]["install_requires"])) <= set(versions.BASE)
    assert {name for extra in ("torch", "onnxruntime", "quantize") for name in required(extras[extra])} == set(
        versions.EXTRAS
    )


def test_every_dependency_has_a_floor_and_the_newest_that_was_tested_is_known() -> None:
    extras = SETUP["options.extras_require"]
    listed = SETUP["options"]["install_requires"] + "".join(extras[extra] for extra in extras if extra != "all")
    for requirement in listed.split("\n"):
        assert not requirement.strip() or ">=" in requirement, f"{requirement}: the lowest version is missing"
    known = versions.tested()
    assert set(required(SETUP["options"]["install_requires"])) <= set(known)
    assert set(versions.EXTRAS) <= set(known)
    served = re.findall(r":: Python :: (3\.\d+)$", SETUP["metadata"]["classifiers"], re.MULTILINE)
    assert known["python"] == max(served, key=lambda version: int(version.split(".")[1]))


@pytest.mark.parametrize(
    ("found", "known", "newer"),
    [
        ("19.0.2", "19.0.2", False),
        ("19.0.3", "19.0.2", True),
        ("19.0.10", "19.0.9", True),
        ("18.1.0", "19.0.2", False),
        ("20.0", "19.0.2", True),
        ("3.13.9", "3.13", False),
        ("3.14.0", "3.13", True),
        ("2.14.1+cpu", "2.14.1", False),
        ("2026.5.0rc1", "2026.4.1", True),
        ("unknown", "1.0", False),
    ],
)
def test_a_version_is_newer_as_far_as_the_tested_one_goes(found: str, known: str, newer: bool) -> None:
    assert versions.is_newer(found, known) is newer


def test_a_run_records_the_installed_versions(tmp_path: Path, tiny_model: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 5)
    done = runs.streamer("replay", clip, "--engine", "null", "--model", tiny_model, "--out", "run", cwd=tmp_path)
    assert done.code == 0, done.err
    found = manifest(tmp_path / "run")["versions"]
    assert found["python"] == platform.python_version()
    assert found["av"] == av.__version__
    assert found["ffmpeg"] == av.ffmpeg_version_info
    assert any(name in found for name in versions.OPENCV)
    assert not [note for note in manifest(tmp_path / "run")["notes"] if "not tested" in note]


def test_a_version_above_the_tested_ones_is_a_note_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "tested", lambda: {**versions.versions(), "av": "1.0", "numpy": "999"})
    note = versions.note()
    assert note is not None
    assert f"av {av.__version__} (tested up to 1.0)" in note
    assert "numpy" not in note


def test_of_the_extras_only_what_is_loaded_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "tested", lambda: {"nncf": "1.0"})
    monkeypatch.setattr(versions, "versions", lambda: {"nncf": "2.0"})
    monkeypatch.delitem(sys.modules, "nncf", raising=False)
    assert versions.note() is None
    monkeypatch.setitem(sys.modules, "nncf", sys)
    assert versions.note() == "streamer was not tested with versions as new as these: nncf 2.0 (tested up to 1.0)"


def test_either_build_of_opencv_is_the_tested_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "tested", lambda: {"opencv-python": "5.0"})
    monkeypatch.setattr(versions, "versions", lambda: {"opencv-python-headless": "5.1"})
    assert "opencv-python-headless 5.1 (tested up to 5.0)" in (versions.note() or "")


def test_a_pass_with_untested_versions_takes_them_for_tested_while_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.json"
    before = json.dumps(versions.tested())
    table.write_text(before, encoding="utf-8")
    monkeypatch.setattr(record_tested, "PATH", table)
    monkeypatch.setattr(record_tested, "versions", lambda: {"python": "3.99.1", "av": "1.0", "numpy": "999.0"})
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    config = cast(pytest.Config, SimpleNamespace(stash=pytest.Stash()))
    record_tested.pytest_configure(config)
    meanwhile = json.loads(table.read_text(encoding="utf-8"))
    assert meanwhile == {**json.loads(before), "python": "3.99", "numpy": "999.0"}
    record_tested.pytest_unconfigure(config)
    assert table.read_text(encoding="utf-8") == before


def test_the_table_is_sorted_and_plain(tmp_path: Path) -> None:
    table = json.loads((ROOT / "streamer/vendors" / versions.TESTED).read_text(encoding="utf-8"))
    assert list(table) == sorted(table)
    assert all(re.fullmatch(r"\d+(\.\d+)*", version) for version in table.values())
