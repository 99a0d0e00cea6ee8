"""The panels of a soak, over one axis of time: a point for each window, at its end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from streamer.charts.decimate import Floats, envelope
from streamer.charts.palette import BLACK, BLUE, GRAY, GREEN, LOST, ORANGE, PURPLE, VERMILLION
from streamer.charts.panel import frame, linear, say, scale
from streamer.ledger.record import Outcome
from streamer.studies.soak.answers import CHANGED, NOTHING, SAME
from streamer.studies.soak.leaks import CHILDREN, MEMORY
from streamer.studies.soak.windows_csv import WindowRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 60
"""The most windows that have a dot each."""
SLICES = 300
"""Of more windows the median and the range are drawn, in so many slices of time."""
TREND = (0, (5, 3))
LEAST_SPAN_MB = 10.0
"""The least range of an axis of memory: on a smaller one a wave of a megabyte would look large."""
UNITS = ((3 * 60, 1, "seconds"), (3 * 3600, 60, "minutes"), (math.inf, 3600, "hours"))
"""The longest soak in seconds whose axis has the unit, the seconds of the unit, and its name."""

Rows = Sequence[WindowRow]
Verdicts = Mapping[str, Mapping[str, Any]]


def draw_latency(axes: Axes, rows: Rows, verdicts: Verdicts) -> None:
    """Draws the percentiles of the latency, the trend of the median, and where the soak was resumed."""
    colours = {"p99": PURPLE, "p95": ORANGE, "p50": BLUE}
    for name, colour in colours.items():
        value = attrgetter(f"latency_{name}_ms")
        if any(value(row) is not None for row in rows):
            _line(axes, rows, value, colour, name)
    shown = [row for row in rows if row.latency_p50_ms is not None]
    if not shown:
        say(axes, "no window had frames enough for a percentile")
    drifts = verdicts["drift"]["figures"]["p50"]
    for number, one in enumerate(drifts):
        label = f"trend of p50: {one['percent_a_minute']:+z.2f} % a minute" if len(drifts) == 1 else "trends of p50"
        _trend(axes, rows, one, (one["start_ms"], one["end_ms"]), "" if number else label)
    highest = [max(filter(None, (row.latency_p99_ms, row.latency_p95_ms, row.latency_p50_ms))) for row in shown]
    scale(axes, max(highest, default=0.0), float(np.median([row.latency_p50_ms or 0 for row in shown] or [0])))
    sliced = f", median and range in {SLICES} slices" if len(rows) > SLICES else ""
    frame(axes, f"Latency in each window{sliced}")


def draw_losses(axes: Axes, rows: Rows, _: Verdicts) -> None:
    """Draws how many frames each window lost in each way."""
    lost = {outcome: np.array([getattr(row, outcome.value) for row in rows]) for outcome in LOST}
    lost = {outcome: counts for outcome, counts in lost.items() if counts.sum()}
    begun = np.zeros(len(rows))
    edges = _per_unit(rows, [row.start_s for row in rows] + [row.end_s for row in rows[-1:]])
    for outcome, counts in lost.items():
        label = f"{_spoken(outcome)} {counts.sum():,}"
        axes.stairs(begun + counts, edges, baseline=begun, fill=True, color=LOST[outcome], label=label)
        begun = begun + counts
    scheduled = sum(row.scheduled for row in rows)
    if lost:
        scale_frames(axes, float(begun.max()))
    else:
        say(axes, f"none of {scheduled:,} frames was dropped or lost")
        axes.set_yticks([])
    frame(axes, f"Frames not delivered in each window, of {scheduled:,} in all")


def scale_frames(axes: Axes, largest: float) -> None:
    """An axis of whole frames from 0."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.set_ylim(0, largest * 1.14)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylabel("frames")


def draw_memory(axes: Axes, rows: Rows, verdicts: Verdicts) -> None:
    """Draws what streamer had resident at the end of each window, and its trend."""
    low = _memory(axes, rows, attrgetter("resident_mb"), verdicts[MEMORY])
    frame(axes, f"Resident memory at the end of each window{low}")


def draw_memory_of_children(axes: Axes, rows: Rows, verdicts: Verdicts) -> None:
    """Draws the same for the processes that it has started."""
    low = _memory(axes, rows, attrgetter("children_mb"), verdicts[CHILDREN])
    frame(axes, f"Resident memory of the processes that it started{low}")


def _memory(axes: Axes, rows: Rows, value: Callable[[WindowRow], float], verdict: Mapping[str, Any]) -> str:
    """Draws memory and its trends; returns the title's note that the axis does not begin at 0."""
    _line(axes, rows, value, BLUE, "")
    trends = verdict["figures"]["parts"]
    for number, one in enumerate(trends):
        label = f"trend: {one['a_minute']:+z.2f} MB a minute" if len(trends) == 1 else "trends"
        _trend(axes, rows, one, (one["start"], one["end"]), "" if number else label)
    low, high = min(map(value, rows), default=0.0), max(map(value, rows), default=0.0)
    room = max(0.08 * (high - low), (LEAST_SPAN_MB - (high - low)) / 2)
    axes.set_ylim(max(0.0, low - room), high + room)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_ylabel("MB")
    return ", not from 0 MB" if low > room else ""


def draw_lateness(axes: Axes, rows: Rows, _: Verdicts) -> None:
    """Draws how late streamer itself was."""
    _line(axes, rows, attrgetter("lateness_p99_ms"), BLUE, "")
    known = [row.lateness_p99_ms for row in rows if row.lateness_p99_ms is not None]
    if not known:
        say(axes, "no window had frames enough for p99")
    scale(axes, max(known, default=0.0), float(np.median(known or [0])))
    frame(axes, "Lateness, p99 of each window: streamer's own error")


def draw_cpu(axes: Axes, rows: Rows, _: Verdicts) -> None:
    """Draws the cores used, and the windows in which the processor was throttled."""
    _line(axes, rows, attrgetter("cpu_share"), BLUE, "")
    throttled = [row for row in rows if row.throttled]
    linear(axes, max((row.cpu_share for row in rows), default=0.0))
    axes.set_ylabel("cores")
    if throttled:
        at = _per_unit(rows, [row.end_s for row in throttled])
        axes.plot(
            at, [row.cpu_share for row in throttled], "v", color=VERMILLION, markersize=7, zorder=3, label="throttled"
        )
    frame(axes, "CPU time used, in cores")


def draw_canary(axes: Axes, rows: Rows, _: Verdicts) -> None:
    """Draws a tick for each window in which the canary was looked at; a change stands out."""
    for name, colour, width in ((SAME, GREEN, 1.2), (NOTHING, GRAY, 1.2), (CHANGED, VERMILLION, 2.4)):
        at = _per_unit(rows, [row.end_s for row in rows if row.canary == name])
        if len(at):
            axes.eventplot(at, colors=colour, linelengths=1.0, linewidths=width, label=f"{name} {len(at):,}")
    axes.set_ylim(0.4, 1.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if not any(row.canary for row in rows):
        say(axes, "it was not looked at")
    frame(axes, "The canary frame's detections")


def name_time(stack: Sequence[Axes], rows: Rows) -> None:
    """Gives all panels one axis of time, named below the last, and a line where the soak was resumed."""
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    end = float(_per_unit(rows, [rows[-1].end_s])[0]) if rows else 1.0
    resumed = _per_unit(rows, [after.start_s for before, after in pairwise(rows) if after.part != before.part])
    for axes in stack:
        axes.set_xlim(-0.01 * end, 1.01 * end)
        axes.tick_params(axis="x", bottom=axes is stack[-1])
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}") if axes is stack[-1] else NullFormatter())
        for at in resumed:
            axes.axvline(at, color=GRAY, linestyle=(0, (1, 2)), linewidth=1)
    stack[-1].set_xlabel(
        f"{_unit(rows)[1]} since the start{', resumed where dotted' if len(resumed) else ''}", labelpad=2
    )


def _unit(rows: Rows) -> tuple[int, str]:
    """The seconds of the unit of time, and its name."""
    end_s = rows[-1].end_s if rows else 0.0
    return next((seconds, name) for most, seconds, name in UNITS if end_s <= most)


def _per_unit(rows: Rows, seconds: Sequence[float] | Floats) -> Floats:
    return np.asarray(seconds, np.float64) / _unit(rows)[0]


def _line(axes: Axes, rows: Rows, value: Callable[[WindowRow], float | None], colour: str, label: str) -> None:
    """A line through the windows, with a gap where one has no value, and where the soak was resumed."""
    if len(rows) > SLICES:
        known = np.array([(row.end_s, number) for row in rows if (number := value(row)) is not None], np.float64)
        if len(known):
            _band(axes, rows, known[:, 0], known[:, 1], colour, label)
        return
    at, values = [], []
    for before, row in zip([None, *rows], rows, strict=False):
        if before is not None and before.part != row.part:
            at.append(row.start_s)
            values.append(math.nan)
        number = value(row)
        at.append(row.end_s)
        values.append(math.nan if number is None else number)
    marker = "o" if len(rows) <= FEW else ""
    x = _per_unit(rows, at)
    axes.plot(x, values, color=colour, linewidth=1.5, marker=marker, markersize=3.5, label=label or None)


def _band(axes: Axes, rows: Rows, at_s: Floats, values: Floats, colour: str, label: str) -> None:
    """The median and the range in each slice of time; ``envelope`` takes whole milliseconds, and thousandths."""
    slices = envelope((1000 * at_s).astype(np.int64), np.round(1000 * values).astype(np.int64), SLICES)
    (x, low), (_, middle), (_, high) = (slices.outline(one) for one in (slices.low, slices.middle, slices.high))
    at = _per_unit(rows, x / 1000)
    axes.fill_between(at, low / 1000, high / 1000, color=colour, alpha=0.25, linewidth=0)
    axes.plot(at, middle / 1000, color=colour, linewidth=1.3, label=label or None)


def _trend(axes: Axes, rows: Rows, one: Mapping[str, Any], ends: tuple[float, float], label: str) -> None:
    at = _per_unit(rows, [one["start_s"], one["end_s"]])
    axes.plot(at, ends, color=BLACK, linestyle=TREND, linewidth=1.4, label=label or None)


def _spoken(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")
