"""What cannot be read is neither VALID nor INVALID: nothing was found wrong, nor looked at."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

import streamer
from streamer.errors import StreamerError
from streamer.settings.settings import Settings
from streamer.verification import verify
from tests import runs
from tests.videos import write_video

SAYS = "that says nothing of the run: make it readable, and try again"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    place = tmp_path_factory.mktemp("finished")
    settings = Settings(engine="null", model=str(tiny_model), fps="max", chart=False, warmup=0, out=place / "run")
    streamer.replay(write_video(place / "clip.mp4", 5), settings)
    return place / "run"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return copytree(finished, tmp_path / "run")


@contextmanager
def not_as_root(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In ``place``, and as a user whom permissions hold back."""
    place.chmod(0o755)
    monkeypatch.chdir(place)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="permissions are of another kind there")
@pytest.mark.parametrize("name", ["run.json", "frames.csv", "detections.csv", "annotated.mp4", ""])
def test_what_this_user_may_not_read(name: str, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / name).chmod(0)
    with not_as_root(run.parent, monkeypatch), pytest.raises(StreamerError, match="Permission denied") as refused:
        verify(Path("run"))
    (run / name).chmod(0o755)
    assert str(refused.value) == f"cannot look at {Path('run', name)}: Permission denied; {SAYS}"
    assert refused.value.exit_code == 1
    assert verify(run).valid


@pytest.mark.skipif(os.name == "nt", reason="permissions are of another kind there")
def test_a_directory_that_may_be_read_and_not_entered_or_lies_in_one(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mode, path, first in ((0o444, "run", "run/annotated.mp4"), (0, "run/in/it", "run/in/it")):
        run.chmod(mode)
        with not_as_root(run.parent, monkeypatch), pytest.raises(StreamerError, match=f"look at {first}: Permission"):
            verify(Path(path))
    run.chmod(0o755)


@pytest.mark.parametrize("name", ["run.json", "frames.csv", "detections.csv", "annotated.mp4"])
@pytest.mark.parametrize(("target", "why"), [(None, errno.ELOOP), ("/proc/self/mem", errno.EIO)])
def test_what_the_system_cannot_read(name: str, target: str | None, why: int, run: Path, tmp_path: Path) -> None:
    if target is not None and not Path(target).exists():
        pytest.skip(f"the system has no {target}")
    (run / name).unlink()
    (run / name).symlink_to(target or name)
    for more in ((), ("--json",), ("--repair",)):
        done = runs.streamer("verify", "run", *more, cwd=tmp_path)
        assert (done.code, done.out) == (1, "")
        assert done.error == f"cannot look at run/{name}: {os.strerror(why)}; {SAYS}"


def test_a_disk_that_fails_on_the_way(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: Any, name: str) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO), file.name)

    monkeypatch.setattr(hashlib, "file_digest", fail)
    with pytest.raises(StreamerError, match=r"cannot look at .*annotated\.mp4: Input/output error"):
        verify(run)
    (run / "detections.csv").write_text("")
    assert not verify(run).valid, "what was found wrong is wrong"


def test_what_is_no_file_or_not_there_is_found_wrong(run: Path) -> None:
    (run / "detections.csv").unlink()
    (run / "annotated.mp4").unlink()
    (run / "annotated.mp4").mkdir()
    found = verify(run)
    assert not found.valid
    assert "detections.csv: is missing" in found.reasons


@pytest.mark.parametrize("name", ["run.json", "frames.csv", "detections.csv", "annotated.mp4"])
def test_a_pipe_is_not_waited_for(name: str, run: Path, tmp_path: Path) -> None:
    (run / name).unlink()
    os.mkfifo(run / name)
    done = runs.streamer("verify", run, cwd=tmp_path)
    assert done.code == 1
    assert done.err.endswith(f"{name}: it is no file; put the run's own in its place\n")
