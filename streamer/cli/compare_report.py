"""The report of a comparison: tables of speed, answers and costs, each up to 80 columns wide, and the advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from streamer.cli.files_line import files_line
from streamer.cli.tables import table_of
from streamer.studies.table_cells import number, percent, rate, ratio


def print_report(document: Mapping[str, Any], out: Path, console: Console) -> None:
    """The tables, why engines could not run, notes and doubts, the files, and the advice."""
    ran = [row for row in document["engines"] if row["frames"] is not None]
    console.print(_speeds(document))
    if any(row["agreement_share"] is not None for row in ran):
        console.print(_answers(document, ran))
    console.print(_costs(document, ran))
    lines = [f"unavailable  {row['engine']}: {row['why']}" for row in document["engines"] if row["why"]]
    lines += _one_configuration(ran)
    lines += [f"note         {note}" for note in document["notes"]]
    lines += [f"doubt        {doubt}" for doubt in document["doubts"]]
    files = files_line(out, ("compare.csv", "compare.json", "compare.png"), "and each engine's run directory")
    lines.append(f"files        {files}")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(document["answer"], style="bold", highlight=False, markup=False, soft_wrap=True)


def _speeds(document: Mapping[str, Any]) -> Table:
    run, baseline = document["run"], document["baseline"]
    pace = "in a closed loop" if run["closed_loop"] else f"at {rate(run['fps'])} fps"
    rounds = f" in {run['rounds']} rounds" if run["rounds"] else ""
    table = table_of(
        f"{document['model']['name']} on {run['frames']:,} frames of {document['source']['uri']} {pace}{rounds}\n"
        f"from due to boxes in milliseconds, and the median times that of {baseline} (99 % interval)"
    )
    table.add_column("engine", overflow="fold")
    table.add_column("in", no_wrap=True)
    for heading in ("p50", "p95", "drops", "times"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("speed", no_wrap=True)
    for row in document["engines"]:
        latency = row["result_latency_ms"] or {}
        table.add_row(
            row["engine"],
            row["precision"] or "",
            number(latency.get("p50"), 1),
            number(latency.get("p95"), 1),
            percent(row["drops_percent"]),
            ratio(row["ratio_p50"]),
            row["speed"],
        )
    return table


def _answers(document: Mapping[str, Any], ran: list[Mapping[str, Any]]) -> Table:
    truth = document["truth"] or "what it finds offline"
    table = table_of(f"what they find, against {document['reference']}; mAP50 against {truth}")
    table.add_column("engine", overflow="fold")
    for heading in ("agreement", "mAP50 offline", "mAP50 streaming"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in ran:
        table.add_row(
            row["engine"],
            number(row["agreement_share"], 3),
            number(row["offline_map50"], 3),
            number(row["streaming_map50"], 3),
            row["agreement"],
        )
    return table


def _costs(document: Mapping[str, Any], ran: list[Mapping[str, Any]]) -> Table:
    has_slo = any(row["slo"] is not None for row in ran)
    table = table_of(
        f"p95 times that of {document['baseline']}; p50 of service time and age, and costs, in milliseconds"
    )
    table.add_column("engine", overflow="fold")
    for heading in ("p95, times", "service", "age", "compile", "first", "CPU", "MB", *(("slo",) if has_slo else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in ran:
        table.add_row(
            row["engine"],
            ratio(row["ratio_p95"]),
            number(row["service_ms"]["p50"], 1),
            number((row["age_ms"] or {}).get("p50"), 1),
            number(row["compile_ms"], 0),
            number(row["first_inference_ms"], 0),
            number(row["cpu_ms_per_frame"], 0),
            number(row["peak_resident_mb"], 0),
            *((row["slo"],) if has_slo else ()),
        )
    return table


def _one_configuration(ran: list[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each configuration that several engines share here."""
    for first in dict.fromkeys(row["same_as"] for row in ran if row["same_as"]):
        others = [row["engine"] for row in ran if row["same_as"] == first]
        is_or_are = "is" if len(others) == 1 else "are"
        yield f"same         {', '.join(others)} {is_or_are} {first} here: one configuration"
