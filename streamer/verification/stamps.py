"""The stamps of each row: those that its outcome allows, their order, and the columns that follow from them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from streamer.verification.csv_table import NEVER, Array
from streamer.verification.frames_csv import OUTCOMES, STAMPS, Rows, milliseconds
from streamer.verification.manifest import RunFacts
from streamer.verification.reasons import Reasons

STEPS = ("scheduled", *STAMPS)

STEPS_DONE: dict[str, tuple[str, str]] = {
    "delivered": ("written", "written"),
    "dropped": ("captured", "captured"),
    "decode_error": ("scheduled", "scheduled"),
    "source_error": ("scheduled", "scheduled"),
    "engine_error": ("preprocess_start", "infer_end"),
    # Without a video, `written` is the instant at which the sink takes the result, before its rows are written.
    "sink_error": ("sink_start", "written"),
    "abandoned": ("scheduled", "detected"),
}
"""The first and the last step that a frame of an outcome may have reached last."""
REASONS: dict[str, tuple[str, ...] | None] = {
    "delivered": ("", "after_damage"),
    "dropped": ("queue_full", "stale", "partial"),
    "decode_error": None,
    "source_error": ("no_signal", ""),
}
"""The reasons of an outcome; None where the source gives a text. Other outcomes have no reason."""


def check_stamps(rows: Rows, reasons: Reasons) -> None:
    """Checks that steps follow each other as far as the outcome says, and that their stamps do not go back."""
    for before, after in pairwise(STEPS):
        _check_order(rows, before, after, reasons)
    steps_done = np.sum([rows.has(stamp) for stamp in STAMPS], axis=0)
    for outcome in OUTCOMES:
        _check_outcome(rows, outcome, steps_done, reasons)


def _check_order(rows: Rows, before: str, after: str, reasons: Reasons) -> None:
    def say(at: int) -> str:
        return f"{rows.place(at, f'{after}_ms')}: found {milliseconds(rows[after][at])}, expected"

    there, first = rows.has(after), rows.has(before)
    reasons.add_each(there & ~first, lambda at: f"{say(at)} empty as {before}_ms is")
    reasons.add_each(
        there & first & (rows[after] < rows[before]),
        lambda at: f"{say(at)} {milliseconds(rows[before][at])} or later, which is {before}_ms",
    )


def _check_outcome(rows: Rows, outcome: str, steps_done: Array, reasons: Reasons) -> None:
    here = rows.of(outcome)
    least, most = STEPS_DONE[outcome]
    reasons.add_each(
        here & (steps_done < STEPS.index(least)),
        lambda at: f"{rows.place(at, f'{least}_ms')}: found empty, expected a time as the outcome is {outcome}",
    )
    reasons.add_each(
        here & (steps_done > STEPS.index(most)),
        lambda at: f"{rows.place(at, 'outcome')}: found {outcome}, but there are stamps after {most}_ms",
    )
    legal = REASONS.get(outcome, ("",))
    if legal is None:
        return
    reasons.add_each(
        here & ~np.isin(rows.reason, [at for at, reason in enumerate(rows.reasons) if reason in legal]),
        lambda at: (
            f"{rows.place(at, 'reason')}: found {rows.reasons[rows.reason[at]]!r}, "
            f"expected {' or '.join(map(repr, legal))} as the outcome is {outcome}"
        ),
    )


def check_derived(rows: Rows, run: RunFacts, reasons: Reasons) -> None:
    """Checks the columns that follow from the stamps."""
    for name, start in (("service", "preprocess_start"), ("result_latency", "scheduled")):
        _check_column(rows, name, rows.elapsed(start, "detected"), reasons)
    latency = rows.elapsed("scheduled", "written")
    _check_column(rows, "latency", latency, reasons)
    _check_lateness(rows, run, reasons)
    deadline = NEVER if run.deadline_us is None else run.deadline_us
    late = (latency > deadline) & (deadline != NEVER)
    reasons.add_each(
        (rows.late == 1) != late,
        lambda at: (
            f"{rows.place(at, 'late')}: found {rows.late[at]}, expected {int(late[at])}: latency "
            f"{milliseconds(latency[at])}, deadline {milliseconds(deadline)}"
        ),
    )


def _check_lateness(rows: Rows, run: RunFacts, reasons: Reasons) -> None:
    most = rows.elapsed("scheduled", "captured")
    if not run.waits:
        _check_column(rows, "lateness", most, reasons)
        return
    # How long the policy held the source back is not in the ledger: only the bounds are known.
    lateness, there = rows["lateness"], most != NEVER
    wrong = np.where(there, (lateness < 0) | (lateness > most), lateness != NEVER)
    reasons.add_each(
        wrong,
        lambda at: (
            f"{rows.place(at, 'lateness_ms')}: found {milliseconds(lateness[at])}, expected "
            + (f"0.000 to {milliseconds(most[at])}" if there[at] else "empty")
        ),
    )


def _check_column(rows: Rows, name: str, expected: Array, reasons: Reasons) -> None:
    reasons.add_each(
        rows[name] != expected,
        lambda at: (
            f"{rows.place(at, f'{name}_ms')}: found {milliseconds(rows[name][at])}, "
            f"expected {milliseconds(expected[at])}"
        ),
    )
