"""Names at the ends of curves: a legend in the order in which the curves end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamer.charts.palette import BLACK, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE_INCH, PADDING_INCH = 0.165, 0.05
SWATCH = (1.045, 1.085)
"""The ends of the line sample before a name, in widths of the axes."""


@dataclass(frozen=True, slots=True)
class EndName:
    """A name of one or more lines for the curve that ends at (``x``, ``y``), in the units of the axes."""

    lines: Sequence[str]
    x: float
    y: float
    style: Style

    @property
    def inches(self) -> float:
        """Its height in inches."""
        return name_inches(self.lines)


def name_inches(lines: Sequence[str]) -> float:
    """The height of a name of these lines in inches."""
    return LINE_INCH * len(lines) + PADDING_INCH


def write_end_names(axes: Axes, names: Sequence[EndName]) -> None:
    """Writes the names right of the axes, each as near to its curve's end as the others let it, with a line to it.

    The limits of the axes must be set, and their place in the figure.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    height = axes.get_position().height * figure.get_figheight()
    to_share = axes.transData + axes.transAxes.inverted()
    wanted = [float(to_share.transform((name.x, name.y))[1]) * height for name in names]
    for name, at in zip(names, spread(wanted, [name.inches for name in names], height), strict=True):
        colour, line = name.style.colour, name.style.line
        axes.plot(name.x, name.y, "o", color=colour, markersize=4, clip_on=False)
        axes.plot(
            SWATCH, (at / height, at / height), color=colour, linestyle=line, transform=axes.transAxes, clip_on=False
        )
        # From the curve's end to its name: thin, so that it is not read as part of the curve.
        axes.annotate(
            "",
            (name.x, name.y),
            xytext=(SWATCH[0], at / height),
            textcoords="axes fraction",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0},
        )
        axes.text(
            SWATCH[1] + 0.01,
            at / height,
            "\n".join(name.lines),
            transform=axes.transAxes,
            va="center",
            size=9.5,
            color=BLACK,
            parse_math=False,
        )


def spread(wanted: Sequence[float], sizes: Sequence[float], height: float) -> list[float]:
    """Places near those ``wanted``, in their order, where names of these ``sizes`` do not overlap in ``height``."""
    order = sorted(range(len(wanted)), key=lambda one: wanted[one])
    places = list(wanted)
    lowest = 0.0
    for one in order:
        places[one] = max(places[one], lowest + sizes[one] / 2)
        lowest = places[one] + sizes[one] / 2
    highest = height
    for one in reversed(order):
        places[one] = min(places[one], highest - sizes[one] / 2)
        highest = places[one] - sizes[one] / 2
    return places
