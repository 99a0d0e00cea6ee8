"""The cells of the tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.table import Table


def table_of(title: str) -> Table:
    """A table without columns yet, as all of them look."""
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))


def number(value: float | None, decimals: int) -> str:
    """A number; empty for None."""
    return "" if value is None else f"{value:,.{decimals}f}"


def ratio(estimate: Mapping[str, float] | None) -> str:
    """A ratio with its interval; empty for None."""
    if estimate is None:
        return ""
    return f"{estimate['value']:.2f} ({estimate['low']:.2f} to {estimate['high']:.2f})"


def rate(fps: str) -> str:
    """A rate such as 30000/1001 as people say it."""
    above, _, below = fps.partition("/")
    return fps if fps == "max" else f"{float(above) / float(below or 1):.5g}"
