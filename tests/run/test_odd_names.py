"""Sources with names that no letter, no file system and no library of the terminal is made for."""

from __future__ import annotations

import errno
import json
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.errors import CacheError, SinkError
from streamer.models.derived import keep
from streamer.rundir.csv_file import Reserve
from streamer.rundir.paths import file_name
from streamer.rundir.rundir import RunDir
from streamer.studies.output import RowFile, write_files
from streamer.verification import verify
from tests import runs
from tests.runs import environment, manifest
from tests.videos import write_video

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are no bytes")

NAMES = {
    b"clip-\xff\xfe.mp4": r"clip-\xff\xfe.mp4",
    b"n" * 240 + b".mp4": "n" * 240 + ".mp4",
    "\N{CJK UNIFIED IDEOGRAPH-8F66}".encode() * 80 + b".mp4": "\N{CJK UNIFIED IDEOGRAPH-8F66}" * 80 + ".mp4",
    b"[red]a[\\]:car:[link=x]\n.mp4": "[red]a[\\]:car:[link=x]\n.mp4",
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 4)


@pytest.mark.parametrize("name", NAMES, ids=["no UTF-8", "long", "long in bytes", "markup"])
def test_a_run_of_a_source_of_any_name_is_valid(name: bytes, clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    os.link(clip, os.fsencode(tmp_path) + b"/" + name)
    options = ("--model", tiny_model, "--engine", "null", "--fps", "100", "--warmup", "0", "--no-chart")
    done = runs.streamer("replay", os.fsdecode(name), *options, "--json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    (out,) = (tmp_path / "runs").iterdir()
    assert len(os.fsencode(out.name)) <= 255
    assert json.loads(done.out)["verdict"] == manifest(out)["verdict"] == "VALID"
    assert manifest(out)["source"]["uri"] == NAMES[name]
    assert manifest(out)["source"]["sha256"]
    assert verify(out).reasons == []


def test_markup_in_names_is_text_in_what_is_printed(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    name = "[red]a[b]:car:[b.mp4"
    os.link(clip, tmp_path / name)
    options = ("--model", tiny_model, "--engine", "null", "--reference", "ir", "--out", "[b]:car:")
    done = runs.streamer("parity", name, *options, cwd=tmp_path)
    assert done.code in (0, 3), done.err
    assert name in done.out.replace("\n", "")
    assert "[b]:car:/parity.csv" in done.out


@pytest.mark.slow
def test_a_soak_of_a_file_that_is_no_utf_8_can_be_resumed(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    os.link(clip, os.fsencode(tmp_path) + b"/\xff.mp4")
    options = ("--model", tiny_model, "--engine", "null", "--no-chart", "--quiet", "--out", "soak")
    done = runs.streamer("soak", os.fsdecode(b"\xff.mp4"), "--duration", "0.5s", *options, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert verify(tmp_path / "soak" / "part-0").reasons == []
    requested = tmp_path / "soak" / "asked.json"
    requested.write_text(requested.read_text().replace('"duration_s": 0.5', '"duration_s": 1.0'))
    done = runs.streamer("soak", "--resume", "soak", "--quiet", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert verify(tmp_path / "soak" / "part-1").reasons == []


def test_long_names_of_one_beginning_stay_separate() -> None:
    one, other = file_name("ir," + "A" * 300 + "=1"), file_name("ir," + "A" * 300 + "=2")
    assert one != other
    assert max(len(one), len(other)) <= 100


@pytest.mark.parametrize("command", [("replay", "clip.mp4"), ("compare", "clip.mp4"), ("pace", "clip.mp4")])
def test_no_directory_is_none(command: tuple[str, ...], tmp_path: Path) -> None:
    done = runs.streamer(*command, "--out", "", cwd=tmp_path)
    assert (done.code, "--out is empty: give a path" in done.error) == (2, True)
    assert runs.streamer("verify", "", cwd=tmp_path).code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", full)
    monkeypatch.setattr(Path, "write_text", full)
    monkeypatch.setattr(Path, "write_bytes", full)
    deep = tmp_path / "runs" / "today"
    for attempt in (
        lambda: RunDir(deep, overwrite=False),
        lambda: RowFile(deep / "bench.csv", "a,b", overwrite=False),
        lambda: write_files(deep, "compare", "a", [], {}),
    ):
        with pytest.raises(SinkError, match="No space left on device"):
            attempt()
        assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_begun_gives_its_reserve_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SinkError):
        RowFile(tmp_path / "out" / "bench.csv", "a,b", overwrite=False)
    assert list(tmp_path.iterdir()) == []
    Reserve(tmp_path / "reserve").release()


def test_a_full_cache_says_so(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streamer.vendors.openvino_quiet import ov

    monkeypatch.setenv("STREAMER_CACHE", str(tmp_path / "cache"))
    model = ov.Core().read_model(tiny_model)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def build(scratch: Path) -> None:
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (64, limits[1])
        )  # OpenVINO's file gets no further, as on a full disk
        try:
            ov.save_model(model, scratch / "model.xml")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    with pytest.raises(CacheError, match=r"no room in the cache .*free some space, or set STREAMER_CACHE") as error:
        keep("ir", "0" * 64, None, build)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "cache" / "ir").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits for processes")
def test_a_limit_to_the_size_of_files_is_a_full_disk(tiny_model: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mkv", 3)
    words = [sys.executable, "-m", "streamer", "replay", "clip.mkv", "--engine", "null", "--model", str(tiny_model)]
    command = f"ulimit -f 100; exec {shlex.join([*words, '--out', 'run'])}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("cannot write into run: File too large; make room\n")
    assert not (tmp_path / "run").exists()
