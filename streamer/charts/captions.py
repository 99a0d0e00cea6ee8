"""The text around a chart: the plain answer above it; below it what ran, on which machine, and when."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from streamer.charts.canvas import printable
from streamer.charts.palette import BLACK, GRAY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE_COLUMNS, CAPTION_COLUMNS = 98, 170
"""Characters in a line."""
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
DOT = "  \N{MIDDLE DOT}  "


@dataclass(frozen=True, slots=True)
class Words:
    """The lines above and below the panels of a chart, as they will be written."""

    answer: Sequence[str]
    caption: Sequence[str]

    @property
    def inches_above(self) -> float:
        """Inches from the top to where the panels may begin."""
        return 0.64 + 0.24 * len(self.answer)

    @property
    def inches_below(self) -> float:
        """Inches from the bottom to where the panels, with the labels of their axes, must end."""
        return 0.24 + 0.18 * len(self.caption)

    def write(self, figure: Figure) -> None:
        """Writes them into the figure's corners."""
        margin = 0.12 / figure.get_figheight()
        figure.text(
            0.02, 1 - margin, "\n".join(self.answer), va="top", size=14, weight="bold", color=BLACK, parse_math=False
        )
        figure.text(
            0.02, margin, "\n".join(self.caption), size=9, color=GRAY, va="bottom", linespacing=1.4, parse_math=False
        )


def words(answer: str, what: Sequence[str], where: Sequence[str]) -> Words:
    """Wraps the plain answer, and below the panels the texts ``what`` ran and, in lines of their own, ``where``."""
    return Words(
        textwrap.wrap(printable(answer), TITLE_COLUMNS),
        [line for parts in (what, where) for line in textwrap.wrap(printable(DOT.join(parts)), CAPTION_COLUMNS)],
    )


def where_it_ran(document: Mapping[str, Any]) -> list[str]:
    """The machine, the time and streamer's version in a manifest or a study's document."""
    machine = document["machine"]
    return [
        f"{machine['cpu'] or 'unknown CPU'}, {machine['usable_cores']} of {machine['cores']} cores",
        f"{datetime.fromisoformat(document['run']['started']):%Y-%m-%d %H:%M} UTC",
        f"streamer {document['streamer']}",
    ]


def how_it_was_paced(run: Mapping[str, Any]) -> str:
    """The rate, the policy and the queue; or that it was a closed loop."""
    return "closed loop" if run["closed_loop"] else f"{plain(run['fps'])} fps, {run['policy']}, queue {run['queue']}"


def load_texts(load: Mapping[str, Any] | None) -> list[str]:
    """The requested load beside a run; nothing without one."""
    if load is None:
        return []
    requested = load["asked"]
    units = (("cpu_cores", "cores busy"), ("memory_mb", "MB held"), ("io_mb_s", "MB/s written"))
    parts = [f"{requested[name]:g} {unit}" for name, unit in units if requested[name]]
    return ["under load: " + ", ".join([*parts, *([f"nice {requested['nice']}"] if requested["nice"] else [])])]


def fault_texts(faults: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """The number of faults injected; nothing without any."""
    return [f"{len(faults)} fault{'s' if len(faults) > 1 else ''} on purpose"] if faults else []


def plain(rate: str) -> str:
    """A rate such as 30000/1001 as a decimal number of up to five digits."""
    above, _, below = rate.partition("/")
    return f"{float(above) / float(below or 1):.5g}"


def percent(share: float) -> str:
    """A percentage with two digits, or with all digits before the point."""
    return f"{share:.2g} %" if share < 10 else f"{share:.0f} %"


def fold(text: str, columns: int, lines: int) -> list[str]:
    """The text in up to ``lines`` lines of up to ``columns`` characters, broken after blanks and a SPEC's commas.

    The rest is cut off, with an ellipsis.
    """
    folded = [""]
    for word in re.findall(r"[^, ]+[, ]*", printable(text)):
        if folded[-1] and len(folded[-1] + word.rstrip()) > columns:
            folded.append("")
        folded[-1] += word
    cut = [line.rstrip() for line in folded[:lines]]
    if len(folded) > lines:
        cut[-1] += " " * columns
    return [line if len(line) <= columns else line[: columns - 1].rstrip() + ELLIPSIS for line in cut if line]
