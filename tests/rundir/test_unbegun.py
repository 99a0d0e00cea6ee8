"""A run that never began leaves nothing behind, and what was there before stays."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from streamer.errors import SinkError
from streamer.files.scratch import remove_scratch
from streamer.rundir.rundir import RunDir


def test_a_run_that_is_given_up_leaves_no_directory(tmp_path: Path) -> None:
    directory = RunDir(tmp_path / "runs" / "today" / "run", overwrite=False)
    directory.begin({})
    directory.give_up()
    directory.give_up()
    assert list(tmp_path.iterdir()) == []


def test_directories_and_files_that_were_there_before_stay(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "run"
    out.mkdir(parents=True)
    RunDir(out, overwrite=False).give_up()
    assert list(out.iterdir()) == []
    (out / "notes.txt").touch()
    RunDir(out, overwrite=True).give_up()
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("ends", [RunDir.give_up, lambda _: remove_scratch()])
def test_a_process_that_ends_at_once_takes_a_run_without_a_row_with_it(ends: object, tmp_path: Path) -> None:
    assert callable(ends)
    directory = RunDir(tmp_path / "run", overwrite=False)
    directory.begin({})
    ends(directory)
    assert list(tmp_path.iterdir()) == []
    directory.close_tables()


def test_a_process_that_ends_at_once_leaves_a_run_with_a_row_to_be_repaired(tmp_path: Path) -> None:
    directory = RunDir(tmp_path / "run", overwrite=False)
    directory.begin({})
    directory.frames.append("0,0\n")
    remove_scratch()
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"begun.json", "frames.csv"}
    directory.frames.cut(tmp_path / "run" / "frames.0000.csv")
    remove_scratch()
    assert (tmp_path / "run" / "frames.0000.csv").is_file()
    directory.finish({})
    remove_scratch()
    assert (tmp_path / "run" / "run.json").is_file()


def test_a_full_disk_at_the_start_leaves_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SinkError, match="No space left on device"):
        RunDir(tmp_path / "run", overwrite=False)
    assert list(tmp_path.iterdir()) == []
