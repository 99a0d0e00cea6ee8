"""The ledger's rows: whole microseconds, exactly, there and back."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.detection.detections import Detections
from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.detections_csv import DETECTION_COLUMNS, detection_rows, read_detections
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row, read_frames
from streamer.units import microseconds, milliseconds


@pytest.mark.parametrize(
    ("us", "ms"),
    [(0, "0.000"), (7, "0.007"), (-7, "-0.007"), (1_234_567, "1234.567"), (-1_000, "-1.000"), (None, "")],
)
def test_microseconds_as_milliseconds(us: int | None, ms: str) -> None:
    assert milliseconds(us) == ms
    assert microseconds(ms) == us


@given(st.integers(-(10**15), 10**15))
def test_no_microsecond_is_lost_however_long_the_run(us: int) -> None:
    assert microseconds(milliseconds(us)) == us


def test_a_row_has_the_contracts_columns_and_figures_from_its_stamps() -> None:
    record = FrameRecord(
        0, 3, 100_000, 100_000, 100_005, 0, 100_200, 100_700, 100_700, 108_700, 109_000, 109_100, 112_000
    )
    record.outcome, record.late, record.detections = Outcome.DELIVERED, True, 2
    row = dict(zip(FRAME_COLUMNS.split(","), frame_row(record).rstrip("\n").split(","), strict=True))
    assert row["lateness_ms"] == "0.005"
    assert row["service_ms"] == "8.800"
    assert row["result_latency_ms"] == "9.000"
    assert row["latency_ms"] == "12.000"
    assert (row["outcome"], row["reason"], row["late"], row["detections"]) == ("delivered", "", "1", "2")


def test_a_step_that_never_happened_is_empty() -> None:
    record = FrameRecord(0, 3, 100_000, 100_000, outcome=Outcome.ABANDONED)
    assert frame_row(record) == "0,3,100.000,100.000,,,,,,,,,,,,,abandoned,,0,\n"


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    held = FrameRecord(0, 1, 40_000, 40_000, 61_000, 60_995, 61_200, 62_000, 62_000, 70_000, 71_000)
    held.outcome = Outcome.SINK_ERROR
    dropped = FrameRecord(0, 2, 80_000, 80_000, 80_001, outcome=Outcome.DROPPED, reason="queue_full")
    path = tmp_path / "frames.csv"
    path.write_text(FRAME_COLUMNS + "\n" + frame_row(held) + frame_row(dropped) + "0,3,120.0")
    back = list(read_frames(path))
    assert [frame_row(record) for record in back] == [frame_row(held), frame_row(dropped)]
    assert back[0].lateness == 5


def test_labels_with_commas_and_quotes_stay_one_field() -> None:
    found = Detections(
        np.array([[1, 2, 3.456, 4]], np.float32), np.array([0.98764], np.float32), np.array([1], np.int64)
    )
    text = detection_rows(0, 9, found, ["a", 'box, "open"'])
    row = next(csv.DictReader(StringIO(DETECTION_COLUMNS + "\n" + text)))
    assert row["label"] == 'box, "open"'
    assert (row["frame"], row["confidence"], row["x2"]) == ("9", "0.9876", "3.46")


LABELS = ["car", 'box, "open"', "two\nlines", "\r", "caf\u00e9", "1,2,3,4,5,6,7,8,9\n"]


def write_detections(path: Path, found: Mapping[int, Detections], names: list[str]) -> str:
    """A ``detections.csv`` as a run writes it; returns its rows."""
    rows = "".join(detection_rows(0, frame, detections, names) for frame, detections in found.items())
    path.write_bytes(f"{DETECTION_COLUMNS}\n{rows}".encode())
    return rows


objects = st.tuples(
    st.tuples(*[st.floats(-1e5, 1e5, width=32)] * 4),
    st.floats(0, 1, width=32),
    st.integers(0, len(LABELS) - 1),
)


@given(st.dictionaries(st.integers(0, 10**7), st.lists(objects, max_size=5), max_size=5))
def test_detections_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, frames: dict[int, list[tuple[tuple[float, ...], float, int]]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "detections.csv"
    found = {
        frame: Detections(
            np.array([box for box, _, _ in of_frame], np.float32).reshape(-1, 4),
            np.array([confidence for _, confidence, _ in of_frame], np.float32),
            np.array([class_id for _, _, class_id in of_frame], np.int32),
        )
        for frame, of_frame in frames.items()
    }
    rows = write_detections(path, found, LABELS)
    back = read_detections(path)
    assert list(back) == [frame for frame, of_frame in frames.items() if of_frame]
    # To the hundredth of a pixel; what has been read is then written as it was.
    assert "".join(detection_rows(0, frame, back[frame], LABELS) for frame in frames) == rows
    for frame, detections in found.items():
        assert back[frame].xyxy == pytest.approx(detections.xyxy, abs=0.011)
        assert back[frame].class_id.tolist() == detections.class_id.tolist()
        assert back[frame].xyxy.dtype == np.float32
        assert back[frame].class_id.dtype == np.int32


def test_a_frame_without_a_row_holds_nothing(tmp_path: Path) -> None:
    write_detections(tmp_path / "detections.csv", {}, LABELS)
    assert len(read_detections(tmp_path / "detections.csv")[7]) == 0


@pytest.mark.parametrize("label", range(len(LABELS)))
def test_a_torn_line_of_detections_is_left_out_wherever_it_is_torn(label: int, tmp_path: Path) -> None:
    one = Detections(np.array([[1, 2, 3, 4]], np.float32), np.array([0.5], np.float32), np.array([label], np.int32))
    path = tmp_path / "detections.csv"
    whole = write_detections(path, {0: one}, LABELS).encode()
    before = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(before + whole[:length])
        assert list(read_detections(path)) == [0]
        assert len(read_detections(path)[0]) == 1
    path.write_bytes(b"")
    assert not read_detections(path)
