"""The two panels of a study of paces, over the frame rate: time in infer, and result latency with age."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from streamer.charts.canvas import WIDTH_INCH
from streamer.charts.captions import fold, percent, plain
from streamer.charts.palette import BLACK, GRAY, Style
from streamer.charts.panel import ROW_POINTS, below, grid, linear, logarithmic, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

FAR = 4
"""A closed loop more than so many times as fast as the highest rate is not on the axis: it would crowd the rates."""
ROOM = 1.25
"""The factor between the lowest or highest rate and the end of the axis."""
LETTER_INCH, GAP_INCH = 0.085, 0.06
"""The width of a letter below the axis, and the least space between words there."""
NOTE_COLUMNS = 64
"""The most letters in a line below the axis."""
Dashes = tuple[float, tuple[float, ...]]
BACK_TO_BACK: Dashes = (0, (5, 3))
FASTEST: Dashes = (0, (7, 2, 1, 2))
WHOLE: Dashes = (0, ())
CURVES: tuple[tuple[str, str, Dashes, str, str], ...] = (
    ("result_latency_ms", "p50", WHOLE, "o", "p50"),
    ("result_latency_ms", "p95", (0, (4, 2)), "^", "p95"),
    ("age_ms", "p50", (0, (1, 1.5)), ".", "p50 of age"),
)
"""The figures that are drawn, their lines and markers, and their names."""


@dataclass(frozen=True, slots=True)
class Paced:
    """An engine, and its rows of the document, of the rates that were run."""

    name: str
    rows: Sequence[Mapping[str, Any]]
    style: Style

    @property
    def rates(self) -> list[Mapping[str, Any]]:
        """The rows of frame rates, ascending: without the closed loop."""
        return sorted((row for row in self.rows if not row["closed_loop"]), key=rate_of)

    @property
    def closed_loop(self) -> Mapping[str, Any] | None:
        """The row of the closed loop."""
        return next((row for row in self.rows if row["closed_loop"]), None)

    @property
    def fastest(self) -> float | None:
        """Frames per second in the closed loop."""
        row = self.closed_loop
        return None if row is None else float(row["delivered_rate"]) or None


def rate_of(row: Mapping[str, Any]) -> float:
    """The frames per second of a row that is not the closed loop's."""
    return float(Fraction(row["fps"]))


def rows_inch(engines: int) -> float:
    """The height in inches of the rows below the axes, for so many engines."""
    return (22 + ROW_POINTS * (engines + 1)) / 72 + 0.15


def draw_idle_penalty(axes: Axes, engines: Sequence[Paced]) -> None:
    """Draws the median time in infer at each rate, and the closed loop's as a line; their ratio stands below."""
    medians = [row["infer_median_ms"] for one in engines for row in one.rows if row["infer_median_ms"]]
    if not medians or not _draw_rates(axes, engines):
        _say_nothing(axes)
        return
    for one in engines:
        points = [(rate_of(row), row["infer_median_ms"]) for row in one.rates if row["infer_median_ms"]]
        axes.errorbar(
            [rate for rate, _ in points],
            [ms["value"] for _, ms in points],
            yerr=[[ms["value"] - ms["low"] for _, ms in points], [ms["high"] - ms["value"] for _, ms in points]],
            fmt="o-",
            color=one.style.colour,
            markersize=5,
            capsize=3.5,
        )
    keys = [_key("at that rate", WHOLE, "o")]
    back_to_back = [(one, one.closed_loop["infer_median_ms"]) for one in engines if one.closed_loop]
    for one, ms in back_to_back:
        if ms:
            axes.axhspan(ms["low"], ms["high"], color=one.style.colour, alpha=0.2, linewidth=0)
            axes.axhline(ms["value"], color=one.style.colour, linestyle=BACK_TO_BACK)
    if back_to_back:
        keys.append(_key("back to back (max)", BACK_TO_BACK))
    linear(axes, max(ms["high"] for ms in medians))
    _head(axes, "Idle penalty: median time in infer, with 99 % interval", keys)
    times = [
        {rate_of(row): f"{row['idle_penalty']['value']:.2f}" for row in one.rates if row["idle_penalty"]}
        for one in engines
    ]
    if any(times):
        _write_rows(axes, "times max", engines, times)


def draw_queueing_knee(axes: Axes, engines: Sequence[Paced], slo: str | None) -> None:
    """Draws result latency and age at each rate, and the closed loop's rate; the share dropped stands below."""
    curves = [curve for one in engines for curve in _curves(one)]
    drawn = [ms for curve in curves for ms in curve.ms if ms > 0]
    if not drawn or not _draw_rates(axes, engines):
        _say_nothing(axes)
        return
    logarithmic(axes, min(drawn) / 1.5, max(drawn) * 1.5)
    for curve in curves:
        axes.plot(curve.fps, curve.ms, color=curve.colour, linestyle=curve.line)
        for fps, ms, missed in zip(curve.fps, curve.ms, curve.missed, strict=True):
            fill = "white" if missed else curve.colour
            axes.plot(fps, ms, curve.marker, color=curve.colour, markerfacecolor=fill, markersize=6)
    keys = [_key(name, line, marker) for _, _, line, marker, name in CURVES]
    reached = [one for one in engines if one.fastest is not None and one.fastest <= axes.get_xlim()[1]]
    for one in reached:
        axes.axvline(one.fastest or 0, color=one.style.colour, linestyle=FASTEST, linewidth=1.2)
    if reached:
        keys.append(_key("as fast as it goes", FASTEST))
    _head(axes, "Queueing knee: result latency and age", keys)
    dropped = [
        {rate_of(row): percent(row["drops_percent"]) for row in one.rates if row["drops_percent"]} for one in engines
    ]
    if any(dropped):
        _write_rows(axes, "dropped", engines, dropped)
    if slo:
        note = "\n".join(fold(f"filled or hollow: meets or misses {slo}", NOTE_COLUMNS, 2))
        rows = len(engines) if any(dropped) else 0
        axes.set_xlabel(note, labelpad=3 + ROW_POINTS * rows, size=10, color=GRAY, loc="right", parse_math=False)


@dataclass(frozen=True, slots=True)
class _Curve:
    """A figure of an engine at each rate with frames enough, and whether the objectives were missed there."""

    fps: Sequence[float]
    ms: Sequence[float]
    missed: Sequence[bool]
    colour: str
    line: Dashes
    marker: str


def _curves(engine: Paced) -> Iterator[_Curve]:
    for figure, percentile, line, marker, _ in CURVES:
        rows = [row for row in engine.rates if row[figure] and row[figure][percentile] is not None]
        yield _Curve(
            [rate_of(row) for row in rows],
            [row[figure][percentile] for row in rows],
            [row["slo"] == "missed" for row in rows],
            engine.style.colour,
            line,
            marker,
        )


def _draw_rates(axes: Axes, engines: Sequence[Paced]) -> bool:
    """Makes the logarithmic axis of frame rates, with a tick at each; False when there is no rate."""
    from matplotlib.ticker import FixedLocator, NullLocator

    texts = {rate_of(row): plain(row["fps"]) for one in engines for row in one.rates}
    if not texts:
        return False
    rates = sorted(texts)
    fastest = [one.fastest for one in engines if one.fastest is not None and one.fastest <= FAR * rates[-1]]
    axes.set_xscale("log")
    axes.set_xlim(min(rates) / ROOM, max([*rates, *fastest]) * ROOM)
    axes.xaxis.set_major_locator(FixedLocator(rates))
    axes.xaxis.set_minor_locator(NullLocator())
    legible = _with_room(axes, texts)
    axes.set_xticklabels([legible.get(rate, "") for rate in rates])
    below(axes, "fps", -5)
    return True


def _with_room(axes: Axes, texts: Mapping[float, str]) -> dict[float, str]:
    """The words to write at rates, without those that would touch the ones before."""
    inches = axes.get_position().width * WIDTH_INCH
    low, high = axes.get_xlim()
    kept, end = {}, -math.inf
    for rate, text in sorted(texts.items()):
        middle = math.log(rate / low) / math.log(high / low) * inches
        half = LETTER_INCH * len(text) / 2
        if middle - half >= end:
            kept[rate] = text
            end = middle + half + GAP_INCH
    return kept


def _write_rows(axes: Axes, name: str, engines: Sequence[Paced], rows: Sequence[Mapping[float, str]]) -> None:
    """A row of figures for each engine below the axis, in its colour: at the curves they would cover one another."""
    for number, (engine, row) in enumerate(zip(engines, rows, strict=True)):
        down = -20 - ROW_POINTS * number
        if number == 0:
            below(axes, name, down)
        for rate, text in _with_room(axes, row).items():
            below(axes, text, down, at=rate, colour=engine.style.colour)


def _head(axes: Axes, title: str, keys: Sequence[Line2D]) -> None:
    """Writes the title, and a legend of the lines below it."""
    axes.set_title(title, loc="left", size=10.5, color=BLACK, pad=26)
    axes.legend(
        handles=keys,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(keys),
        frameon=False,
        fontsize=9.5,
        borderaxespad=0.1,
        borderpad=0.1,
        handlelength=2.2,
        columnspacing=1.2,
    )
    grid(axes)


def _key(name: str, line: Dashes, marker: str = "") -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=BLACK, linestyle=line, marker=marker, markersize=5, label=name)


def _say_nothing(axes: Axes) -> None:
    say(axes, "no frame rate has frames enough")
    axes.set_axis_off()
