"""The panel of bars of a comparison: each engine's median, its configuration, and its ratio to the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamer.charts.captions import fold, percent
from streamer.charts.palette import BLACK, GRAY, VERMILLION, Style
from streamer.charts.panel import grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME_COLUMNS, DETAIL_COLUMNS, VERDICT_COLUMNS = 28, 36, 32
"""The most letters in a line."""
BAR_INCH, PADDING_INCH, LINE_INCH = 0.26, 0.14, 0.165
NOT_HERE, BASELINE = "unavailable", "baseline"


@dataclass(frozen=True, slots=True)
class Line:
    """Words beside a bar."""

    text: str
    colour: str
    size: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The row of an engine: the bar, the figure at its end, and lines left and right of it.

    ``median`` and its ``interval``, which may be unknown, are in milliseconds. ``median`` is None when there is
    nothing to draw; ``figure`` then says why.
    """

    median: float | None
    interval: tuple[float, float] | None
    figure: str
    left: Sequence[Line]
    right: Sequence[Line]
    style: Style

    @property
    def inches(self) -> float:
        """The height of its row."""
        return max(LINE_INCH * max(len(self.left), len(self.right)), BAR_INCH) + PADDING_INCH

    @property
    def end(self) -> float:
        """Where the bar ends, with its whisker, in milliseconds."""
        return self.interval[1] if self.interval else self.median or 0.0


def bar_of(row: Mapping[str, Any], style: Style) -> Bar:
    """The bar of an engine's row in the document."""
    estimate, missing = row["median_ms"], row["speed"] == NOT_HERE
    # With few frames the median may be known without an interval.
    median = estimate["value"] if estimate else None if missing else row["result_latency_ms"]["p50"]
    return Bar(
        median,
        (estimate["low"], estimate["high"]) if estimate else None,
        "not here" if missing else "too few frames" if median is None else f"{median:,.1f} ms",
        list(_who(row)),
        [] if missing else list(_verdict(row)),
        style,
    )


def _who(row: Mapping[str, Any]) -> Iterator[Line]:
    for text in fold(row["engine"], NAME_COLUMNS, 3):
        yield Line(text, GRAY if row["speed"] == NOT_HERE else BLACK, 10)
    same = f"same as {row['same_as']}" if row["same_as"] else None
    for text in fold(", ".join(filter(None, (row["precision"], same))), DETAIL_COLUMNS, 2):
        yield Line(text, GRAY, 9)


def _verdict(row: Mapping[str, Any]) -> Iterator[Line]:
    if ratio := row["ratio_p50"]:
        yield Line(f"{_times(ratio['value'])}x, {row['speed']}", BLACK, 10)
        yield Line(f"{_times(ratio['low'])} to {_times(ratio['high'])}", GRAY, 9)
    else:
        yield Line(BASELINE if row["speed"] == BASELINE else "too few frames to tell", BLACK, 10)
    for text in fold(", ".join(_against(row)), VERDICT_COLUMNS, 2):
        yield Line(text, VERMILLION, 9)


def _against(row: Mapping[str, Any]) -> Iterator[str]:
    """What speaks against the engine."""
    if row["verdict"] != "VALID":
        yield row["verdict"]
    if row["drops_percent"]:
        yield f"{percent(row['drops_percent'])} dropped"
    if row["agreement"] == "disagrees":
        yield f"disagrees ({row['agreement_share']:.2f})"
    if row["slo"] == "missed":
        yield "objective missed"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.1f}"


def draw_bars(axes: Axes, bars: Sequence[Bar], baseline: str) -> None:
    """Draws the bars from the top, on an axis of milliseconds from 0; the axes are as high as all rows."""
    from matplotlib.ticker import FuncFormatter

    furthest = max((bar.end for bar in bars), default=0.0)
    axes.set_xlim(0, 1.17 * furthest or 1)
    axes.set_ylim(sum(bar.inches for bar in bars), 0)
    top = 0.0
    for bar in bars:
        _draw(axes, bar, top + bar.inches / 2)
        top += bar.inches
    axes.set_title("Median result latency (whiskers: 99 % interval)", loc="left", size=10.5, color=BLACK, pad=6)
    heading = "\n".join(fold(f"against {baseline}", VERDICT_COLUMNS, 2))
    _beside(axes, heading, 0, right=True, up=6, size=10.5, colour=BLACK)
    axes.set_yticks([])
    if not furthest:
        axes.set_xticks([])
    grid(axes, "x")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:,.10g}"))
    axes.set_xlabel("milliseconds", labelpad=2)


def _draw(axes: Axes, bar: Bar, middle: float) -> None:
    style = bar.style
    if bar.median is not None:
        fill = "white" if style.hatch else style.colour
        axes.barh(middle, bar.median, BAR_INCH, color=fill, edgecolor=style.colour, hatch=style.hatch, linewidth=1)
        if bar.interval is not None:
            low, high = bar.interval
            whiskers = [[bar.median - low], [high - bar.median]]
            axes.errorbar(bar.median, middle, xerr=whiskers, color=BLACK, capsize=3.5, elinewidth=1.4)
    axes.annotate(
        bar.figure,
        (bar.end, middle),
        xytext=(7, 0),
        textcoords="offset points",
        va="center_baseline",
        size=10.5,
        weight="normal" if bar.median is None else "bold",
        color=GRAY if bar.median is None else BLACK,
    )
    for lines, right in ((bar.left, False), (bar.right, True)):
        for number, line in enumerate(lines):
            at = middle + LINE_INCH * (number - (len(lines) - 1) / 2)
            _beside(axes, line.text, at, right=right, size=line.size, colour=line.colour)


def _beside(
    axes: Axes, text: str, at: float, *, right: bool, size: float, colour: str, up: float | None = None
) -> None:
    """Text left or right of the axes, centred at a height of theirs, or so many points above it."""
    axes.annotate(
        text,
        (1 if right else 0, at),
        xycoords=axes.get_yaxis_transform(),
        xytext=(14 if right else -9, up or 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center_baseline" if up is None else "baseline",
        size=size,
        color=colour,
        annotation_clip=False,
        parse_math=False,
    )
