"""The report of a soak: a line for each window while it lasts, and its verdicts when it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from streamer.cli.files_line import files_line
from streamer.cli.replay_report import load_line
from streamer.cli.tables import table_of
from streamer.studies.soak.verdict import PASSED_TEXT
from streamer.studies.soak.windows_csv import WindowRow, clock

_HEADINGS = {
    "time": 9,
    "p50": 7,
    "p95": 7,
    "p99": 7,
    "age p99": 7,
    "late p99": 8,
    "frames": 7,
    "drops": 6,
    "errors": 6,
    "MB": 7,
    "files": 5,
    "CPU": 5,
    "canary": 7,
}
"""The headings of the columns, and their widths in characters."""
HEADING = " ".join(heading.rjust(width) for heading, width in _HEADINGS.items())
"""The line above the windows; latency, age and lateness are milliseconds, CPU is cores."""


def window_line(row: WindowRow) -> str:
    """A window as a line of up to 100 characters."""
    errors = row.decode_error + row.source_error + row.engine_error + row.sink_error + row.abandoned
    canary = f"{row.canary_changed} new" if row.canary_changed else row.canary or ""
    cells = (
        clock(row.end_s),
        *map(_milliseconds, (row.latency_p50_ms, row.latency_p95_ms, row.latency_p99_ms)),
        *map(_milliseconds, (row.age_p99_ms, row.lateness_p99_ms)),
        f"{row.scheduled:,}",
        f"{row.dropped:,}",
        f"{errors:,}",
        f"{row.resident_mb + row.children_mb:,.0f}",
        "" if row.open_files is None else str(row.open_files),
        f"{row.cpu_share:.2f}",
        canary,
    )
    return " ".join(cell.rjust(width) for cell, width in zip(cells, _HEADINGS.values(), strict=True))


def _milliseconds(ms: float | None) -> str:
    if ms is None:
        return "-"
    return f"{ms:.2f}" if ms < 100 else f"{ms:.1f}" if ms < 10_000 else f"{ms:,.0f}"


def print_soak(document: Mapping[str, Any], out: Path, console: Console) -> None:
    """The verdicts, the counts of frames, doubts, the files, and the answer."""
    console.print(_verdicts(document))
    frames = document["frames"]
    counts = "  ".join(f"{name} {count:,}" for name, count in frames.items() if count or name == "scheduled")
    parts = document["parts"]
    runs = parts[0]["directory"] if len(parts) == 1 else f"{parts[0]['directory']} to {parts[-1]['directory']}"
    load = [load_line(document["load"])] if document["load"] else []
    for line in (
        f"frames  {counts}",
        *load,
        *_doubts(parts),
        f"files   {files_line(out, ('windows.csv', 'soak.json', 'soak.png'), runs)}",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(document["answer"], style="bold", highlight=False, markup=False, soft_wrap=True)


def _doubts(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each doubt about a part, with the part's name if there are several."""
    return [
        f"doubt   {'' if len(parts) == 1 else part['directory'] + ': '}{doubt}"
        for part in parts
        for doubt in part.get("doubts", ())
    ]


def _verdicts(document: Mapping[str, Any]) -> Table:
    table = table_of(f"{document['verdict']}, by windows of {document['window_s']:g} s")
    table.add_column("", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("why", overflow="fold")
    for one in document["verdicts"]:
        table.add_row(one["name"], PASSED_TEXT[one["passed"]], one["why"])
    return table
