"""``soak.png``: a soak from its beginning to its end, window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.charts.canvas import add_axes, new_figure, save
from streamer.charts.captions import fault_texts, how_it_was_paced, load_texts, where_it_ran, words
from streamer.errors import SinkError, UsageError
from streamer.studies.soak.chart_panels import (
    draw_canary,
    draw_cpu,
    draw_latency,
    draw_lateness,
    draw_losses,
    draw_memory,
    draw_memory_of_children,
    name_time,
)
from streamer.studies.soak.leaks import CHILDREN
from streamer.studies.soak.windows_csv import WINDOWS, WindowRow, read_windows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHART_FILE = "soak.png"
LEFT_INCH, RIGHT_INCH = 1.25, 0.3
GAP_INCH, AXIS_INCH = 0.42, 0.5
"""Above a panel, for its title; below the last, for the axis of time."""
PANELS = {
    draw_latency: 2.6,
    draw_losses: 1.0,
    draw_memory: 1.5,
    draw_memory_of_children: 1.0,
    draw_lateness: 1.0,
    draw_cpu: 1.0,
    draw_canary: 0.24,
}
"""The panels from top to bottom, and the height of each in inches."""


def draw_soak(directory: Path, document: Mapping[str, Any]) -> Path:
    """Draws ``soak.png`` from the ``windows.csv`` in the directory and the document; returns its path.

    Raises SinkError when the rows cannot be read or the chart cannot be written.
    """
    path = directory / CHART_FILE
    try:
        rows = read_windows(directory / WINDOWS)
    except UsageError as error:
        raise SinkError(f"cannot draw {path}: {error}") from error
    save(soak_figure(document, rows), path)
    return path


def soak_figure(document: Mapping[str, Any], rows: Sequence[WindowRow]) -> Figure:
    """The chart of a soak, from its ``soak.json`` and the rows of its ``windows.csv``."""
    around = words(document["answer"], _what_ran(document), where_it_ran(document))
    verdicts = {one["name"]: one for one in document["verdicts"]}
    panels = {
        draw: inches for draw, inches in PANELS.items() if draw is not draw_memory_of_children or CHILDREN in verdicts
    }
    panels_inch = sum(panels.values()) + GAP_INCH * (len(panels) - 1)
    figure = new_figure(around.inches_above + panels_inch + AXIS_INCH + around.inches_below)
    around.write(figure)
    top, stack = around.inches_above, []
    for draw, height in panels.items():
        axes = add_axes(figure, LEFT_INCH, RIGHT_INCH, top, height)
        draw(axes, rows, verdicts)
        stack.append(axes)
        top += height + GAP_INCH
    name_time(stack, rows)
    return figure


def _what_ran(document: Mapping[str, Any]) -> list[str]:
    run, streams = document["run"], document["streams"]
    return [
        document["engine"]["spec"],
        f"model {document['model']['name']}",
        *([] if len(streams) == 1 else [f"{len(streams)} streams"]),
        f"source {Path(document['source']['uri']).name}",
        how_it_was_paced(run),
        f"video {run['video']}",
        f"windows of {document['window_s']:g} s",
        *load_texts(document["load"]),
        *fault_texts(document["faults"]),
    ]
