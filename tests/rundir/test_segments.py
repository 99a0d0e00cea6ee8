"""A long run in pieces: all that was written is there once, the finished pieces compressed, the oldest let go."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import av

import streamer
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.paths import pieces_of
from streamer.rundir.segments import Pieces, _compress
from streamer.settings import Settings, Video
from streamer.verify import verify
from tests.videos import write_video

FRAMES = 150


def in_pieces(tmp_path: Path, **more: Any) -> Path:
    """A run of FRAMES frames at 100 a second in pieces of about half a second, two streams."""
    clip, out = write_video(tmp_path / "clip.mp4", 30), tmp_path / "run"
    usual: dict[str, Any] = {
        "engine": "null",
        "fps": 100,
        "frames": FRAMES,
        "loop": True,
        "segment_s": 0.4,
        "out": out,
    }
    streamer.replay(clip, Settings(**{**usual, **more}))
    return out


def rows_of(path: Path) -> list[list[str]]:
    """The rows of a table and of its pieces, without their headers."""
    found = []
    for piece in (*pieces_of(path), path):
        with gzip.open(piece, "rt") if piece.suffix == ".gz" else piece.open() as file:
            found += list(csv.reader(file))[1:]
    return found


def test_rows_are_in_one_of_the_pieces_each_and_pictures_in_one_of_the_videos(tmp_path: Path) -> None:
    out = in_pieces(tmp_path, streams=2)
    rows = rows_of(out / "frames.csv")
    assert sorted((int(row[0]), int(row[1])) for row in rows) == [(s, f) for s in (0, 1) for f in range(FRAMES)]
    pieces = pieces_of(out / "frames.csv")
    assert len(pieces) >= 2
    assert all(piece.suffix == ".gz" for piece in pieces)
    assert not list(out.glob("*.writing"))
    for stream in (0, 1):
        videos = [*pieces_of(out / f"annotated-{stream}.mp4"), out / f"annotated-{stream}.mp4"]
        shown = 0
        for video in videos:
            with av.open(str(video)) as container:
                times = [picture.time for picture in container.decode(video=0)]
            assert times[0] == 0
            shown += len(times)
        assert shown == sum(row[0] == str(stream) and "delivered" in row for row in rows)


def test_a_run_in_pieces_is_verified_as_a_whole(tmp_path: Path) -> None:
    out = in_pieces(tmp_path)
    checked = verify(out)
    assert checked.reasons == []
    assert checked.checked["rows"] == FRAMES


def test_the_oldest_pieces_go_when_they_take_more_than_they_may_and_that_is_said(tmp_path: Path) -> None:
    done = in_pieces(tmp_path, keep_bytes=1, video=Video.NONE)
    assert "frames.0000.csv" in json.loads((done / "run.json").read_text())["pieces"]["let_go"]
    assert not (done / "frames.0000.csv.gz").exists()
    assert verify(done).reasons == []


def test_after_a_long_pause_one_piece_is_cut_and_not_one_for_each_that_was_missed(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    frames, detections = (Table(tmp_path / f"{name}.csv", "a", reserve) for name in ("frames", "detections"))
    pieces = Pieces(frames, detections, [], every_us=100_000, keep_bytes=1 << 30)
    for now_us in (99_999, 100_000, 100_001, 950_000, 950_001, 999_999, 1_000_000):
        pieces.between(now_us)
    pieces.finish()
    assert [cut.at_us for cut in pieces.cuts] == [100_000, 950_000, 1_000_000]


def test_a_table_that_is_cut_goes_on_in_a_new_file_with_a_header_of_its_own(tmp_path: Path) -> None:
    table = Table(tmp_path / "t.csv", "a,b", Reserve(tmp_path / "reserve"))
    table.append("1,2\n3,4\n")
    assert table.cut(tmp_path / "t.0000.csv") == 2
    table.append("5,6\n")
    table.close()
    assert (tmp_path / "t.0000.csv").read_text() == "a,b\n1,2\n3,4\n"
    assert (tmp_path / "t.csv").read_text() == "a,b\n5,6\n"


def test_the_end_does_not_wait_for_what_is_being_compressed_and_leaves_nothing_plain(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve")
    frames, detections = (Table(tmp_path / f"{name}.csv", "a", reserve) for name in ("frames", "detections"))
    pieces = Pieces(frames, detections, [], every_us=1, keep_bytes=1 << 30)
    for second in range(1, 4):  # none of them has the time to be compressed before the next one
        frames.append(f"{second}\n")
        pieces.between(second)
    pieces.finish()
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == [
        *(f"detections.000{number}.csv.gz" for number in range(3)),
        "detections.csv",
        *(f"frames.000{number}.csv.gz" for number in range(3)),
        "frames.csv",
    ]
    assert [row[0] for row in rows_of(tmp_path / "frames.csv")] == ["1", "2", "3"]


def test_a_piece_that_has_gone_or_finds_no_room_is_left_as_it_is(tmp_path: Path) -> None:
    _compress(str(tmp_path / "gone.csv"))
    (tmp_path / "full.csv").write_text("a\n1\n")
    (tmp_path / "full.csv.gz").mkdir()  # stands for a disk that takes no more
    _compress(str(tmp_path / "full.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full.csv", "full.csv.gz"]
