"""The parts that panels of a chart share: sizes, the axis of milliseconds, the frame around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from streamer.charts.palette import AGE, BLACK, GRAY, LATENCY, RESULT, SERVICE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZES = {LATENCY: 4.6, RESULT: 2.6, AGE: 2.6, SERVICE: 2.6}
"""The sizes of dots in points: latency shows around a result latency that is hardly less. Lines follow."""
SLICES = 1_000
"""About one for each column of pixels in a panel."""
ROW_POINTS = 15
"""The height of a row of figures below the axis, in points."""
SQUASHED = 20
"""The axis is logarithmic from a largest value of so many medians on, which would press all others against it."""


def scale(axes: Axes, largest: float, median: float) -> None:
    """An axis of milliseconds with room above the ``largest`` value, from 0, or logarithmic (see SQUASHED)."""
    if largest > SQUASHED * median > 0:
        logarithmic(axes, None, largest * 1.5)
    else:
        linear(axes, largest)


def linear(axes: Axes, largest: float) -> None:
    """An axis of milliseconds from 0, with room above the ``largest`` value."""
    axes.set_ylim(0, largest * 1.14 or 1)
    _name_milliseconds(axes, "milliseconds")


def logarithmic(axes: Axes, lowest: float | None, highest: float) -> None:
    """A logarithmic axis of milliseconds; with None it begins at what is drawn."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.set_ylim(lowest, highest)
    low, high = axes.get_ylim()
    # Over a decade or two, powers of ten alone leave most of the axis without a figure.
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    _name_milliseconds(axes, "milliseconds, logarithmic")


def _name_milliseconds(axes: Axes, name: str) -> None:
    from matplotlib.ticker import FuncFormatter

    axes.yaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:,.10g}"))
    axes.set_ylabel(name)


def below(axes: Axes, text: str, down: float, *, colour: str = BLACK, at: float | None = None) -> None:
    """Writes text so many points below the axis, under the place ``at`` on it or, without one, left of its start."""
    axes.annotate(
        text,
        (axes.get_xlim()[0] if at is None else at, 0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(-8 if at is None else 0, down),
        textcoords="offset points",
        ha="right" if at is None else "center",
        va="top",
        size=10,
        color=colour,
        annotation_clip=False,
        parse_math=False,
    )


def say(axes: Axes, text: str) -> None:
    """Writes text in the middle of a panel that has little to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", size=14, color=GRAY)


def grid(axes: Axes, axis: Literal["x", "both"] = "both") -> None:
    """A light grid behind the panel, and no line above it nor right of it."""
    axes.grid(True, axis=axis, color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def frame(axes: Axes, title: str) -> None:
    """The panel's title to the left, its legend beside it, a light grid behind."""
    axes.set_title(title, loc="left", size=10.5, color=BLACK, pad=6)
    grid(axes)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=4,
            frameon=False,
            fontsize=10,
            borderaxespad=0.1,
            handlelength=1.6,
            columnspacing=1.5,
            markerscale=2.0,
        )
