"""The report of a study of paces: a table and the plain answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from streamer.cli.files_line import files_line
from streamer.cli.tables import table_of
from streamer.studies.table_cells import number, rate, ratio


def print_report(document: Mapping[str, Any], out: Path, console: Console) -> None:
    """The table, why engines could not run, notes, missed objectives, the files, and the answer."""
    console.print(_table(document))
    lines = [f"unavailable  {why}" for why in dict.fromkeys(row["why"] for row in document["rates"] if row["why"])]
    lines += [f"note         {note}" for note in document["notes"]]
    lines += [
        f"slo          missed at {rate(row['fps'])}: {row['slo_why']}"
        for row in document["rates"]
        if row["slo"] == "missed"
    ]
    files = files_line(out, ("pace.csv", "pace.json", "pace.png"), "and the run directory of each rate")
    lines.append(f"files        {files}")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(document["answer"], style="bold", highlight=False, markup=False, soft_wrap=True)


def _table(document: Mapping[str, Any]) -> Table:
    several = len(document["engines"]) > 1
    table = table_of(
        f"{document['model']['name']}"
        + ("" if several else f", {document['engines'][0]},")
        + f" on {document['source']['uri']}, {document['run']['seconds']:g} s at each rate\n"
        "in milliseconds: infer's median, and times that of the closed loop (99 % interval);\n"
        "p50 and p95 of the result latency, p50 of the age"
    )
    if several:
        table.add_column("engine", overflow="fold")
    headings = (
        "fps",
        "done/s",
        "drops",
        "infer",
        "times",
        "p50",
        "p95",
        "age",
        *(("slo",) if document["slo"] else ()),
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in document["rates"]:
        if row["frames"] is None:
            continue
        latency = row["result_latency_ms"]
        table.add_row(
            *((row["engine"],) if several else ()),
            rate(row["fps"]),
            number(row["delivered_rate"], 1),
            f"{row['drops_percent']:.1f} %",
            number(row["infer_ms"]["p50"], 1),
            ratio(row["idle_penalty"]),
            number(latency["p50"], 1),
            number(latency["p95"], 1),
            number((row["age_ms"] or {}).get("p50"), 1),
            *((row["slo"],) if document["slo"] else ()),
        )
    return table
