"""``windows.csv``, and the lines on the terminal."""

from __future__ import annotations

import resource
import signal
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.soak_power import rows_of
from streamer.cli.soak_report import HEADING, print_soak, window_line
from streamer.errors import SinkError, UsageError
from streamer.studies.soak.windows_csv import (
    WINDOW_COLUMNS,
    WINDOWS,
    WindowRow,
    append_window,
    begin_windows,
    clock,
    lasted,
    read_windows,
)
from tests.studies.soak.soaks import document_of


def some() -> list[WindowRow]:
    first, second, third = rows_of(np.array([14.0, 15.123, 13.5]))
    return [
        replace(first, canary="same", canary_changed=0, frequency_mhz=2445.5),
        replace(second, part=1, canary="changed", canary_changed=2, open_files=None),
        replace(third, part=1, latency_p50_ms=None, latency_p99_ms=None),
    ]


def written(path: Path) -> Path:
    begin_windows(path)
    for row in some():
        append_window(path, row)
    return path


def test_windows_come_back_as_they_were_written(tmp_path: Path) -> None:
    assert read_windows(written(tmp_path / WINDOWS)) == some()
    lines = (tmp_path / WINDOWS).read_text().splitlines()
    assert lines[0] == WINDOW_COLUMNS
    assert {len(line.split(",")) for line in lines} == {32}
    assert lines[1].startswith("0,0.0,60.0,0,1800,1800,0,0,0,0,0,0,0,14.0,")


def test_a_torn_last_line_is_left_out_and_the_next_window_takes_its_place(tmp_path: Path) -> None:
    path = written(tmp_path / WINDOWS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert read_windows(path) == some()[:2]
    append_window(path, some()[2])
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "text", ["", "window,start_s\n0,1\n", WINDOW_COLUMNS + "\n1,2,3\n", WINDOW_COLUMNS + "\n" + "x," * 31 + "x\n"]
)
def test_a_file_that_no_soak_has_written_is_a_usage_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / WINDOWS).write_text(text)
    with pytest.raises(UsageError, match=r"windows\.csv cannot be read: .*give the directory of a soak"):
        read_windows(tmp_path / WINDOWS)


def test_a_file_that_is_not_there_is_one_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_windows(tmp_path / WINDOWS)


def test_a_full_disk_leaves_whole_lines_and_is_one_error(tmp_path: Path) -> None:
    path = written(tmp_path / WINDOWS)
    whole = path.read_bytes()
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 40, before[1]))
    try:
        with pytest.raises(SinkError, match=r"cannot write .*windows\.csv"):
            append_window(path, some()[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == whole


def test_a_place_that_cannot_be_written_to_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file or directory"):
        begin_windows(tmp_path / "nowhere" / WINDOWS)
    with pytest.raises(SinkError, match="No such file or directory"):
        append_window(tmp_path / WINDOWS, some()[0])


def test_lines_stand_below_their_headings_within_a_hundred_columns() -> None:
    large = replace(
        some()[0],
        end_s=719_999.0,
        scheduled=192_000,
        dropped=99_999,
        engine_error=12_345,
        resident_mb=12_345.6,
        latency_p50_ms=1_234.5,
        latency_p99_ms=123_456.7,
        age_p99_ms=99.994,
        cpu_share=63.25,
    )
    lines = [HEADING, *map(window_line, (*some(), large))]
    assert {len(line) for line in lines} == {len(HEADING)}
    assert len(HEADING) <= 100
    assert " ".join(window_line(some()[0]).split()) == "0:01:00 14.00 16.80 18.48 - 0.03 1,800 0 0 270 31 0.60 same"
    assert "2 new" in window_line(some()[1])


def test_times_are_stated_as_people_say_them() -> None:
    assert [lasted(seconds) for seconds in (0.5, 90, 3600, 9000, 180_000)] == [
        "0.5 s",
        "90 s",
        "60 min",
        "2.5 h",
        "50 h",
    ]
    assert [clock(seconds) for seconds in (0, 59.6, 3661, 360_000)] == ["0:00:00", "0:01:00", "1:01:01", "100:00:00"]


def test_the_end_shows_every_verdict_with_its_reason_the_files_and_the_answer(tmp_path: Path) -> None:
    text = StringIO()
    for name in ("windows.csv", "soak.json"):
        (tmp_path / name).touch()
    rows = [replace(row, dropped=5, delivered=1_795) for row in rows_of(np.full(60, 14.0), canary=["same"] * 60)]
    print_soak(document_of(rows), tmp_path, Console(file=text, width=100))
    printed = " ".join(text.getvalue().split())
    for words in ("passed, by windows of 60 s", "drift passed p50", "losses passed none of 108,000 frames lost, 300"):
        assert words in printed
    assert "frames scheduled 108,000 delivered 107,700 dropped 300" in printed
    assert f"{tmp_path}/ windows.csv, soak.json, part-0 Held for 60 min" in printed


def test_a_verdict_that_failed_stands_out() -> None:
    text = StringIO()
    rows = rows_of(np.full(60, 14.0), canary=["changed"] * 60, canary_changed=[1] * 60)
    print_soak(document_of(rows), Path("runs/long"), Console(file=text, width=100))
    assert "canary FAILED 1 box of the canary" in " ".join(text.getvalue().split())
