"""``pace.png``: the idle penalty at low frame rates, and the rate from which queues build up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.charts.canvas import HEIGHT_INCH, WIDTH_INCH, add_axes, new_figure, save
from streamer.charts.captions import fold, where_it_ran, words
from streamer.charts.palette import BLACK, style_of
from streamer.studies.pace.chart_panels import Paced, draw_idle_penalty, draw_queueing_knee, rows_inch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHART_FILE = "pace.png"
MOST_ENGINES = 4
"""The most engines shown: each has several curves, and more could not be distinguished."""
PANEL_INCH, HEADING_INCH = 3.8, 0.65
"""The least height of the panels, and the height of their titles and legends."""
KEY_INCH, KEY_COLUMNS = 0.23, 100
"""The height of a line that names an engine, and its letters."""
PANEL_LEFT, PANEL_RIGHT = (0.95, 6.3), (6.85, 0.25)
"""The margins of each panel: from its left edge to the chart's left, from its right edge to the chart's right."""


def draw_pace(directory: Path, document: Mapping[str, Any]) -> Path:
    """Draws ``pace.png`` from the document into ``directory``; returns its path.

    Raises SinkError when it cannot be written.
    """
    path = directory / CHART_FILE
    save(pace_figure(document), path)
    return path


def pace_figure(document: Mapping[str, Any]) -> Figure:
    """The chart of a study of paces, from its ``pace.json``."""
    ran = {row["engine"] for row in document["rates"] if row["frames"] is not None}
    shown = [name for name in document["engines"] if name in ran][:MOST_ENGINES]
    paced = [
        Paced(name, [row for row in document["rates"] if row["engine"] == name and row["frames"]], style_of(place))
        for place, name in enumerate(shown)
    ]
    around = words(document["answer"], _what_ran(document, ran, shown), where_it_ran(document))
    key_top = around.inches_above - 0.3
    top = key_top + KEY_INCH * len(paced) + HEADING_INCH
    bottom = rows_inch(len(paced)) + around.inches_below
    height = max(PANEL_INCH, HEIGHT_INCH - top - bottom)
    figure = new_figure(top + height + bottom)
    around.write(figure)
    for place, one in enumerate(paced):
        _write_name(figure, one, key_top + KEY_INCH * place)
    draw_idle_penalty(add_axes(figure, *PANEL_LEFT, top, height), paced)
    draw_queueing_knee(add_axes(figure, *PANEL_RIGHT, top, height), paced, document["slo"])
    return figure


def _write_name(figure: Figure, engine: Paced, top: float) -> None:
    """Writes the name of an engine in its colour, with its rate in the closed loop."""
    fastest = engine.fastest
    at = 1 - (top + KEY_INCH / 2) / figure.get_figheight()
    goes = "" if fastest is None else f", as fast as it goes: {fastest:,.{1 if fastest < 100 else 0}f} fps"
    x = 0.2 / WIDTH_INCH
    figure.text(x, at, "\N{BLACK CIRCLE}", size=13, color=engine.style.colour, va="center_baseline")
    name = fold(engine.name, KEY_COLUMNS, 1)[0]
    figure.text(x + 0.02, at, name + goes, size=10.5, color=BLACK, va="center_baseline", parse_math=False)


def _what_ran(document: Mapping[str, Any], ran: set[str], shown: Sequence[str]) -> list[str]:
    run, engines = document["run"], document["engines"]
    missing = [name for name in engines if name not in ran]
    texts = [
        f"source {Path(document['source']['uri']).name}",
        f"{run['seconds']:g} s at each rate, in {run['rounds']} rounds"
        + (", interrupted" if run["interrupted"] else ""),
        f"{run['policy']}, queue {run['queue']}",
        f"model {document['model']['name']}",
        f"video {run['video']}",
    ]
    if missing:
        texts.append(f"not here: {', '.join(missing)}")
    if more := len(ran) - len(shown):
        texts.append(f"{more} more in pace.csv")
    return texts
