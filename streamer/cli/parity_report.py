"""The report of a parity study: progress while it runs, a table and the plain answer when it is done."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from streamer.cli.suspended import cursor_shown_while_stopped
from streamer.studies.parity.document import EnginePart, ParityDocument
from streamer.studies.parity.result import ParityResult
from streamer.studies.parity.rows import EngineParity, Verdict
from streamer.studies.parity.study import Parity
from streamer.studies.table_cells import number


def with_progress(study: Parity, console: Console) -> Iterator[EngineParity]:
    """The study's rows, with a progress bar on ``console`` while they come if that is a terminal."""
    frames = len(study.frames.indices)
    total = frames * (1 + len(study.others))
    with (
        cursor_shown_while_stopped(console),
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(study.reference.spec, total=total)
        rows = study.rows(lambda spec: progress.update(task, description=spec, advance=1))
        for number, row in enumerate(rows, start=1):
            # An engine that cannot run, or a source that ends early, is done as well.
            progress.update(task, completed=number * frames)
            yield row


def print_report(done: ParityResult, console: Console) -> None:
    """The table, why engines could not run, what was left out, the file, and the plain answer."""
    document = done.document
    console.print(_table(document))
    unavailable = [row for row in document["engines"] if row["verdict"] == Verdict.UNAVAILABLE]
    lines = [f"unavailable  {row['engine']}: {row['why']}" for row in unavailable]
    lines += [f"{heading:11}  {text}" for heading, text in done.left_out]
    for line in (*lines, f"file         {document['file']}"):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(document["answer"], style="bold", highlight=False, markup=False, soft_wrap=True)


def _table(document: ParityDocument) -> Table:
    """A row per engine, up to 80 columns wide; further columns are in the file alone."""
    scored, rows = document["truth"] is not None, document["engines"]
    table = Table(
        title=f"{document['model']} on {rows[0]['frames']} frames of {document['source']}, "
        f"agreement with {document['reference']}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
    )
    table.add_column("engine", overflow="fold")
    table.add_column("in", no_wrap=True)
    for heading in ("found", "agreed", "of", "box px", "conf.", *(("mAP50", "50-95") if scored else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", min_width=11)
    for row in rows:
        devices = (row["devices"] or "").split(" ")
        table.add_row(
            "reference" if row["verdict"] == Verdict.REFERENCE else row["engine"],
            " ".join(word for word in (*devices, row["precision"] or "") if word not in ("CPU", "")),
            f"{row['detections']:,}" if row["frames"] else "",
            number(row["agreement"], 3),
            "" if row["compared"] is None else f"{row['compared']:,}",
            number(row["box_px_mean"], 2),
            number(row["confidence_mean"], 3),
            *((number(row["map50"], 3), number(row["map50_95"], 3)) if scored else ()),
            _verdict(row),
        )
    return table


def _verdict(row: EnginePart) -> str:
    if row["verdict"] == Verdict.REFERENCE:
        return ""
    return row["verdict"] + (f", same as {row['same_as']}" if row["same_as"] else "")
