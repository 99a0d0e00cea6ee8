"""The panel over time: latency, result latency and age of each frame, and below it when frames were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from streamer.charts.decimate import distinct_slices, envelope
from streamer.charts.palette import AGE, BLACK, FIGURES, LATENCY, LOST, RESULT
from streamer.charts.panel import SIZES, SLICES, frame, say, scale
from streamer.ledger.record import Outcome
from streamer.rundir.columns import NEVER, OUTCOMES, Columns, Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

MOST_DOTS = 2_000
"""Frames drawn one by one; more are drawn as the band from the smallest to the largest in each slice of time."""


def draw_over_time(
    figure: Figure, place: SubplotSpec, columns: Columns, *, closed_loop: bool, deadline_ms: float | None
) -> None:
    """Draws the panel, and below it a strip for each outcome of lost frames."""
    lost = {outcome: columns.scheduled[columns.outcome == OUTCOMES.index(outcome)] for outcome in LOST}
    lost = {outcome: at for outcome, at in lost.items() if len(at)}
    stack = place.subgridspec(1 + len(lost), 1, hspace=0.08, height_ratios=[12, *(1 for _ in lost)])
    panel = figure.add_subplot(stack[0])
    strips = [figure.add_subplot(stack[row], sharex=panel) for row in range(1, 1 + len(lost))]
    _draw_latencies(panel, columns, closed_loop=closed_loop, deadline_ms=deadline_ms)
    for axes, (outcome, at) in zip(strips, lost.items(), strict=True):
        _draw_losses(axes, outcome, at)
    _name_time([panel, *strips], columns)


def _draw_latencies(axes: Axes, columns: Columns, *, closed_loop: bool, deadline_ms: float | None) -> None:
    series = {LATENCY: columns.latency, RESULT: columns.result_latency}
    if not closed_loop:
        series[AGE] = columns.age()
    dense = len(columns) > MOST_DOTS
    draw = _band if dense else _dots
    largest, middle = 0.0, 0.0
    for name, us in series.items():
        (known,) = np.nonzero(us != NEVER)
        if not len(known):
            continue
        largest = max(largest, us[known].max() / 1000)
        middle = max(middle, float(np.median(us[known])) / 1000)
        draw(axes, columns.scheduled[known], us[known], name)
    if not (columns.latency != NEVER).any():
        say(axes, "nothing was delivered")
    beyond = ""
    if deadline_ms is not None:
        # A deadline far above all latencies would press them against the axis.
        beyond = "" if not largest or deadline_ms < 3 * largest else ", above the chart"
        if not beyond:
            largest = max(largest, deadline_ms)
        axes.axhline(
            deadline_ms,
            color=BLACK,
            linestyle=(0, (5, 4)),
            linewidth=1.2,
            label=f"deadline {deadline_ms:,.1f} ms{beyond}",
        )
    scale(axes, largest, middle)
    dots = f"a dot for each frame, when it {'started' if closed_loop else 'was due'}"
    frame(axes, f"Over time ({f'median and range in {SLICES:,} slices' if dense else dots})")


def _dots(axes: Axes, at: Values, us: Values, name: str) -> None:
    size = SIZES[name] * (2 if len(at) <= 100 else 1)
    axes.plot(at / 1e6, us / 1e3, ".", color=FIGURES[name], markersize=size, label=name)


def _band(axes: Axes, at: Values, us: Values, name: str) -> None:
    slices, colour = envelope(at, us, SLICES), FIGURES[name]
    (x, low), (_, middle), (_, high) = (slices.outline(one) for one in (slices.low, slices.middle, slices.high))
    axes.fill_between(x / 1e6, low / 1e3, high / 1e3, color=colour, alpha=0.25, linewidth=0)
    axes.plot(x / 1e6, high / 1e3, color=colour, alpha=0.7, linewidth=0.6)
    axes.plot(x / 1e6, middle / 1e3, color=colour, linewidth=SIZES[name] / 2.5, label=name)


def _draw_losses(axes: Axes, outcome: Outcome, at: Values) -> None:
    axes.eventplot(distinct_slices(at, SLICES) / 1e6, colors=LOST[outcome], linelengths=0.8)
    axes.set_yticks([])
    axes.set_ylim(0.4, 1.6)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    text = f"{outcome.value.replace('_', ' ')} {len(at):,}"
    axes.set_ylabel(text, rotation=0, ha="right", va="center", size=10, color=BLACK)


def _name_time(stack: list[Axes], columns: Columns) -> None:
    from matplotlib.ticker import FuncFormatter

    end = columns.scheduled[-1] / 1e6 if len(columns) else 0.0
    stack[0].set_xlim(-0.01 * end if end else -0.5, 1.01 * end if end else 0.5)
    for axes in stack:
        axes.tick_params(axis="x", labelbottom=axes is stack[-1], bottom=axes is stack[-1])
    stack[-1].xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:,.10g}"))
    stack[-1].set_xlabel("seconds since the start", labelpad=2)
