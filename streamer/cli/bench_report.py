"""The report of a bench: the tutorial's lines as each engine finishes, then a table and the plain answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.cli.files_line import files_line
from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.cli.tables import table_of
from streamer.studies.bench.rows import AGAINST, Benched
from streamer.studies.bench.study import Bench
from streamer.studies.table_cells import number

NAMES = {
    "pytorch": "PyTorch model",
    "onnx": "ONNX model",
    "ir": "OpenVINO model",
    "ir-gpu": "OpenVINO model",
    "ir-threads": "OpenVINO model + more threads",
    "ir-auto": "OpenVINO model",
    "ir-auto-shared": "OpenVINO model + shared memory",
}
"""The tutorial's names of its seven engines; others have their SPEC."""


def with_progress(study: Bench, console: Console) -> Iterator[Benched]:
    """The study's rows, with a progress bar on ``console`` between them if that is a terminal.

    The bar has no thread of its own, which would disturb the measurement.
    """
    with (
        cursor_shown_while_stopped(console),
        Progress(console=console, transient=True, auto_refresh=False, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("", total=study.settings.number)

        def advance(name: str, done: int) -> None:
            progress.update(task, description=name, completed=done, refresh=True)

        for row in study.rows(advance):
            progress.stop()
            yield row
            progress.start()


def lines_of(row: Benched) -> list[str]:
    """An engine's lines in the tutorial's words, or the figures of benchmark_app; none where it cannot run."""
    if row.timed is None:
        return []
    name, timed = f"{NAMES.get(row.spec, row.spec)} on {row.device}", row.timed
    mean_ms = timed.each.mean or 0.0
    if row.spec == AGAINST:
        return [f"{name}: median {timed.each['p50']:.2f} ms, average {mean_ms:.2f} ms ({timed.fps:.2f} FPS)"]
    return [
        f"{name}. First inference time: {timed.first_ms / 1000:.4f} seconds",
        f"{name}: {mean_ms / 1000:.4f} seconds per image ({timed.fps:.2f} FPS)",
    ]


def print_report(document: Mapping[str, Any], out: Path, console: Console) -> None:
    """The table, why engines could not run, notes, the files, and the plain answer."""
    console.print()
    console.print(_table(document))
    lines = [f"unavailable  {row['engine']}: {row['why']}" for row in document["engines"] if row["why"]]
    lines += [f"note         {note}" for note in document["notes"]]
    lines.append(f"files        {files_line(out, ('bench.csv', 'bench.json', 'bench.png'))}")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(document["answer"], style="bold", highlight=False, markup=False, soft_wrap=True)


def _table(document: Mapping[str, Any]) -> Table:
    height, width = document["model"]["input_size"]
    table = table_of(
        f"{document['model']['name']}, an image of {width}x{height}\n"
        f"{document['run']['number']:,} inferences in a row, in milliseconds"
    )
    table.add_column("engine", overflow="fold")
    for heading in ("in", "input"):
        table.add_column(heading, no_wrap=True)
    for heading in ("mean", "p50", "p95", "p99", "max"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("same as", overflow="fold")
    for row in document["engines"]:
        table.add_row(
            row["engine"],
            row["precision"] or "",
            row["input"] or "",
            *(number(row[f"{name}_ms"], 2) for name in ("mean", "p50", "p95", "p99", "max")),
            "unavailable" if row["why"] else row["same_as"] or "",
        )
    return table
