"""What the panels of a picture share: the series and their colours, the axis of milliseconds, the frame around."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamer.pictures.canvas import BLACK, BLUE, GRAY, GREEN, ORANGE, PURPLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LATENCY, RESULT, AGE, SERVICE = "latency", "result latency", "age", "service time"
COLOURS = {LATENCY: BLUE, RESULT: ORANGE, AGE: GREEN, SERVICE: PURPLE}
SIZES = {LATENCY: 4.6, RESULT: 2.6, AGE: 2.6, SERVICE: 2.6}
"""Of dots, in points: where latency is hardly more than result latency, its colour shows around it. Lines follow."""
SLICES = 1_000
"""About one for each column of pixels in a panel."""
SQUASHED = 20
"""A largest value of so many medians would press all others against the axis: it becomes logarithmic."""


def scale(axes: Axes, largest: float, median: float) -> None:
    """An axis of milliseconds from 0, logarithmic when it must be, with room above the ``largest`` value."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    squashed = largest > SQUASHED * median > 0
    if squashed:
        axes.set_yscale("log")
        axes.set_ylim(None, largest * 1.5)
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, largest * 1.14 or 1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda ms, _: f"{ms:,.10g}"))
    axes.set_ylabel("milliseconds, logarithmic" if squashed else "milliseconds")


def say(axes: Axes, text: str) -> None:
    """Words in the middle of a panel that has little to show."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", size=14, color=GRAY)


def frame(axes: Axes, title: str) -> None:
    """The panel's title to the left, its legend beside it, a light grid behind."""
    axes.set_title(title, loc="left", size=10.5, color=BLACK, pad=6)
    axes.grid(True, color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
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
