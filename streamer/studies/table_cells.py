"""The cells of tables of studies, on a terminal and in a notebook."""

from __future__ import annotations

from streamer.studies.run_figures import EstimatePart


def number(value: float | None, decimals: int) -> str:
    """A number; empty for None."""
    return "" if value is None else f"{value:,.{decimals}f}"


def percent(value: float | None) -> str:
    """A percentage; empty for None."""
    return "" if value is None else f"{value:.1f} %"


def ratio(estimate: EstimatePart | None) -> str:
    """A ratio with its interval; empty for None."""
    if estimate is None:
        return ""
    return f"{estimate['value']:.2f} ({estimate['low']:.2f} to {estimate['high']:.2f})"


def rate(fps: str) -> str:
    """A rate such as 30000/1001 as a decimal, 29.97."""
    above, _, below = fps.partition("/")
    return fps if fps == "max" else f"{float(above) / float(below or 1):.5g}"
