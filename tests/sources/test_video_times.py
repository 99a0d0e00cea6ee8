"""Video files whose frame times are missing or jump back are played at their frame rate, and say so."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.sources.reading import frames, opened, read_all
from tests.videos import number_of, write_video


def check_played_at_25(path: Path, count: int, trouble: str) -> None:
    """Every frame comes out, in order, at the frame rate's times, with one doubt."""
    source = opened(path)
    items = frames(read_all(source))
    assert [number_of(frame.image) for frame in items] == list(range(count))
    assert [frame.pts for frame in items] == [Fraction(index, 25) for index in range(count)]
    assert source.doubts == [f"frame times {trouble}: the frame rate of 25 is used instead"]


def test_a_raw_stream_has_no_times(tmp_path: Path) -> None:
    check_played_at_25(write_video(tmp_path / "raw.h264", 30), 30, "are missing")


@pytest.mark.parametrize("between", ["1", "3"])
def test_an_avi_does_not_say_when_pictures_coded_out_of_order_are_shown(tmp_path: Path, between: str) -> None:
    check_played_at_25(write_video(tmp_path / "b.avi", 30, options={"bf": between}), 30, "are missing")


def test_an_avi_coded_in_order_keeps_its_times(tmp_path: Path) -> None:
    source = opened(write_video(tmp_path / "p.avi", 30, options={"bf": "0"}))
    assert [number_of(frame.image) for frame in frames(read_all(source))] == list(range(30))
    assert source.doubts == []


def test_times_that_jump_back(tmp_path: Path) -> None:
    late = write_video(tmp_path / "late.ts", 20, ticks=range(100, 120))
    early = write_video(tmp_path / "early.ts", 20)
    path = tmp_path / "back.ts"
    path.write_bytes(late.read_bytes() + early.read_bytes())
    source = opened(path)
    assert [item.pts for item in read_all(source)] == [Fraction(index, 25) for index in range(40)]
    assert source.doubts == ["frame times jump back: the frame rate of 25 is used instead"]
