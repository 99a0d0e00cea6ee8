"""``latency.png``: the latencies of a run over time, and their distribution."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.charts.canvas import HEIGHT_INCH, new_figure, save
from streamer.charts.captions import fault_texts, how_it_was_paced, load_texts, where_it_ran, words
from streamer.charts.histogram import draw_distribution
from streamer.charts.over_time import draw_over_time
from streamer.engines.config import precision_of
from streamer.errors import SinkError
from streamer.rundir.columns import Columns, read_columns
from streamer.rundir.paths import CHART_FILE, FRAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES_OF_TABLE = 1.0
"""The height of the percentiles below the axes of the distribution."""


def draw_latency(directory: Path, manifest: Mapping[str, Any]) -> Path:
    """Draws ``latency.png`` in a finished run directory, from its ``frames.csv`` and its manifest; returns its path.

    Raises SinkError when the ledger cannot be read or the chart cannot be written.
    """
    path = directory / CHART_FILE
    try:
        columns = read_columns(directory / FRAMES)
    except (OSError, ValueError, LookupError) as error:
        raise SinkError(f"cannot draw {path}: {error}") from error
    save(latency_figure(columns, manifest), path)
    return path


def latency_figure(columns: Columns, manifest: Mapping[str, Any]) -> Figure:
    """The chart of the frames in ``columns``."""
    closed_loop, deadline_ms = manifest["run"]["closed_loop"], manifest["run"]["deadline_ms"]
    figure = new_figure()
    verdict = "" if manifest["verdict"] == "VALID" else f"{manifest['verdict']}: "
    around = words(verdict + manifest["answer"], _what_ran(manifest), where_it_ran(manifest))
    around.write(figure)
    top, bottom = 1 - around.inches_above / HEIGHT_INCH, (around.inches_below + INCHES_OF_TABLE) / HEIGHT_INCH
    panels = figure.add_gridspec(2, 1, hspace=0.32, left=0.125, right=0.975, top=top, bottom=bottom)
    draw_over_time(figure, panels[0], columns, closed_loop=closed_loop, deadline_ms=deadline_ms)
    draw_distribution(figure.add_subplot(panels[1]), columns, closed_loop=closed_loop)
    return figure


def _what_ran(manifest: Mapping[str, Any]) -> list[str]:
    engine, run = manifest["engine"], manifest["run"]
    precision = precision_of(engine["config_in_force"])
    return [
        f"{engine['spec']} on {', '.join(engine['execution_devices'])}" + (f" in {precision}" if precision else ""),
        f"model {manifest['model']['name']}",
        *([] if len(manifest["streams"]) == 1 else [f"{len(manifest['streams'])} streams"]),
        f"source {Path(manifest['source']['uri']).name}",
        how_it_was_paced(run),
        f"video {run['video']}",
        *load_texts(manifest["load"]),
        *fault_texts(manifest["faults"]),
    ]
