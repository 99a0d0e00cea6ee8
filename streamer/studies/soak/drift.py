"""Drift: whether the latency grows over the soak."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from streamer.stats.percentiles import frames_needed
from streamer.studies.soak.trend import Growth, growths, longest_part, windows_needed
from streamer.studies.soak.verdict import Verdict
from streamer.studies.soak.windows_csv import WindowRow, lasted

PERCENTILES = {"p50": "latency_p50_ms", "p95": "latency_p95_ms"}
LEAST_GROWTH = 0.05
"""Over a part: the height of slow waves on a shared machine, as in `benchmarks/power.py`."""
LEAST_MS = 0.1
"""Less is within the time to wake a thread: streamer's own share, not the engine's."""
LEAST_SURE = 1 / 5
"""The low end of the interval must be this share of the rate. It nearly reaches zero where windows are
autocorrelated, and so worth fewer than there are."""
LASTING = 1 / 3
"""Growth whose rate in the second half is below this share of the whole rate levels off, as on a machine that heats
up. The share is lower than for memory: the rate of a half is much less sure on a machine with two speeds."""


def drift(rows: Sequence[WindowRow]) -> Verdict:
    """The verdict on p50 and p95. Each part is assessed by itself: it is a new process."""
    found = {name: growths(rows, _logarithm(column)) for name, column in PERCENTILES.items()}
    figures = {name: [_as_dict(one) for one in parts] for name, parts in found.items()}
    if not found["p50"]:
        return Verdict("drift", None, _too_few(rows), figures)
    drifting = [(name, one) for name, parts in found.items() for one in parts if _drifts(one)]
    if drifting:
        several = len({row.part for row in rows}) > 1
        texts = [_text(name, one) + (f" in part {one.part}" if several else "") for name, one in drifting]
        return Verdict("drift", False, "; ".join(texts), figures)
    steepest = {name: max(parts, key=_over_part) for name, parts in found.items() if parts}
    return Verdict("drift", True, "; ".join(_text(name, one) for name, one in steepest.items()), figures)


def _logarithm(column: str) -> Any:
    """The logarithm of a column, whose growth is in percent; less than a microsecond counts as one."""
    value = attrgetter(column)
    return lambda row: None if value(row) is None else math.log(max(value(row), 0.001))


def _drifts(one: Growth) -> bool:
    start, end = map(math.exp, one.line)
    return (
        one.surely_above(0)
        and one.low >= LEAST_SURE * one.rate
        and _over_part(one) >= LEAST_GROWTH
        and end - start >= LEAST_MS
        and one.late >= LASTING * one.rate
    )


def _over_part(one: Growth) -> float:
    return math.exp(one.rate * one.minutes) - 1


def _percent(logarithm: float) -> float:
    return 100 * (math.exp(logarithm) - 1)


def _text(name: str, one: Growth) -> str:
    start, end = map(math.exp, one.line)
    text = (
        f"{name} {_percent(one.rate):+z.2f} % a minute ({_percent(one.low):z.2f} to {_percent(one.high):z.2f}), "
        f"{100 * _over_part(one):+z.1f} % in {lasted(one.end_s - one.start_s)}, from {start:.4g} to {end:.4g} ms"
    )
    jumped = _percent(one.jumped)
    return text + (f", jumps of {jumped:+.0f} % among it" if abs(jumped) >= 100 * LEAST_GROWTH else "")


def _as_dict(one: Growth) -> dict[str, Any]:
    start, end = map(math.exp, one.line)
    return {
        "part": one.part,
        "windows": one.windows,
        "start_s": one.start_s,
        "end_s": one.end_s,
        "start_ms": round(start, 3),
        "end_ms": round(end, 3),
        "percent_a_minute": round(_percent(one.rate), 4),
        "percent_a_minute_low": round(_percent(one.low), 4),
        "percent_a_minute_high": round(_percent(one.high), 4),
        "percent": round(100 * _over_part(one), 3),
        "jumped_percent": round(_percent(one.jumped), 3),
        "drifts": _drifts(one),
    }


def _too_few(rows: Sequence[WindowRow]) -> str:
    known = [row for row in rows if row.latency_p50_ms is not None]
    text = f"too few windows: it takes {windows_needed()} of a part with a p50, there are {longest_part(known)}"
    return text if len(known) == len(rows) else f"{text}; a p50 needs {frames_needed(0.5)} frames"
