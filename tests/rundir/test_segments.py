"""A long run in segments: each row is there once, finished segments are compressed, and the oldest are deleted."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from threading import Event, Thread
from typing import Any

import av

import streamer
from streamer.rundir.compressor import Compressor, compress_file
from streamer.rundir.csv_file import Reserve, Table
from streamer.rundir.segments import Segments
from streamer.rundir.written import segments_of
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.verification import verify
from tests.videos import write_video

FRAMES = 150


def segmented(tmp_path: Path, **more: Any) -> Path:
    """A run of FRAMES frames at 100 a second in segments of about half a second, two streams."""
    clip, out = write_video(tmp_path / "clip.mp4", 30), tmp_path / "run"
    usual: dict[str, Any] = {
        "engine": "null",
        "fps": 100,
        "frames": FRAMES,
        "loop": True,
        "segment": 0.4,
        "out": out,
    }
    streamer.replay(clip, Settings(**{**usual, **more}))
    return out


def rows_of(path: Path) -> list[list[str]]:
    """The rows of a table and of its segments, without their headers."""
    found = []
    for segment in (*segments_of(path), path):
        with gzip.open(segment, "rt") if segment.suffix == ".gz" else segment.open() as file:
            found += list(csv.reader(file))[1:]
    return found


def test_rows_are_in_one_of_the_segments_each_and_pictures_in_one_of_the_videos(tmp_path: Path) -> None:
    out = segmented(tmp_path, streams=2)
    rows = rows_of(out / "frames.csv")
    assert sorted((int(row[0]), int(row[1])) for row in rows) == [(s, f) for s in (0, 1) for f in range(FRAMES)]
    segments = segments_of(out / "frames.csv")
    assert len(segments) >= 2
    assert all(segment.suffix == ".gz" for segment in segments)
    assert not list(out.glob("*.writing"))
    for stream in (0, 1):
        videos = [*segments_of(out / f"annotated-{stream}.mp4"), out / f"annotated-{stream}.mp4"]
        shown = 0
        for video in videos:
            with av.open(str(video)) as container:
                times = [picture.time for picture in container.decode(video=0)]
            assert times[0] == 0
            shown += len(times)
        assert shown == sum(row[0] == str(stream) and "delivered" in row for row in rows)


def test_a_run_in_segments_is_verified_as_a_whole(tmp_path: Path) -> None:
    out = segmented(tmp_path)
    checked = verify(out)
    assert checked.reasons == []
    assert checked.checked["rows"] == FRAMES


def test_the_oldest_segments_are_deleted_beyond_the_size_to_keep_and_that_is_recorded(tmp_path: Path) -> None:
    done = segmented(tmp_path, keep=1, video=Video.NONE)
    assert "frames.0000.csv" in json.loads((done / "run.json").read_text())["pieces"]["let_go"]
    assert not (done / "frames.0000.csv.gz").exists()
    assert verify(done).reasons == []


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
    segments = Segments(frames, detections, [], every_us=1, keep_bytes=1 << 30)
    for second in range(1, 4):  # none of them has the time to be compressed before the next one
        frames.append(f"{second}\n")
        segments.cut(second)
    segments.finish()
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == [
        *(f"detections.000{number}.csv.gz" for number in range(3)),
        "detections.csv",
        *(f"frames.000{number}.csv.gz" for number in range(3)),
        "frames.csv",
    ]
    assert [row[0] for row in rows_of(tmp_path / "frames.csv")] == ["1", "2", "3"]


def test_a_process_that_was_killed_is_replaced_and_what_it_left_is_compressed(tmp_path: Path) -> None:
    compressor = Compressor()
    first = compressor.start()
    first.kill()
    paths = [tmp_path / f"t.000{number}.csv" for number in range(2)]
    for path in paths:
        path.write_text("a\n1\n")
    compressor.take(paths[:1])
    assert compressor.start() is not first
    compressor.take(paths[1:])
    compressor.finish()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.0000.csv.gz", "t.0001.csv.gz"]


def test_one_process_compresses_one_after_the_other_while_nobody_waits(tmp_path: Path) -> None:
    compressor = Compressor()
    process = compressor.start()
    for number in range(3):
        path = tmp_path / f"t.000{number}.csv"
        path.write_text("a\n1\n")
        compressor.take([path])
        assert process._link.poll(20), "it says when it is done"
        assert not path.exists()
    assert compressor.start() is process
    compressor.finish()
    assert len(list(tmp_path.glob("*.csv.gz"))) == 3


def test_rows_that_are_written_while_a_table_is_cut_are_in_one_of_its_files_each(tmp_path: Path) -> None:
    table = Table(tmp_path / "t.csv", "a", Reserve(tmp_path / "reserve"))
    written, begun = 0, Event()

    def append() -> None:
        nonlocal written
        while written < 3_000:
            table.append(f"{written}\n")
            written += 1
            begun.set()

    thread = Thread(target=append)
    thread.start()
    begun.wait()
    counts = [table.cut(tmp_path / f"t.{number:04d}.csv") for number in range(20)]
    thread.join()
    table.close()
    rows = [
        path.read_text().splitlines()
        for path in (*(tmp_path / f"t.{n:04d}.csv" for n in range(20)), tmp_path / "t.csv")
    ]
    assert all(lines[0] == "a" for lines in rows)
    assert [int(row) for lines in rows for row in lines[1:]] == list(range(3_000))
    assert counts == [len(lines) - 1 for lines in rows[:-1]]


def test_a_segment_that_has_gone_or_finds_no_room_is_left_as_it_is(tmp_path: Path) -> None:
    compress_file(str(tmp_path / "gone.csv"))
    (tmp_path / "full.csv").write_text("a\n1\n")
    (tmp_path / "full.csv.gz").mkdir()  # stands for a disk that takes no more
    compress_file(str(tmp_path / "full.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full.csv", "full.csv.gz"]
