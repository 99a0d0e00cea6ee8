"""The options that studies have beside those of a replay, a row each: for the command and for the function."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

from streamer.engines.spec_parser import parse_spec
from streamer.errors import UsageError
from streamer.schedule.schedule import Pace, parse_fps
from streamer.settings.option import Option
from streamer.settings.settings import OPTIONS

Rates: TypeAlias = str | float | Fraction | Iterable[str | float | Fraction]
"""Frame rates, as in ``"2,5,max"`` or ``[2, 5, "max"]``."""


def parse_rates(text: str) -> tuple[Pace, ...]:
    """The rates of ``--fps``, as in ``2,5,30,max``: frames per second, ascending, ``max`` last. Raises UsageError."""
    rates = {parse_fps(part.strip()) for part in text.split(",")}
    if "source" in rates:
        raise UsageError(f"--fps {text}: give frames per second and max, as in 2,5,10,30,max")
    paced = sorted(rate for rate in rates if isinstance(rate, Fraction))
    return (*paced, "max") if "max" in rates else tuple(paced)


BASELINE = Option(
    usage="--baseline SPEC",
    help="The engine that the others are compared with.",
    default=None,
    default_text="the first that can run",
    read=parse_spec,
)
TRUTH = Option(
    usage="--truth FILE.json",
    help="Ground truth as COCO JSON.",
    default=None,
    default_text="the synthetic street's own",
    read=Path,
)
RATES = Option(
    usage="--fps N,N,...,max",
    help="The frame rates, and max for the closed loop.",
    default="2,5,10,15,30,60,max",
    read=parse_rates,
)
DURATION = replace(
    OPTIONS["duration_s"],
    default=20.0,
    default_text="20s",
    help="How long each rate is played, 4s or more, as in 90s or 10m; a shorter source starts again.",
)


def read_rates(given: Rates) -> tuple[Pace, ...]:
    """The rates of a text as one types it, or of one rate or several: ascending, ``max`` last. Raises UsageError."""
    if isinstance(given, Iterable) and not isinstance(given, str):
        given = ",".join(map(str, given))
    rates: tuple[Pace, ...] = RATES.value_of(given)
    return rates
