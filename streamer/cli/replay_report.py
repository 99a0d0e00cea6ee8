"""The report of a replay on the terminal: a table, lines, and the plain answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from streamer.engines.config import precision_of
from streamer.ledger.decode_errors import decode_errors_text
from streamer.run.finished import Run
from streamer.rundir.paths import CHART_FILE, DETECTIONS, FRAMES, HDR_LOG, MANIFEST, video_name
from streamer.stats.percentiles import PERCENTILES, frames_needed, spoken

ROWS = {
    "latency": "latency",
    "result_latency": "result latency",
    "age": "age",
    "service": "service time",
    "preprocess": "  preprocess",
    "infer": "  infer",
    "postprocess": "  postprocess",
    "sink": "sink",
    "lateness": "lateness",
    "preprocess_start": "due to preprocess",
}


LOADS = (("cpu_cores", "CPU", "cores"), ("memory_mb", "memory", "MB"), ("io_mb_s", "written", "MB/s"))
"""The parts of a load: their fields, names and units."""


def load_line(load: Mapping[str, Any]) -> str:
    """The usage of a load, of what was requested; it is not known of a run that was killed."""
    if load["took"] is None:
        return "load    its usage is not known: the run was killed"
    parts = ", ".join(
        f"{name} {load['took'][key]:g} of {requested:g} {unit}"
        for key, name, unit in LOADS
        if (requested := load["asked"][key])
    )
    nice = f", niceness {load['took']['nice']}" if load["asked"]["nice"] else ""
    return f"load    {parts}{nice}"


def print_report(run: Run, console: Console) -> None:
    """The summary table, a line for each thing to be known, doubts, the files, and the plain answer."""
    console.print(summary_table(run))
    frames = run.manifest["frames"]
    console.print(
        "frames  " + "  ".join(f"{name} {count}" for name, count in frames.items() if count or name == "scheduled"),
        highlight=False,
        markup=False,
    )
    if frames["decode_error"]:
        console.print(
            f"decode errors: {frames['decode_error']:,} ({decode_errors_text([run.manifest['decode_errors']])})",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if len(run.manifest["streams"]) > 1:
        console.print(f"streams {_shares(run.manifest['streams'])}", highlight=False, markup=False, soft_wrap=True)
    gap = {name: times for name, times in run.manifest["omission_gap"].items() if times is not None}
    if gap and not run.manifest["run"]["closed_loop"]:
        ratios = ", ".join(f"{spoken(name)} {times:.2f}" for name, times in gap.items())
        console.print(
            f"gap     result latency over service time, all that a closed loop shows: {ratios}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if (priming := run.manifest["priming"]) and priming["frames_primed"]:
        console.print(
            f"primed  {priming['frames_primed']} frames by {priming['inferences']} throw-away inferences, "
            f"{priming['cpu_ms_per_primed_frame']:.1f} ms of CPU time each; {priming['frames_delayed']} delayed",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if (outages := run.manifest["gaps"]) and outages["count"]:
        why = "; ".join(dict.fromkeys(one for outage in outages["each"] for one in outage["why"]))
        console.print(
            f"outages {outages['count']} without a signal, {outages['total_s']:.1f} s in all, "
            f"{outages['longest_s']:.1f} s at most, attempts to connect {outages['attempts']}"
            + (f": {why}" if why else ""),
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if load := run.manifest["load"]:
        console.print(load_line(load), highlight=False, markup=False, soft_wrap=True)
    for one in run.manifest["slo_checks"]:
        met = "met" if one["met"] else "missed"
        console.print(
            f"slo     {one['objective']}: {met}, {one['why']}", highlight=False, markup=False, soft_wrap=True
        )
    for doubt in run.manifest["doubts"]:
        console.print(f"doubt   {doubt}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"files   {run.directory}/ {', '.join(_files(run))}", highlight=False, markup=False, soft_wrap=True)
    if run.manifest["verdict"] != "VALID":
        console.print(f"verdict {run.manifest['verdict']}", highlight=False, markup=False)
    console.print(run.manifest["answer"], style="bold", highlight=False, markup=False, soft_wrap=True)


def _shares(streams: Sequence[Mapping[str, Any]]) -> str:
    """The streams with the least and the largest share of frames delivered."""
    ranked = sorted(streams, key=lambda stream: (stream["delivered"] / (stream["scheduled"] or 1), stream["stream"]))
    texts = [f"stream {one['stream']} {one['delivered']} of {one['scheduled']}" for one in (ranked[0], ranked[-1])]
    return f"{len(streams)}: delivered {texts[0]} (the least) to {texts[1]} (the most)"


def _files(run: Run) -> list[str]:
    streams = len(run.manifest["streams"])
    videos = [video_name(stream, streams) for stream in range(streams)]
    there = [
        name
        for name in (*videos, CHART_FILE, FRAMES, DETECTIONS, HDR_LOG, MANIFEST)
        if (run.directory / name).exists()
    ]
    if streams > 2 and set(videos) <= set(there):
        return [f"{videos[0]} to {videos[-1]}", *there[streams:]]
    return there


def summary_table(run: Run) -> Table:
    """Milliseconds by figure and percentile, without percentiles that have too few frames."""
    engine = run.manifest["engine"]
    precision = precision_of(engine["config_in_force"])
    devices = ", ".join(engine["execution_devices"])
    shown = [name for name in PERCENTILES if run.figures["service"][name] is not None]
    withheld = [
        f"{spoken(name)} needs {frames_needed(p):,} frames, has {run.figures['service'].n:,}"
        for name, p in PERCENTILES.items()
        if name not in shown
    ]
    table = Table(
        title=f"{engine['spec']} on {devices}{' in ' + precision if precision else ''}, milliseconds",
        title_justify="left",
        caption="; ".join(withheld[:1]),
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("")
    for heading in ("n", "mean", *map(spoken, shown), "max"):
        table.add_column(heading, justify="right")
    for name, label in ROWS.items():
        figure = run.figures[name]
        if figure.n:
            cells = (figure.mean, *(figure[percentile] for percentile in shown), figure.max)
            table.add_row(label, f"{figure.n:,}", *("" if ms is None else f"{ms:.2f}" for ms in cells))
    return table
