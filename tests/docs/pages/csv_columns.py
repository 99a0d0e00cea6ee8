"""docs/reference/csv-columns.md, made from the columns of each CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from streamer.ledger.record import Outcome
from streamer.rundir import detections_csv, frames_csv
from streamer.rundir.csv_column import Column
from streamer.stats.percentiles import PERCENTILES, frames_needed
from streamer.studies.bench import rows as bench_rows
from streamer.studies.compare import compare_csv
from streamer.studies.pace import pace_csv
from streamer.studies.parity import parity_csv
from streamer.studies.soak import windows_csv
from streamer.verification.stamps import STEPS, STEPS_DONE
from tests.docs.pages.markdown import MADE, codes, table

NEEDED = ", ".join(f"{frames_needed(PERCENTILES[name])} for {name}" for name in ("p50", "p95", "p99"))
HEADING = f"""# CSV columns

The tables list each column of each CSV file that streamer writes. {MADE} Columns keep their names and their order.
New columns come last.

A cell without a value is empty. Times are in milliseconds. In `frames.csv` they count from the start of the run, with
three decimals, which are exact whole microseconds.

## Withheld

A percentile is withheld, and its cell empty, when there are fewer values than it needs: {NEEDED}
([the rule](../explain/latency.md#percentiles)).

"""
UNAVAILABLE = "An engine that is unavailable has only"
FILES: dict[str, tuple[str, Sequence[Column]]] = {
    "frames.csv": ("A row per scheduled frame, in the order of finishing.", frames_csv.COLUMNS),
    "detections.csv": (
        "A row per detected object, of each frame that the sink accepted: of every `delivered` frame, and of a "
        "`sink_error` frame when its rows were written before the sink failed. A frame without objects has no row, "
        "nor has any other frame, even one that was detected before the run ended.",
        detections_csv.COLUMNS,
    ),
    "compare.csv": (
        f"A row per engine of [compare](../howto/compare.md). {UNAVAILABLE} `engine`, `speed`, `why`, and an "
        "`agreement` of `unchecked`.",
        compare_csv.COLUMNS,
    ),
    "pace.csv": (
        f"A row per engine and rate of [pace](../howto/pace.md). {UNAVAILABLE} `engine`, `fps`, `closed_loop` "
        "and `why`.",
        pace_csv.COLUMNS,
    ),
    "parity.csv": (
        f"A row per engine of [parity](../howto/parity.md). {UNAVAILABLE} `engine`, `verdict` and `why`; its "
        "`frames` and `detections` are 0.",
        parity_csv.COLUMNS,
    ),
    "bench.csv": (
        f"A row per engine of [bench](../howto/bench.md). {UNAVAILABLE} `engine` and `why`.",
        bench_rows.COLUMNS,
    ),
    "windows.csv": ("A row per window of a [soak](../howto/soak.md).", windows_csv.COLUMNS),
}
"""For each file: what a row is, and the columns."""


OUTCOMES = {
    Outcome.DELIVERED: (
        "the frame was detected, and the sink has written its result",
        "empty; `after_damage` where the picture may be smeared: a frame that it refers to was damaged or lost, and "
        "no key frame has come since",
    ),
    Outcome.DROPPED: (
        "the frame was removed before its inference",
        "`queue_full`: the queue had no place; `stale`: it was older than `--max-age`; `partial`: the next frame's "
        "result comes at the same tick (`--skip-partial`)",
    ),
    Outcome.DECODE_ERROR: (
        "the frame could not be decoded",
        "why, in words, in up to 200 letters; empty when it is not known",
    ),
    Outcome.SOURCE_ERROR: ("a live source gave no frame at this tick", "`no_signal`"),
    Outcome.ENGINE_ERROR: (
        "the engine failed, hung or died at this frame",
        "empty: `run.json` has the `error`, or the `replacements` of the engine",
    ),
    Outcome.SINK_ERROR: ("the sink failed or hung at this frame", "empty: `run.json` has the `error`"),
    Outcome.ABANDONED: ("the run ended before the frame did", "empty"),
}
"""For each outcome: its meaning, and its reasons."""
FOLLOWS = {
    "captured": ("lateness_ms",),
    "detected": ("service_ms", "result_latency_ms", "detections"),
    "written": ("latency_ms",),
}
"""Columns that are filled where a stamp is."""
ALWAYS, SOMETIMES, NEVER = "filled", "may be", ""


def filled(outcome: Outcome) -> dict[str, str]:
    """By column of ``frames.csv``: whether its cell is filled in a frame with this outcome.

    The verifier holds every run to the same table of steps. Columns that are always filled, and ``reason``, are left
    out.
    """
    least, most = (STEPS.index(step) for step in STEPS_DONE[outcome])
    cells: dict[str, str] = {}
    for place, step in enumerate(STEPS):
        cell = ALWAYS if place <= least else SOMETIMES if place <= most else NEVER
        cells |= dict.fromkeys((f"{step}_ms", *FOLLOWS.get(step, ())), cell)
    del cells["scheduled_ms"]
    return cells


def page() -> str:
    """The text of the page."""
    first, *others = (_section(file, *parts) for file, parts in FILES.items())
    return HEADING + "\n".join((first + _outcomes() + _filled(), *others))


def _outcomes() -> str:
    rows = ((f"`{outcome.value}`", *OUTCOMES[outcome]) for outcome in Outcome)
    return f"\n### Outcomes\n\n{table('outcome', 'meaning', 'reason', rows=rows)}"


def _filled() -> str:
    by_outcome = {outcome: filled(outcome) for outcome in Outcome}
    patterns: dict[tuple[str, ...], list[str]] = {}
    for name in by_outcome[Outcome.DELIVERED]:
        patterns.setdefault(tuple(cells[name] for cells in by_outcome.values()), []).append(name)
    rows = ((codes(names), *cells) for cells, names in patterns.items())
    return (
        "\n### Filled cells\n\nThe cells that are filled follow from the outcome: *may be* depends on how far the "
        "frame came, and all others are empty. Columns that are not in the table are always filled, except `reason`. "
        "In a repaired run, a frame that had no row is `abandoned`, with no stamp but `scheduled_ms`.\n\n"
        + table("column", *(f"`{outcome.value}`" for outcome in Outcome), rows=rows)
    )


def _section(file: str, about: str, columns: Sequence[Column]) -> str:
    return f"## {file}\n\n{about}\n\n{table('column', 'unit', 'meaning', rows=_rows(columns))}"


def _rows(columns: Sequence[Column]) -> Iterator[tuple[str, str, str]]:
    """Neighbouring columns with the same unit and meaning share a row."""
    for (unit, meaning), same in groupby(columns, key=lambda column: (column.unit, column.meaning)):
        yield codes(column.name for column in same), unit, meaning
