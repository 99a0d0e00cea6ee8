"""Where the user's cache cannot be written, a run makes what it needs for itself, and says so."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.errors import CacheError
from streamer.files import cache
from tests import runs
from tests.runs import BUNDLED_MODEL, manifest, needs_bundled
from tests.videos import write_video


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What earlier tests found out about a cache, and what stands in for it, is forgotten."""
    cache._place.cache_clear()
    yield
    cache._place.cache_clear()
    cache.remove_temporary()


def without_home(name: str) -> str:
    """As platformdirs answers a user who has neither HOME nor an entry in passwd."""
    raise RuntimeError("could not determine the home directory for '~/.cache'")


@pytest.fixture(params=["a file in its way", "a file system that takes none", "no home", "no home, of old"])
def unwritable(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cache that cannot be written, also by root; why."""
    if request.param.startswith("no home"):
        monkeypatch.delenv("STREAMER_CACHE")
        found = without_home if request.param == "no home" else "~/.cache/{}".format
        monkeypatch.setattr("streamer.files.cache.platformdirs.user_cache_dir", found)
        return "this user has no home directory"
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" if request.param == "a file in its way" else Path("/proc/self/streamer")
    monkeypatch.setenv("STREAMER_CACHE", str(place / "cache"))
    return f"the cache {place / 'cache'} cannot be written"


def test_a_cache_that_can_be_written_is_used_and_needs_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "new" / "cache"))
    assert cache.kept() == cache.kept_or_temporary() == tmp_path / "new" / "cache"
    assert cache.note() is None
    assert list((tmp_path / "new" / "cache").iterdir()) == []


def test_what_stands_in_for_it_is_temporary_and_the_note_names_the_variable(unwritable: str) -> None:
    place = cache.kept_or_temporary()
    assert place.is_dir()
    assert place.parent == Path(tempfile.gettempdir())
    assert cache.kept_or_temporary() == place, "the whole process has one"
    note = cache.note()
    assert note is not None
    assert unwritable in note
    assert "STREAMER_CACHE" in note
    cache.remove_temporary()
    assert not place.exists()


def test_what_is_to_be_kept_is_refused_with_the_mend(unwritable: str) -> None:
    with pytest.raises(CacheError, match="set STREAMER_CACHE to a directory that can be written") as refused:
        cache.kept()
    assert unwritable in str(refused.value)


def test_the_working_directory_is_no_temporary_place(
    unwritable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(tempfile, "gettempdir", os.getcwd)  # what Python falls back to
    monkeypatch.setattr(cache, "_IN_MEMORY", tmp_path / "shm")
    with pytest.raises(CacheError, match="nor a temporary directory: set STREAMER_CACHE"):
        cache.kept_or_temporary()
    assert "nor a temporary directory: set STREAMER_CACHE" in (cache.note() or ""), "what needs no cache runs"
    assert list((tmp_path / "work").iterdir()) == []
    (tmp_path / "shm").mkdir()
    cache._place.cache_clear()
    assert cache.kept_or_temporary().parent == tmp_path / "shm"


@pytest.mark.slow
@needs_bundled
def test_a_replay_of_an_onnx_file_makes_its_ir_for_itself_leaves_nothing_and_notes_it(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 5)
    (tmp_path / "tmp").mkdir()
    done = runs.process(
        *("replay", clip, "--engine", "ir", "--policy", "wait", "--warmup", "1", "--out", "run"),
        cwd=tmp_path,
        more={"STREAMER_CACHE": "/proc/self/streamer", "TMPDIR": str(tmp_path / "tmp")},
    )
    assert done.code == 0, done.err
    assert "note: the cache /proc/self/streamer cannot be written" in done.err
    assert [note for note in manifest(tmp_path / "run")["notes"] if "STREAMER_CACHE" in note]
    assert list((tmp_path / "tmp").iterdir()) == []


@needs_bundled
def test_an_import_that_cannot_be_kept_is_refused_with_the_mend(tmp_path: Path) -> None:
    shutil.copy(BUNDLED_MODEL.with_name("model.onnx"), tmp_path / "mine.onnx")
    done = runs.process(
        *("models", "import", "mine.onnx"), cwd=tmp_path, more={"STREAMER_CACHE": "/proc/self/streamer"}
    )
    assert "set STREAMER_CACHE to a directory that can be written" in done.error
    assert done.code == 1
