"""Tables as NumPy structured arrays: what the files say, exactly, for NumPy, pandas and polars."""

from __future__ import annotations

import csv
import gzip
import math
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import streamer
from streamer.detection.detections import Detections
from streamer.errors import UsageError
from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.arrays import CHARACTERS, ROWS, detections_array, frames_array, read_array
from streamer.rundir.detections_csv import DETECTION_COLUMNS, DETECTION_TYPES, detection_rows
from streamer.rundir.frames_csv import COLUMNS, FRAME_COLUMNS, FRAME_TYPES, frame_row
from streamer.rundir.written import segments_of
from tests.videos import write_video

LABELS = ["car", 'box, "open"', "two\nlines", "a\rb", "caf\u00e9", "x" * 300]


def delivered(frame: int, stream: int = 0, reason: str = "") -> FrameRecord:
    """A frame that went all the way; its steps are odd microseconds."""
    due = frame * 33_367
    steps = (due + 7, 0, due + 211, due + 913, due + 914, due + 9_001, due + 9_102, due + 9_203, due + 12_345)
    return FrameRecord(
        stream, frame, due, due, *steps, outcome=Outcome.DELIVERED, reason=reason, late=frame % 3 == 0, detections=2
    )


def dropped(frame: int, stream: int = 0) -> FrameRecord:
    """A frame that no engine has seen."""
    due = frame * 33_367
    return FrameRecord(stream, frame, due, due, due + 7, outcome=Outcome.DROPPED, reason="queue_full")


def write_frames(path: Path, records: list[FrameRecord]) -> Path:
    """A ``frames.csv`` of these; returns its directory."""
    path.write_text(f"{FRAME_COLUMNS}\n{''.join(map(frame_row, records))}", encoding="utf-8")
    return path.parent


def write_detections(path: Path, labels: list[str]) -> Path:
    """A ``detections.csv`` with an object of each label in a frame of its own; returns its directory."""
    rows = [
        detection_rows(
            0,
            frame,
            Detections(
                np.array([[1.25, 2.5, 30.75, 40]], np.float32),
                np.array([0.98764], np.float32),
                np.array([frame], np.int32),
            ),
            labels,
        )
        for frame in range(len(labels))
    ]
    path.write_bytes(f"{DETECTION_COLUMNS}\n{''.join(rows)}".encode())
    return path.parent


def test_each_column_is_a_field_with_the_values_of_the_file(tmp_path: Path) -> None:
    table = frames_array(write_frames(tmp_path / "frames.csv", [delivered(n) for n in range(50)] + [dropped(50)]))
    with (tmp_path / "frames.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert table.dtype.names == tuple(column.name for column in COLUMNS)
    for name, kind in FRAME_TYPES.items():
        cells = [row[name] for row in rows]
        assert table[name].dtype.kind == np.dtype(kind).kind
        if kind == "f8":
            expected = [float(cell) if cell else math.nan for cell in cells]
            assert np.array_equal(table[name], expected, equal_nan=True), name
        else:
            assert [str(int(one)) if kind in ("?", "i8") else str(one) for one in table[name]] == cells
    assert np.isnan(table["detections"][-1])
    assert table["outcome"].dtype == np.dtype("U9"), "as wide as the longest"


def test_rows_are_in_the_order_of_streams_and_frames_in_which_the_ledger_has_them(tmp_path: Path) -> None:
    mixed = [delivered(2, 1), dropped(1), delivered(0, 1), delivered(0), dropped(1, 1), delivered(2)]
    table = frames_array(write_frames(tmp_path / "frames.csv", mixed))
    assert table[["stream", "frame"]].tolist() == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert table["outcome"].tolist() == ["delivered", "dropped", "delivered"] * 2
    with pytest.raises(ValueError, match="read-only"):
        table["frame"][0] = 7


def test_a_run_in_segments_is_read_as_a_whole(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 30)
    run = streamer.replay(
        clip, engine="null", fps=100, frames=80, loop=True, segment=0.25, video="none", out=tmp_path / "run"
    )
    assert len(segments_of(run.directory / "frames.csv")) >= 2
    assert run.frames["frame"].tolist() == list(range(80))
    expected = [math.nan if one.latency is None else one.latency / 1000 for one in run.ledger]
    assert np.array_equal(run.frames["latency_ms"], expected, equal_nan=True)
    assert run.frames is run.frames
    assert len(run.detections) == run.manifest["objects"] == np.nansum(run.frames["detections"])


def test_an_empty_table_has_all_columns(tmp_path: Path) -> None:
    write_frames(tmp_path / "frames.csv", [])
    write_detections(tmp_path / "detections.csv", [])
    for table, columns in (
        (frames_array(tmp_path), FRAME_COLUMNS),
        (detections_array(tmp_path), DETECTION_COLUMNS),
    ):
        assert (len(table), table.dtype.names) == (0, tuple(columns.split(",")))
        assert list(pd.DataFrame(table).columns) == pl.DataFrame(table).columns == columns.split(",")


@pytest.mark.parametrize("torn", ["3,4,133.4", '3,4,133.468,133.468,,,,,,,,,,,,,decode_error,"a, b', "\u00e9"])
def test_a_torn_last_line_is_left_out(torn: str, tmp_path: Path) -> None:
    write_frames(tmp_path / "frames.csv", [delivered(0), delivered(1)])
    with (tmp_path / "frames.csv").open("ab") as file:
        file.write(torn.encode()[: -1 if torn == "\u00e9" else None])
    assert frames_array(tmp_path)["frame"].tolist() == [0, 1]


def test_labels_of_any_kind_come_back_and_one_torn_within_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "detections.csv"
    table = detections_array(write_detections(path, LABELS))
    assert table["label"].tolist() == LABELS
    assert table.dtype["label"] == np.dtype("U300")
    assert table[0].tolist() == (0, 0, 0, "car", 0.9876, 1.25, 2.5, 30.75, 40.0)
    write_detections(path, LABELS[:3])
    path.write_bytes(path.read_bytes().split(b"lines")[0])
    assert detections_array(tmp_path)["label"].tolist() == LABELS[:2]


def test_a_table_of_several_blocks_is_whole_with_quotes_and_without(tmp_path: Path) -> None:
    many = max(ROWS + 10, 2 * CHARACTERS // len(frame_row(delivered(10_000))))
    records = [delivered(n) for n in range(many)]
    plain = frames_array(write_frames(tmp_path / "frames.csv", records))
    assert plain["frame"].tolist() == list(range(many))
    records[5].reason = "why, in words"
    quoted = frames_array(write_frames(tmp_path / "frames.csv", records))
    assert quoted["reason"][5] == "why, in words"
    assert np.array_equal(plain["latency_ms"], quoted["latency_ms"])


def test_a_row_that_is_torn_in_the_middle_is_no_table(tmp_path: Path) -> None:
    for cell in ("4", '"4"'):
        path = tmp_path / "frames.csv"
        write_frames(path, [delivered(0)])
        path.write_text(f"{path.read_text()}0,{cell}\n{frame_row(delivered(2))}")
        with pytest.raises(UsageError, match=r"frames\.csv cannot be read: .*; look at it with streamer verify"):
            frames_array(tmp_path)


def test_a_table_that_cannot_be_read_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"frames\.csv cannot be read: No such file or directory; look"):
        frames_array(tmp_path)
    (tmp_path / "frames.csv").write_text("stream,frame\n0,0\n")
    with pytest.raises(UsageError, match="it has no pts_ms, scheduled_ms"):
        frames_array(tmp_path)
    packed = tmp_path / "frames.0000.csv.gz"
    packed.write_bytes(gzip.compress(FRAME_COLUMNS.encode() * 9)[:-12])
    with pytest.raises(UsageError, match=r"frames\.0000\.csv\.gz cannot be read: "):
        read_array([packed], FRAME_TYPES)


def test_pandas_and_polars_take_them_as_they_are(tmp_path: Path) -> None:
    write_frames(tmp_path / "frames.csv", [delivered(0), dropped(1), delivered(2)])
    write_detections(tmp_path / "detections.csv", LABELS)
    frames, found = frames_array(tmp_path), detections_array(tmp_path)
    panda, polar = pd.DataFrame(frames), pl.DataFrame(frames)
    assert list(panda.columns) == polar.columns == list(FRAME_TYPES)
    assert panda["latency_ms"].isna().tolist() == polar["latency_ms"].is_nan().to_list() == [False, True, False]
    assert panda["outcome"].tolist() == polar["outcome"].to_list() == ["delivered", "dropped", "delivered"]
    assert polar["late"].dtype == pl.Boolean
    assert panda["late"].dtype == np.dtype(bool)
    assert pd.DataFrame(found)["label"].tolist() == pl.DataFrame(found)["label"].to_list() == LABELS
    assert pl.from_numpy(frames).equals(polar)
    assert list(pd.DataFrame(found).columns) == list(DETECTION_TYPES)
