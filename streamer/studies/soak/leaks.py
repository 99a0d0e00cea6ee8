"""Leaks: whether memory, open files or threads grow over the soak. Growth that levels off is no leak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from streamer.studies.soak.trend import Growth, growths, longest_part, windows_needed
from streamer.studies.soak.verdict import Verdict
from streamer.studies.soak.windows_csv import WindowRow, lasted

WARM_UP = 1 / 3
"""The share of a part in which caches and pools may fill up."""
LASTING = 0.65
"""Growth whose rate in the second half is below this share of the whole rate levels off."""
SHORT, SURE = 40, 0.5
"""In fewer windows than ``SHORT``, an hour's after the warm-up, noise weighs more: the low end of the interval has to
be the share ``SURE`` of the rate, or the verdict is open (`benchmarks/no_effect.py`)."""
SPREAD = 0.4
"""Growth counts when the median rate within sections is this share of the whole rate; else it comes from jumps."""


@dataclass(frozen=True, slots=True)
class Held:
    """A figure that may leak: its column and unit.

    Growth counts when it is more than ``least_rate`` a minute, and ``least`` or more in all.
    """

    name: str
    column: str
    unit: str
    least_rate: float
    least: float


MEMORY, CHILDREN = "memory", "memory of child processes"
HELD = (
    # 0.1 MB a minute are 144 MB a day. An allocator keeps a few MB for later.
    Held(MEMORY, "resident_mb", "MB", 0.1, 4.0),
    Held(CHILDREN, "children_mb", "MB", 0.1, 4.0),
    Held("open files", "open_files", "files", 0.0, 3.0),
    Held("threads", "threads", "threads", 0.0, 3.0),
)


def leaks(rows: Sequence[WindowRow]) -> list[Verdict]:
    """A verdict on each figure of `HELD` that the system reports. Without child processes there is none on theirs."""
    there = (one for one in HELD if any(getattr(row, one.column) for row in rows))
    return [_verdict(rows, one) for one in there]


def _verdict(rows: Sequence[WindowRow], held: Held) -> Verdict:
    parts = growths(rows, attrgetter(held.column), warm_up=WARM_UP)
    figures = {"parts": [_as_dict(one, held) for one in parts]}
    if not parts:
        why = f"too few windows: it takes {windows_needed(WARM_UP)} of a part, there are {longest_part(rows)}"
        return Verdict(held.name, None, why, figures)
    # The worst part is reported: one that leaks before one that may, and that before one that does not.
    worst = max(parts, key=lambda one: (_rank(one, held), one.rate))
    several = len({row.part for row in rows}) > 1
    where = f" in part {worst.part}" if several else ""
    return Verdict(held.name, (True, None, False)[_rank(worst, held)], _text(worst, held) + where, figures)


def _rank(one: Growth, held: Held) -> int:
    """0 for no leak, 1 for growth that still flattens or is not sure enough, 2 for a leak."""
    if not _grows(one, held):
        return 0
    if _lasts(one):
        return 2 if one.windows >= SHORT or one.surely_above(SURE * one.rate) else 1
    return int(one.late > held.least_rate and one.late * one.minutes / 2 >= held.least / 2)


def _lasts(one: Growth) -> bool:
    return one.late >= LASTING * one.rate


def _grows(one: Growth, held: Held) -> bool:
    spread = one.within >= SPREAD * one.rate
    return one.surely_above(held.least_rate) and one.rate * one.minutes >= held.least and spread


def _text(one: Growth, held: Held) -> str:
    start, end = one.line
    time = lasted(one.end_s - one.start_s)
    if one.low == one.high == 0:
        return f"{end:,.0f} {held.unit} throughout {time}"
    text = (
        f"{one.rate:+z.2f} {held.unit} a minute ({one.low:z.2f} to {one.high:z.2f}), "
        f"from {start:,.0f} to {end:,.0f} {held.unit} in {time}"
    )
    if abs(one.jumped) >= held.least:
        text += f", jumps of {one.jumped:+,.0f} {held.unit} among it"
    rank = _rank(one, held)
    if rank == 1 and _lasts(one):
        text += f"; not sure enough in {one.windows} windows: soak for longer to tell"
    elif rank == 1:
        text += f"; flattening, with {one.late:+z.2f} a minute in the second half: soak for longer to tell"
    elif rank == 0 and _grows(one, held):
        text += "; levelled off"
    return text


def _as_dict(one: Growth, held: Held) -> dict[str, Any]:
    start, end = one.line
    return {
        "part": one.part,
        "windows": one.windows,
        "start_s": one.start_s,
        "end_s": one.end_s,
        "start": round(start, 3),
        "end": round(end, 3),
        "a_minute": round(one.rate, 4),
        "a_minute_low": round(one.low, 4),
        "a_minute_high": round(one.high, 4),
        "a_minute_late": round(one.late, 4),
        "jumped": round(one.jumped, 3),
        "leaks": _rank(one, held) == 2,
    }
