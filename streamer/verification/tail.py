"""Why the tail: the steps in which the slowest frames were slow, from the rows.

The circumstances on the machine are in no row, except the sink at work; only the bounds of the others are checked.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from streamer.verification.csv_table import Array
from streamer.verification.frames_csv import Mask, Rows
from streamer.verification.manifest import NAME, Document
from streamer.verification.percentile_rule import percentile_rank
from streamer.verification.reasons import Reasons

FEWEST = 40
"""The least number of frames that have a tail of 5 %."""
KEPT = 10_000
"""The slow frames that are looked at: the slowest, in longer runs."""
SINKS = 32
"""The frames before a frame whose sinks may have been at work meanwhile."""
SINK_AT_WORK = "sink at work"
STEPS = {
    "waiting for the engine": ("scheduled", "preprocess_start"),
    "preprocess": ("preprocess_start", "preprocess_end"),
    "infer": ("infer_start", "infer_end"),
    "postprocess": ("infer_end", "detected"),
    "waiting for the sink": ("detected", "sink_start"),
    "sink": ("sink_start", "written"),
}
DIGITS, HALF = 11, 1024
"""HdrHistogram's buckets for three significant digits: 2,048 values one by one, then 1,024 for each power of two."""


def check_tail(rows: Rows, document: Document, reasons: Reasons) -> None:
    """Checks ``tail``, which is null for a run with few frames and for a killed one. Raises Unreadable."""
    expected = None if document.has("repaired") else _tail(rows)
    if expected is None or not document.has("tail"):
        if expected is not None or document.has("tail"):
            reasons.add(
                f"{NAME} tail: found {'null' if expected else 'one'}, expected {'one' if expected else 'null'}"
            )
        return
    for name in ("above_ms", "frames", "steps"):
        _compare(("tail", name), document.get("tail", name), expected[name], reasons)
    _check_slowest(document, expected["slowest"], reasons)
    _check_circumstances(document, expected, reasons)


def _tail(rows: Rows) -> dict[str, Any] | None:
    """The tail as the manifest has it; ``slowest`` are the rows that it may name, ``of_all`` the number of frames."""
    closed = rows.as_closed()
    closed = closed.where(closed.has("written") & closed.has("preprocess_start") & closed.has("detected"))
    latency = closed.elapsed("scheduled", "written")
    n = len(latency)
    if n < FEWEST:
        return None
    bound = _bucketed(latency, percentile_rank(n, "p95"))
    kept = np.lexsort((np.arange(n), latency))[-KEPT:]
    slow: Mask = np.zeros(n, bool)
    slow[kept] = latency[kept] > bound
    if not slow.any():
        return None
    steps = np.stack([np.maximum(closed.elapsed(*between), 0) for between in STEPS.values()])
    usual = np.array([_bucketed(values, percentile_rank(n, "p50")) for values in steps])
    growth = steps[:, slow] - usual[:, None]
    most = growth.argmax(axis=0)
    frames = int(slow.sum())
    grown = {name: np.sort(growth[at, most == at]) for at, name in enumerate(STEPS)}
    at_work = _sinks_at_work(closed)
    return {
        "above_ms": bound / 1000,
        "frames": frames,
        "steps": {
            name: {
                "frames": len(values),
                "share": _share(len(values), frames),
                "median_growth_ms": int(values[len(values) // 2]) / 1000,
            }
            for name, values in grown.items()
            if len(values)
        },
        "slowest": closed.where(slow & (latency == latency[slow].max())),
        SINK_AT_WORK: (_share(int(at_work[slow].sum()), frames), _share(int(at_work.sum()), n)),
        "of_all": n,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4)


def _bucketed(values: Array, rank: int) -> int:
    """The value at a rank, as HdrHistogram reports it: the highest of its bucket, at most the highest of all."""
    value = int(np.partition(values, rank - 1)[rank - 1])
    shift = max(value.bit_length() - DIGITS, 0)
    return min((((value >> shift) + 1) << shift) - 1, int(values.max()))


def _sinks_at_work(closed: Rows) -> Mask:
    """The rows whose frame was being detected while the sink was at an earlier one."""
    start, end = closed["preprocess_start"], closed["detected"]
    begin, finish = closed["sink_start"], closed["written"]
    at_work = np.zeros(len(start), bool)
    for before in range(1, min(SINKS, len(start) - 1) + 1):
        at_work[before:] |= (begin[:-before] < end[before:]) & (finish[:-before] > start[before:])
    return at_work


def _compare(path: tuple[str, ...], found: Any, expected: Any, reasons: Reasons) -> None:
    if isinstance(expected, dict):
        names = {*expected, *(found if isinstance(found, dict) else ())}
        if not isinstance(found, dict) or set(found) != set(expected):
            reasons.add(f"{NAME} {'.'.join(path)}: found {str(found)[:60]}, expected {', '.join(expected)}")
            return
        for name in sorted(names):
            _compare((*path, name), found[name], expected[name], reasons)
    elif isinstance(found, bool) or found != expected:
        reasons.add(f"{NAME} {'.'.join(path)}: found {str(found)[:60]}, expected {expected}")


def _check_slowest(document: Document, slowest: Rows, reasons: Reasons) -> None:
    """Checks that ``slowest`` is one of the slowest frames, with its own steps."""
    found = document.group("tail", "slowest")
    named = document.all_declared or "stream" in found
    latency = slowest.elapsed("scheduled", "written")
    steps = [
        {name: max(int(slowest.elapsed(*between)[at]), 0) / 1000 for name, between in STEPS.items()}
        for at in range(len(slowest))
    ]
    candidates = [
        {
            **({"stream": int(slowest.stream[at])} if named else {}),
            "frame": int(slowest.frame[at]),
            "latency_ms": int(latency[at]) / 1000,
            "steps_ms": steps[at],
        }
        for at in range(len(slowest))
    ]
    if found not in candidates:
        reasons.add(f"{NAME} tail.slowest: found {str(found)[:80]}, expected {str(candidates[0])[:120]}")


def _check_circumstances(document: Document, tail: dict[str, Any], reasons: Reasons) -> None:
    """Checks the shares of the slow frames and of all frames; those of the sink follow from the rows."""
    found = document.group("tail", "circumstances")
    if SINK_AT_WORK not in found and tail[SINK_AT_WORK][0]:
        reasons.add(f"{NAME} tail.circumstances: {SINK_AT_WORK!r} is missing: {tail[SINK_AT_WORK][0]} of the slow")
    for name in found:
        path = ("tail", "circumstances", name)
        of_slow, of_all = document.number(*path, "share_of_slow"), document.number(*path, "share_of_all")
        if name == SINK_AT_WORK:
            expected = tail[SINK_AT_WORK]
            if (float(of_slow), float(of_all)) != expected:
                reasons.add(
                    f"{NAME} {'.'.join(path)}: found {float(of_slow)} and {float(of_all)}, "
                    f"expected {expected[0]} and {expected[1]}"
                )
        elif not _possible(of_slow, of_all, tail["frames"], tail["of_all"]):
            reasons.add(
                f"{NAME} {'.'.join(path)}: found {float(of_slow)} of {tail['frames']} slow frames and "
                f"{float(of_all)} of all {tail['of_all']}, which cannot be"
            )


def _possible(of_slow: Fraction, of_all: Fraction, frames: int, n: int) -> bool:
    """Both are shares of whole numbers of frames, of which the slow ones are no more than all."""
    slow, met = round(of_slow * frames), round(of_all * n)
    whole = _share(slow, frames) == float(of_slow) and _share(met, n) == float(of_all)
    return whole and 0 < slow <= frames and slow <= met <= n
