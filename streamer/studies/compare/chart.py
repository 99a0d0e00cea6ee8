"""``compare.png``: the medians of the engines that were compared, and the distributions behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.charts.canvas import HEIGHT_INCH, add_axes, new_figure, save
from streamer.charts.captions import fold, how_it_was_paced, where_it_ran, words
from streamer.charts.decimate import curve
from streamer.charts.histogram import name_percentiles
from streamer.charts.line_labels import EndName, name_inches, write_end_names
from streamer.charts.palette import Style, style_of
from streamer.charts.panel import SLICES, frame, say, scale
from streamer.errors import SinkError
from streamer.rundir.columns import NEVER, Values, read_all_columns
from streamer.stats.percentiles import frames_needed
from streamer.studies.compare.chart_bars import NAME_COLUMNS, bar_of, draw_bars

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHART_FILE = "compare.png"
LEFT_INCH, RIGHT_INCH, AXIS_INCH, GAP_INCH = 3.0, 2.4, 0.5, 0.5
"""Space around the bars: for names, for verdicts, for an axis of milliseconds, and for the next panel's title."""
DISTRIBUTION_INCH, DISTRIBUTION_LEFT_INCH, DISTRIBUTION_RIGHT_INCH = 3.2, 0.95, 3.5
"""The least height of the distribution; around it, for its axis and the names of its curves."""


def draw_comparison(directory: Path, document: Mapping[str, Any]) -> Path:
    """Draws ``compare.png`` from the document and the ``frames.csv`` of its engines; returns its path.

    The document names their directories relative to ``directory``. Raises SinkError when one cannot be read or the
    chart cannot be written.
    """
    path = directory / CHART_FILE
    try:
        latencies = [_result_latencies(directory, row) for row in document["engines"]]
    except (OSError, ValueError, LookupError) as error:
        raise SinkError(f"cannot draw {path}: {error}") from error
    save(comparison_figure(document, latencies), path)
    return path


def comparison_figure(document: Mapping[str, Any], latencies: Sequence[Values | None]) -> Figure:
    """The chart. ``latencies`` are the result latencies in us of each engine's frames; None without a run."""
    rows = document["engines"]
    styles = [style_of(place) for place in range(len(rows))]
    bars = [bar_of(row, style) for row, style in zip(rows, styles, strict=True)]
    names = [fold(row["engine"], NAME_COLUMNS, 3) for row in rows]
    around = words(document["answer"], _what_ran(document), where_it_ran(document))
    bars_inch = sum(bar.inches for bar in bars)
    others_inch = around.inches_above + bars_inch + AXIS_INCH + GAP_INCH + AXIS_INCH + around.inches_below
    distribution_inch = max(DISTRIBUTION_INCH, HEIGHT_INCH - others_inch, sum(map(name_inches, names)))
    figure = new_figure(others_inch + distribution_inch)
    around.write(figure)
    draw_bars(add_axes(figure, LEFT_INCH, RIGHT_INCH, around.inches_above, bars_inch), bars, document["baseline"])
    top = around.inches_above + bars_inch + AXIS_INCH + GAP_INCH
    axes = add_axes(figure, DISTRIBUTION_LEFT_INCH, DISTRIBUTION_RIGHT_INCH, top, distribution_inch)
    _draw_distributions(axes, latencies, names, styles)
    return figure


def _result_latencies(directory: Path, row: Mapping[str, Any]) -> Values | None:
    """The result latencies of the frames that count: an interrupted run may have more frames than the others."""
    if row["directory"] is None:
        return None
    columns = read_all_columns(directory / row["directory"]).first(row["frames"]["scheduled"])
    known: Values = columns.result_latency[columns.result_latency != NEVER]
    return known


def _draw_distributions(
    axes: Axes, latencies: Sequence[Values | None], names: Sequence[Sequence[str]], styles: Sequence[Style]
) -> None:
    curves = [None if us is None else curve(us, SLICES) for us in latencies]
    drawn = [(one, name, style) for one, name, style in zip(curves, names, styles, strict=True) if one is not None]
    if not drawn:
        say(axes, f"no percentile may be shown: p50 needs {frames_needed(0.5)} frames")
        axes.set_axis_off()
        return
    for one, _, style in drawn:
        axes.plot(
            one.at, one.us / 1e3, drawstyle="steps-post", color=style.colour, linestyle=style.line, linewidth=1.7
        )
    name_percentiles(axes, right=max(float(one.at[-1]) for one, _, _ in drawn))
    largest, median = max(one.us[-1] for one, _, _ in drawn), min(one.percentiles["p50"][0] for one, _, _ in drawn)
    scale(axes, float(largest) / 1e3, median / 1e3)
    frame(axes, "Distribution of result latency, of the frames that were detected, as far as they are enough")
    write_end_names(
        axes, [EndName(name, float(one.at[-1]), float(one.us[-1]) / 1e3, style) for one, name, style in drawn]
    )


def _what_ran(document: Mapping[str, Any]) -> list[str]:
    run = document["run"]
    rounds = f" in {run['rounds']:,} rounds" if run["interleaved"] else ", not interleaved"
    return [
        f"source {Path(document['source']['uri']).name}",
        f"{run['frames']:,} frames{rounds}" + (", interrupted" if run["interrupted"] else ""),
        how_it_was_paced(run),
        f"model {document['model']['name']}",
        f"video {run['video']}",
    ]
