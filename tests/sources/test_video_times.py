"""Video files whose frame times are missing or jump back are played at their frame rate, and say so."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamer.schedule.file_gaps import FileGap, FileGaps
from tests.sources.reading import frames, opened, read_all
from tests.videos import number_of, write_video


def check_played_at_25(path: Path, count: int, trouble: str) -> None:
    """Every frame comes out, in order, at the times of the frame rate, with one doubt."""
    source = opened(path)
    items = frames(read_all(source))
    assert [number_of(frame.image) for frame in items] == list(range(count))
    assert [frame.pts for frame in items] == [Fraction(index, 25) for index in range(count)]
    assert source.doubts == [f"frame times {trouble}: the frame rate of 25 is used instead"]


def test_a_raw_stream_has_no_times(tmp_path: Path) -> None:
    check_played_at_25(write_video(tmp_path / "raw.h264", 30), 30, "are missing")


@pytest.mark.parametrize("between", ["1", "3"])
def test_an_avi_has_no_times_for_pictures_coded_out_of_order(tmp_path: Path, between: str) -> None:
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


def with_a_long_last_frame(path: Path) -> Path:
    """Ten frames at 25 a second with a pause of 3 s; the last one is shown for 4 s."""
    plain = write_video(path.with_name("plain.mkv"), 10, ticks=[*range(5), *range(79, 84)], options={"bf": "0"})
    with av.open(str(plain)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for packet in packets:
            packet.stream = stream
            if packet is packets[-1]:
                packet.duration = round(4 / packet.time_base)
            target.mux(packet)
    return path


def test_a_pause_at_the_end_is_a_gap_only_where_the_file_starts_again(tmp_path: Path) -> None:
    path = with_a_long_last_frame(tmp_path / "last.mp4")
    once, again = opened(path), opened(path, loop=True)
    first = FileGap(5, 3_000_000, 40_000)
    assert once.info.gaps == FileGaps((first,))
    assert again.info.gaps == FileGaps((first, FileGap(10, 4_000_000, 40_000)), loops_after=10)
    assert again.pts(10) == Fraction(83, 25) + 4
    once.close()
    again.close()
