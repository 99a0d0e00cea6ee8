"""A table grows by whole lines, whatever the disk does."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streamer.errors import SinkError
from streamer.rundir.csv_file import Reserve, Table


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Within, a file of this process that would grow beyond fails to: EFBIG, at the file that is being written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    quiet = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, quiet)


def test_lines_are_in_the_file_as_soon_as_they_are_appended(tmp_path: Path) -> None:
    table = Table(tmp_path / "t.csv", "a,b", Reserve(tmp_path / "reserve"))
    table.append("1,2\n")
    table.append("3,4\n5,6\n")
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,2\n3,4\n5,6\n"
    table.close()
    table.close()


def test_a_line_that_does_not_fit_is_left_out_whole(tmp_path: Path) -> None:
    table = Table(tmp_path / "t.csv", "a,b", Reserve(tmp_path / "reserve"))
    table.append("1,2\n")
    with files_no_larger_than(10), pytest.raises(SinkError, match=r"cannot write .*t\.csv"):
        table.append("333,444\n")
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,2\n"
    table.append("5,6\n")
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,2\n5,6\n"
    table.close()


def test_the_reserve_takes_real_space_and_gives_it_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 1 << 20)
    assert os.stat(tmp_path / "reserve").st_blocks * 512 >= 1 << 20, "a sparse file reserves nothing"
    reserve.release()
    reserve.release()
    assert not (tmp_path / "reserve").exists()
