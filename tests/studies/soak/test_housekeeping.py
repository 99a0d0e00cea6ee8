"""What the system refuses to housekeeping ends a soak with everything written, and with one line."""

from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from streamer.errors import SinkError
from streamer.rundir.compressor import Compressor
from streamer.verification import verify
from tests import runs
from tests.videos import write_video


def once_it_runs(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: Exception, rows: Path) -> None:
    """From when there are rows on, what the system is asked for is refused."""
    before = getattr(owner, name)

    def asked(*given: Any, **more: Any) -> Any:
        if rows.is_file() and rows.read_bytes().count(b"\n") > 5:
            raise error
        return before(*given, **more)

    monkeypatch.setattr(owner, name, asked)


@pytest.mark.parametrize(
    ("owner", "name", "error", "says"),
    [
        (psutil.Process, "num_threads", psutil.AccessDenied(1), "housekeeping: could not end a window: (pid=1)"),
        (psutil, "cpu_times", psutil.AccessDenied(7), "housekeeping: could not look at the machine: (pid=7)"),
        (psutil, "cpu_freq", RuntimeError("no"), "this is a fault of streamer's, or a library has changed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_look_that_is_refused(
    owner: Any,
    name: str,
    error: Exception,
    says: str,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    once_it_runs(monkeypatch, owner, name, error, tmp_path / "soak" / "part-0" / "frames.csv")
    assert says in ended_whole(tiny_model, tmp_path)


def test_a_process_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compressor = Compressor()
    compressor.start().kill()
    (tmp_path / "frames.0000.csv").write_text("rows\n")
    compressor.take([tmp_path / "frames.0000.csv"])  # its process has gone: the next piece takes another one

    def refuse(*_: Any, **more: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(
        SinkError, match=r"segments cannot be compressed: cannot start a process with .*: Resource temporarily"
    ):
        compressor.take([])
    compressor.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["frames.0000.csv.gz"]


def test_a_segment_that_cannot_be_released(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("frames.0000"):
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        before(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    assert "housekeeping: could not cut the files: " in ended_whole(tiny_model, tmp_path, "--keep", "1")


def ended_whole(model: Path, place: Path, *more: str) -> str:
    """Runs a soak that ends by an error: its one line, when everything is written."""
    write_video(place / "clip.mp4", 30)
    asked = ["--engine", "null", "--model", str(model), "--fps", "100", "--duration", "8s", "--window", "0.5s"]
    asked += [
        "--canary",
        "1s",
        "--segment",
        "0.5s",
        "--no-chart",
        "--video",
        "none",
        "--json",
        "--out",
        "soak",
        *more,
    ]
    done = runs.streamer("soak", "clip.mp4", *asked, cwd=place)
    assert done.code == 1
    part = place / "soak" / "part-0"
    assert runs.manifest(part)["verdict"] == "FAILED"
    assert verify(part).valid, verify(part).reasons
    document = json.loads((place / "soak" / "soak.json").read_text())
    assert document == json.loads(done.out)
    assert document["lasted_s"] < 8
    line = done.err.splitlines()[-1]  # behind those of the windows
    assert done.err.count("streamer: ") == 1
    return line.removeprefix("streamer: ")
