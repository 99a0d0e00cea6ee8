"""Of several runs in one directory one goes on: it holds the lock, which ends with its process."""

from __future__ import annotations

import errno
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import BinaryIO

import pytest
from filelock import lock_descriptor

from streamer.errors import UsageError
from streamer.repair.repair import repair
from streamer.rundir import lock, rundir
from streamer.rundir.lock import RunLock, is_locked
from streamer.rundir.paths import BEGUN, LOCK
from streamer.rundir.rundir import RunDir, clear, discard, under_way, write_manifest
from streamer.verification import verify
from tests import runs
from tests.runs import Finished, environment, manifest
from tests.videos import write_video

TRIES = 3
IN_USE = "another run is being written there"


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def finish(directory: RunDir) -> None:
    directory.close_tables()
    directory.finish({"verdict": "VALID"})


@pytest.mark.slow
def test_of_two_runs_started_at_once_exactly_one_goes_on(tmp_path: Path, tiny_model: Path) -> None:
    write_video(tmp_path / "clip.mp4", 5)
    together = Barrier(2)

    def start(out: str) -> Finished:
        together.wait(60)
        options = ("--engine", "null", "--model", tiny_model, "--fps", "100", "--warmup", "0", "--quiet")
        return runs.process("replay", "clip.mp4", *options, "--out", out, cwd=tmp_path)

    with ThreadPoolExecutor(2) as both:
        for number in range(TRIES):
            one, other = sorted(both.map(start, [f"run-{number}"] * 2), key=lambda done: done.code)
            assert (one.code, one.err) == (0, "")
            assert other.code == 2
            assert IN_USE in other.error or "is not empty" in other.error
            assert verify(tmp_path / f"run-{number}").valid
            assert manifest(tmp_path / f"run-{number}")["frames"]["scheduled"] == 5
            assert LOCK not in names_in(tmp_path / f"run-{number}")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_that_comes_second_takes_nothing_from_the_first(overwrite: bool, tmp_path: Path) -> None:
    first = RunDir(tmp_path / "run", overwrite=False)
    there = names_in(tmp_path / "run")
    assert LOCK in there
    with pytest.raises(UsageError, match="is not empty" if not overwrite else IN_USE):
        RunDir(tmp_path / "run", overwrite=overwrite)
    assert names_in(tmp_path / "run") == there
    assert under_way(tmp_path / "run")
    first.begin({})
    finish(first)
    assert not under_way(tmp_path / "run")
    assert names_in(tmp_path / "run") == ["detections.csv", "frames.csv", "run.json"]


def test_a_run_that_has_only_its_lock_so_far_is_not_written_over(tmp_path: Path) -> None:
    first = RunLock(tmp_path)
    with pytest.raises(UsageError, match=IN_USE):
        RunDir(tmp_path, overwrite=False)
    assert names_in(tmp_path) == [LOCK]
    first.release()
    finish(RunDir(tmp_path, overwrite=False))


def test_a_run_that_came_to_its_end_behind_the_first_look_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_manifest(tmp_path, {})
    monkeypatch.setattr(rundir, "check_out", lambda path, overwrite: None)
    with pytest.raises(UsageError, match="is not empty"):
        RunDir(tmp_path, overwrite=False)
    assert names_in(tmp_path) == ["run.json"]


HOLDS = """
import sys
from pathlib import Path
from streamer.rundir.rundir import RunDir
directory = RunDir(Path(sys.argv[1]), overwrite=False)
directory.begin({})
print("begun", flush=True)
sys.stdin.read()
"""


def test_a_killed_run_is_distinguished_from_one_that_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-c", HOLDS, str(out)]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            assert under_way(out)
            for attempt in (lambda: RunDir(out, overwrite=True), lambda: repair(out)):
                with pytest.raises(UsageError, match=f"{IN_USE}|still going on"):
                    attempt()
        finally:
            process.kill()
    assert not under_way(out)
    assert {LOCK, BEGUN} <= set(names_in(out)), "nobody was there to take them away"
    finish(RunDir(out, overwrite=True))
    assert names_in(out) == ["detections.csv", "frames.csv", "run.json"]


def test_what_is_left_of_a_lock_goes_with_the_rest(tmp_path: Path) -> None:
    for take_away in (clear, discard):
        out = tmp_path / take_away.__name__ / "run"
        out.mkdir(parents=True)
        (out / LOCK).touch()
        assert not under_way(out)
        take_away(out)
        assert not (out / LOCK).exists()


def test_a_run_of_an_older_streamer_which_locked_its_record_is_under_way(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="Windows has none, and no run was locked there")
    (tmp_path / BEGUN).write_text("{}")
    assert not under_way(tmp_path)
    with (tmp_path / BEGUN).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert under_way(tmp_path)
        with pytest.raises(UsageError, match=IN_USE):
            RunDir(tmp_path, overwrite=True)
    assert not under_way(tmp_path)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_run_goes_on_where_the_file_system_has_no_locks(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, *, blocking: bool) -> bool:
        raise OSError(code, "no locks")

    monkeypatch.setattr(lock, "lock_descriptor", refuse)
    directory = RunDir(tmp_path / "run", overwrite=False)
    directory.begin({})
    assert not under_way(tmp_path / "run")
    finish(directory)
    assert names_in(tmp_path / "run") == ["detections.csv", "frames.csv", "run.json"]


def test_whoever_only_looks_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / LOCK).open("a+b") as looking:
        assert lock_descriptor(looking.fileno(), blocking=False)

        def looked_at_once(file: int, *, blocking: bool) -> bool:
            found = lock_descriptor(file, blocking=blocking)
            looking.close()
            return found

        monkeypatch.setattr(lock, "lock_descriptor", looked_at_once)
        RunLock(tmp_path).release()
    assert names_in(tmp_path) == []


def test_the_lock_of_a_file_that_is_gone_keeps_nobody_out_and_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = RunLock(tmp_path)
    (tmp_path / LOCK).unlink()  # as a run does that has come to its end
    second = RunLock(tmp_path)
    first.release()
    assert is_locked(tmp_path / LOCK), "the first took away the second's"
    second.release()
    second.release()
    assert names_in(tmp_path) == []

    def locked_too_late(file: BinaryIO) -> bool:
        (tmp_path / LOCK).unlink()
        return True

    monkeypatch.setattr(lock, "_locked", locked_too_late)
    with pytest.raises(UsageError, match=IN_USE):
        RunLock(tmp_path)
