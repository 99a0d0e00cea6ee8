"""The figures of ``run.json``, computed again from the ledger."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from streamer.verification.age import ages_of_run
from streamer.verification.csv_table import NEVER, Array
from streamer.verification.frames_csv import Rows
from streamer.verification.manifest import NAME, Document, RunFacts
from streamer.verification.percentile_rule import FRAMES_NEEDED, bound_rank, percentile_rank
from streamer.verification.reasons import Reasons, Unreadable

FROM_TO = {
    "latency": ("scheduled", "written"),
    "result_latency": ("scheduled", "detected"),
    "service": ("preprocess_start", "detected"),
    "preprocess_start": ("scheduled", "preprocess_start"),
    "preprocess": ("preprocess_start", "preprocess_end"),
    "infer": ("infer_start", "infer_end"),
    "postprocess": ("infer_end", "detected"),
    "sink": ("sink_start", "written"),
}
"""Figures that are the time between two steps, for the frames that reached both."""
BEYOND_THE_CONTRACT = ("preprocess_start",)
HISTOGRAM_SHARE = Fraction(1, 1000)
HALF_A_NANOSECOND = Fraction(500_001, 10**12)
"""In milliseconds, with room for the last bit of a double: a mean is rounded to nanoseconds."""
HALF_OF_THE_LAST = Fraction(50_001, 10**9)
"""The same for ratios of four decimals."""


def check_figures(rows: Rows, run: RunFacts, document: Document, reasons: Reasons) -> int:
    """Checks each figure's block; returns the number of blocks. Raises Unreadable."""
    histogram = _histogram(document)
    checked = 0
    for name in (*FROM_TO, "lateness", "age"):
        if name in BEYOND_THE_CONTRACT and not document.has(f"{name}_ms"):
            continue
        try:
            values = ages_of_run(rows, run) if name == "age" else _values(rows, name)
            check_block(f"{name}_ms", values, document, reasons, histogram=histogram)
        except Unreadable as error:
            reasons.add(str(error))
        checked += 1
    return checked


def check_block(name: str, values: Array, document: Document, reasons: Reasons, *, histogram: bool) -> None:
    """Checks one block: the statistics of ``values``, whole microseconds, (frames,). Raises Unreadable."""
    ordered, n = np.sort(values), len(values)

    def order_statistic(path: tuple[str, ...], rank: int | None) -> None:
        if rank is None:
            _compare(path, None, Fraction(0), document, reasons)
            return
        expected = Fraction(int(ordered[rank - 1]), 1000)
        # A double next to whole microseconds is less than a picosecond away.
        slack = expected * HISTOGRAM_SHARE + Fraction(1, 1000) if histogram else Fraction(1, 10**9)
        _compare(path, expected, slack, document, reasons)

    mean = Fraction(int(ordered.sum()), n * 1000) if n else None
    _compare((name, "n"), Fraction(n), Fraction(0), document, reasons)
    _compare((name, "mean"), mean, HALF_A_NANOSECOND, document, reasons)
    order_statistic((name, "max"), n or None)
    for percentile, needed in FRAMES_NEEDED.items():
        shown = n >= needed
        order_statistic((name, percentile), percentile_rank(n, percentile) if shown else None)
        order_statistic((name, "upper", percentile), bound_rank(n, percentile) if shown else None)


def check_omission_gap(document: Document, reasons: Reasons) -> None:
    """Checks ``omission_gap``, if it is there: result latency over service time per percentile. Raises Unreadable."""
    if not document.has("omission_gap"):
        return
    for percentile in FRAMES_NEEDED:
        paced = _number(document, "result_latency_ms", percentile)
        closed = _number(document, "service_ms", percentile)
        ratio = paced / closed if paced is not None and closed else None
        _compare(("omission_gap", percentile), ratio, HALF_OF_THE_LAST, document, reasons)


def _compare(
    path: tuple[str, ...], expected: Fraction | None, slack: Fraction, document: Document, reasons: Reasons
) -> None:
    found = _number(document, *path)
    if found == expected or (found is not None and expected is not None and abs(found - expected) <= slack):
        return
    reasons.add(f"{NAME} {'.'.join(path)}: found {_decimal(found)}, expected {_decimal(expected)}")


def _number(document: Document, *path: str) -> Fraction | None:
    return None if document.get(*path) is None else document.number(*path)


def _histogram(document: Document) -> bool:
    kind: Any = document.get("run", "percentiles") if document.has("run", "percentiles") else "exact"
    if kind not in ("exact", "histogram"):
        raise Unreadable(f"{NAME} run.percentiles: found {kind!r}, expected exact or histogram")
    return bool(kind == "histogram")


def _values(rows: Rows, name: str) -> Array:
    values = rows["lateness"] if name == "lateness" else rows.elapsed(*FROM_TO[name])
    there: Array = values[values != NEVER]
    return there


def _decimal(number: Fraction | None) -> str:
    if number is None:
        return "null"
    try:
        return f"{float(number):.10g}"
    except OverflowError:  # the quotient of two floats can be larger than any float
        return f"about {'-' if number < 0 else ''}10^{len(str(abs(round(number)))) - 1}"
