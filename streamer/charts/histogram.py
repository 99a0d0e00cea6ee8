"""The panel of the distribution: latency by percentile, as wrk2 and HdrHistogram plot it, beside the service time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from streamer.charts.decimate import Curve, curve
from streamer.charts.palette import FIGURES, GRAY, LATENCY, RESULT, SERVICE
from streamer.charts.panel import ROW_POINTS, SIZES, SLICES, below, frame, say, scale
from streamer.rundir.columns import NEVER, Columns
from streamer.stats.percentiles import PERCENTILES, frames_needed, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_distribution(axes: Axes, columns: Columns, *, closed_loop: bool) -> None:
    """Draws each series up to the highest percentile for which it has enough frames, and the figures below."""
    series = {LATENCY: columns.latency, RESULT: columns.result_latency, SERVICE: columns.service}
    curves = {name: curve(us[us != NEVER], SLICES) for name, us in series.items()}
    drawn = {name: one for name, one in curves.items() if one is not None}
    n = int((columns.latency != NEVER).sum())
    if not n:
        say(axes, "nothing was delivered")
    if not drawn:
        if n:
            say(axes, f"no percentile may be shown: p50 needs {frames_needed(0.5)} frames, latency has {n}")
        axes.set_axis_off()
        return
    name_percentiles(axes, right=max(float(one.at[-1]) for one in drawn.values()))
    for row, (name, one) in enumerate(drawn.items()):
        shows = ", all that a closed loop would show" if name == SERVICE and not closed_loop else ""
        _draw_curve(axes, one, name, name + shows)
        _write_percentiles(axes, one, name, row)
    note = "whiskers: upper bound at 99 % confidence" + _withheld(n)
    axes.set_xlabel(note, labelpad=ROW_POINTS * len(drawn) + 3, size=10, color=GRAY, loc="right")
    largest = max(bound for one in drawn.values() for _, bound in one.percentiles.values())
    median = max(one.percentiles["p50"][0] for one in drawn.values())
    scale(axes, largest / 1e3, median / 1e3)
    frame(axes, "Distribution")


def name_percentiles(axes: Axes, right: float) -> None:
    """A logarithmic axis of 1 / (1 - p), up to ``right``, on which the percentiles are named."""
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(1, right * 1.12)
    shown = {name: at for name, p in PERCENTILES.items() if (at := 1 / (1 - p)) <= right * 1.01}
    axes.xaxis.set_major_locator(FixedLocator(list(shown.values())))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{spoken(name)[1:]} %" for name in shown])
    below(axes, "percentile", -5)


def _draw_curve(axes: Axes, drawn: Curve, name: str, label: str) -> None:
    colour, width = FIGURES[name], SIZES[name] / 1.7
    axes.plot(drawn.at, drawn.us / 1e3, drawstyle="steps-post", color=colour, linewidth=width, label=label)
    for percentile, (us, bound) in drawn.percentiles.items():
        at, whisker = 1 / (1 - PERCENTILES[percentile]), np.array([[0], [bound - us]]) / 1e3
        axes.errorbar(at, us / 1e3, yerr=whisker, fmt="o", markersize=4, capsize=4, color=colour, elinewidth=1)


def _write_percentiles(axes: Axes, drawn: Curve, name: str, row: int) -> None:
    """A row of figures below the axis, each below its percentile; beside the curves they would overlap."""
    down = -20 - ROW_POINTS * row
    below(axes, f"{name}, ms", down, colour=FIGURES[name])
    for percentile, (us, _) in drawn.percentiles.items():
        below(axes, f"{us / 1e3:,.2f}", down, at=1 / (1 - PERCENTILES[percentile]))


def _withheld(n: int) -> str:
    for name, p in PERCENTILES.items():
        if 0 < n < frames_needed(p):
            return f"  \N{MIDDLE DOT}  {spoken(name)} needs {frames_needed(p):,} frames, latency has {n:,}"
    return ""
