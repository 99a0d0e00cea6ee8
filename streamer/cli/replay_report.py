"""What a replay shows on the terminal: a live line while it runs, a table and a sentence when it is done."""

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
"""The parts of a load, as they are said."""


def load_line(load: Mapping[str, Any]) -> str:
    """What a load took, of what was asked; of a run that was killed that is not known."""
    if load["took"] is None:
        return "load    what it took is not known: the run was killed"
    said = ", ".join(
        f"{name} {load['took'][key]:g} of {asked:g} {unit}"
        for key, name, unit in LOADS
        if (asked := load["asked"][key])
    )
    nice = f", niceness {load['took']['nice']}" if load["asked"]["nice"] else ""
    return f"load    {said}{nice}"


def print_report(run: Run, console: Console) -> None:
    """The summary table, doubts, the files, and the sentence of plain answer."""
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
        said = ", ".join(f"{spoken(name)} {times:.2f}" for name, times in gap.items())
        console.print(
            f"gap     result latency by what a closed loop would have shown (service time): {said}",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if (priming := run.manifest["priming"]) and priming["frames_primed"]:
        console.print(
            f"primed  {priming['frames_primed']} frames by {priming['inferences']} throw-away inferences, "
            f"{priming['cpu_ms_per_primed_frame']:.1f} ms of CPU time each; {priming['frames_delayed']} delayed",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
    if (gaps := run.manifest["gaps"]) and gaps["count"]:
        why = "; ".join(dict.fromkeys(one for gap in gaps["each"] for one in gap["why"]))
        console.print(
            f"gaps    {gaps['count']} without a signal, {gaps['total_s']:.1f} s in all, {gaps['longest_s']:.1f} s at "
            f"most, attempts to connect {gaps['attempts']}" + (f": {why}" if why else ""),
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
    """The streams that came off worst and best, by the share of their frames that were delivered."""
    ranked = sorted(streams, key=lambda stream: (stream["delivered"] / (stream["scheduled"] or 1), stream["stream"]))
    said = [f"stream {one['stream']} {one['delivered']} of {one['scheduled']}" for one in (ranked[0], ranked[-1])]
    return f"{len(streams)}: delivered {said[0]} (the least) to {said[1]} (the most)"


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
    """Milliseconds by figure and percentile; percentiles for which the frames are too few are left out."""
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
