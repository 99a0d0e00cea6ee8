"""``latency.png``: the latencies of a run over time, and their distribution."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.engines.in_force import precision_of
from streamer.errors import SinkError
from streamer.pictures.canvas import BLACK, GRAY, new_figure, printable, save
from streamer.pictures.columns import read_columns
from streamer.pictures.distribution import draw_distribution
from streamer.pictures.over_time import draw_over_time
from streamer.rundir import FRAMES, PICTURE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE_COLUMNS, CAPTION_COLUMNS = 98, 170
"""Letters in a line."""


def draw_latency(directory: Path, manifest: Mapping[str, Any]) -> Path:
    """Draws ``latency.png`` in a finished run directory, from its ``frames.csv`` and its manifest; returns its path.

    Raises SinkError when the ledger cannot be read or the picture cannot be written.
    """
    path = directory / PICTURE
    try:
        columns = read_columns(directory / FRAMES)
    except (OSError, ValueError, LookupError) as error:
        raise SinkError(f"cannot draw {path}: {error}") from error
    closed_loop, deadline_ms = manifest["run"]["closed_loop"], manifest["run"]["deadline_ms"]
    figure = new_figure()
    top = _write_answer(figure, manifest)
    _write_circumstances(figure, manifest)
    panels = figure.add_gridspec(2, 1, hspace=0.32, left=0.125, right=0.975, top=top, bottom=0.2)
    draw_over_time(figure, panels[0], columns, closed_loop=closed_loop, deadline_ms=deadline_ms)
    draw_distribution(figure.add_subplot(panels[1]), columns, closed_loop=closed_loop)
    save(figure, path)
    return path


def _write_answer(figure: Figure, manifest: Mapping[str, Any]) -> float:
    """Writes the plain answer; returns where the panels may begin, as a share of the height."""
    verdict = "" if manifest["verdict"] == "VALID" else f"{manifest['verdict']}: "
    lines = textwrap.wrap(printable(verdict + manifest["answer"]), TITLE_COLUMNS)
    figure.text(0.02, 0.985, "\n".join(lines), va="top", size=14, weight="bold", color=BLACK, parse_math=False)
    return 0.92 - 0.03 * len(lines)


def _write_circumstances(figure: Figure, manifest: Mapping[str, Any]) -> None:
    """Writes what ran, on what, and when."""
    engine, run, machine = manifest["engine"], manifest["run"], manifest["machine"]
    precision = precision_of(engine["config_in_force"])
    rate = "closed loop" if run["closed_loop"] else f"{_plain(run['fps'])} fps, {run['policy']}, queue {run['queue']}"
    what = [
        f"{engine['spec']} on {', '.join(engine['execution_devices'])}" + (f" in {precision}" if precision else ""),
        f"model {manifest['model']['name']}",
        f"source {Path(manifest['source']['uri']).name}",
        rate,
        f"video {run['video']}",
    ]
    where = [
        f"{machine['cpu'] or 'unknown CPU'}, {machine['usable_cores']} of {machine['cores']} cores",
        f"{datetime.fromisoformat(run['started']):%Y-%m-%d %H:%M} UTC",
        f"streamer {manifest['streamer']}",
    ]
    lines = [
        line
        for parts in (what, where)
        for line in textwrap.wrap(printable("  \N{MIDDLE DOT}  ".join(parts)), CAPTION_COLUMNS)
    ]
    figure.text(0.02, 0.015, "\n".join(lines), va="bottom", size=9, color=GRAY, linespacing=1.4, parse_math=False)


def _plain(rate: str) -> str:
    """A rate such as 30000/1001 as people say it."""
    above, _, below = rate.partition("/")
    return f"{float(above) / float(below or 1):.5g}"
