"""docs/reference/csv-columns.md, made from the columns of each CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from streamer.ledger.record import Outcome
from streamer.rundir.detections_csv import DETECTION_COLUMNS
from streamer.rundir.frames_csv import COLUMNS
from streamer.studies.bench import rows as bench
from streamer.studies.compare import document as compare
from streamer.studies.pace import document as pace
from streamer.studies.parity import parity_csv
from streamer.studies.soak.windows_csv import WINDOW_COLUMNS
from tests.docs.pages import study_columns
from tests.docs.pages.markdown import MADE, codes, table

HEADING = f"""# CSV columns

The tables list each column of each CSV file that streamer writes. {MADE} Columns keep their names and their order.
New columns come last.

A cell without a value is empty. Times are in milliseconds. In `frames.csv` they count from the start of the run, with
three decimals, which are exact whole microseconds. The stamp of a step that never happened is empty.

"""
STUDIES = {
    "detections.csv": ("A row per detected object.", DETECTION_COLUMNS, study_columns.DETECTIONS),
    "compare.csv": ("A row per engine of [compare](../howto/compare.md).", compare.COLUMNS, study_columns.COMPARE),
    "pace.csv": ("A row per engine and rate of [pace](../howto/pace.md).", pace.COLUMNS, study_columns.PACE),
    "parity.csv": ("A row per engine of [parity](../howto/parity.md).", parity_csv.COLUMNS, study_columns.PARITY),
    "bench.csv": ("A row per engine of [bench](../howto/bench.md).", bench.COLUMNS, study_columns.BENCH),
    "windows.csv": ("A row per window of a [soak](../howto/soak.md).", WINDOW_COLUMNS, study_columns.WINDOWS),
}
"""For each file: what a row is, the names of the columns, and their units and meanings."""


OUTCOMES = {
    Outcome.DELIVERED: "the frame was detected, and the sink has it",
    Outcome.DROPPED: (
        "the frame was removed before its inference: the queue was full, the frame was too old, or the next"
        " frame's result comes at the same tick"
    ),
    Outcome.DECODE_ERROR: "the frame could not be decoded; `reason` says why",
    Outcome.SOURCE_ERROR: "the source gave no frame; the reason of a lost camera is `no_signal`",
    Outcome.ENGINE_ERROR: "the engine failed, hung or died at this frame",
    Outcome.SINK_ERROR: "the sink failed at this frame",
    Outcome.ABANDONED: "the run ended before the frame did",
}


def page() -> str:
    """The text of the page."""
    frames = (
        (codes(column.name for column in columns), unit, meaning)
        for (unit, meaning), columns in groupby(COLUMNS, key=lambda column: (column.unit, column.meaning))
    )
    first = f"## frames.csv\n\nA row per scheduled frame, in the order of finishing.\n\n{_table(frames)}"
    outcomes = ((f"`{outcome.value}`", OUTCOMES[outcome]) for outcome in Outcome)
    first += f"\n### Outcomes\n\n{table('outcome', 'meaning', rows=outcomes)}"
    return HEADING + "\n".join((first, *(_section(file, *parts) for file, parts in STUDIES.items())))


def _section(file: str, about: str, names: str, meanings: Mapping[str, tuple[str, str]]) -> str:
    columns = names.split(",")
    unknown = meanings.keys() - set(columns)
    assert not unknown, f"{file} has no columns {sorted(unknown)}"
    grouped = groupby(columns, key=lambda name: meanings[name])
    rows = ((codes(group), unit, meaning) for (unit, meaning), group in grouped)
    return f"## {file}\n\n{about}\n\n{_table(rows)}"


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    return table("column", "unit", "meaning", rows=rows)
