"""The columns of the tables: the rows from which headers and the page are made, and which cells a run fills."""

from __future__ import annotations

import csv
from dataclasses import fields
from typing import Any

import pytest

from streamer.ledger.record import FrameRecord, Outcome
from streamer.rundir.frames_csv import FRAME_COLUMNS, frame_row
from streamer.studies.bench import rows as bench_rows
from streamer.studies.parity import parity_csv
from streamer.studies.soak.windows_csv import WINDOW_COLUMNS, WindowRow
from tests.docs.pages.csv_columns import ALWAYS, FILES, NEVER, filled
from tests.rig import Rig

RUNS: dict[str, dict[str, Any]] = {
    "decode errors": {"broken": frozenset({3, 7})},
    "dropped": {},
    "a failing engine": {"engine_fails_at": 9},
    "an engine that hangs": {"faults": [{"kind": "engine-hang", "frame": 10}], "frames": 1000, "respawns": 1},
    "a failing sink": {"faults": [{"kind": "sink-fail", "frame": 10}], "services_s": (0.01,)},
    "a sink that hangs": {"sink_hangs_at": 10, "services_s": (0.01,), "queue": 5, "frames": 1000},
    "stopped": {"stop_at_us": 1_000_000, "queue": 10},
    "no signal": {"live": [[(0.04, "frame"), (0.01, "hung up"), (0.0, "refused")]], "give_up_us": 2_000_000},
}
"""Runs in virtual time; together their frames meet every outcome."""


@pytest.fixture(scope="module")
def records() -> list[FrameRecord]:
    return [record for name in RUNS for record in Rig(**RUNS[name]).run().records]


@pytest.mark.parametrize("outcome", Outcome)
def test_the_cells_that_a_run_fills_are_those_of_the_page(outcome: Outcome, records: list[FrameRecord]) -> None:
    expected = filled(outcome)
    rows = [frame_row(record) for record in records if record.outcome is outcome]
    assert rows, "none of the runs has such a frame"
    always = set(FRAME_COLUMNS.split(",")) - {"reason"} - expected.keys()
    for row in csv.DictReader([FRAME_COLUMNS, *rows]):
        there = {name for name, cell in row.items() if cell} - {"reason"}
        assert there >= always | {name for name, cell in expected.items() if cell == ALWAYS}
        assert not there & {name for name, cell in expected.items() if cell == NEVER}


def test_a_row_has_a_field_for_each_column() -> None:
    assert [field.name for field in fields(WindowRow)] == WINDOW_COLUMNS.split(",")
    assert list(bench_rows.BenchRow.__annotations__) == bench_rows.HEADER.split(",")
    assert list(parity_csv.ParityRow.__annotations__) == parity_csv.HEADER.split(",")


@pytest.mark.parametrize("file", FILES)
def test_each_column_is_named_once_and_has_a_meaning(file: str) -> None:
    _, columns = FILES[file]
    assert len({column.name for column in columns}) == len(columns)
    assert [column.name for column in columns if not column.meaning] == []


@pytest.mark.parametrize("file", FILES)
def test_a_time_is_in_milliseconds(file: str) -> None:
    _, columns = FILES[file]
    assert [column.name for column in columns if column.name.endswith("_ms") != (column.unit == "ms")] == [
        name for name in ("cpu_ms_per_frame",) if file == "compare.csv"
    ]
