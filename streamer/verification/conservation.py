"""The conservation law: one row and one outcome per scheduled frame, counted as ``run.json`` counts them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from streamer.verification import frames_csv, manifest
from streamer.verification.csv_table import NEVER
from streamer.verification.frames_csv import OUTCOMES, Rows
from streamer.verification.manifest import Document, RunFacts
from streamer.verification.reasons import Reasons, Unreadable

_AFTER_DAMAGE, _NO_SIGNAL = "after_damage", "no_signal"
VERDICTS = ("VALID", "INVALID", "INTERRUPTED", "FAILED")


def check_conservation(ledger: Rows, run: Document, gone: int, reasons: Reasons) -> None:
    """Checks that each stream has frames 0 to n-1 once each, the counts, and that the verdict agrees with them.

    Up to ``gone`` rows, those of deleted segments, may be missing. Raises Unreadable.
    """
    before = reasons.total
    _check_numbers(ledger, gone, reasons)
    _check_counts(ledger, run, gone, reasons)
    conserved = before == reasons.total
    _check_detections(ledger, reasons)
    verdict = run.text("verdict")
    if verdict not in VERDICTS:
        reasons.add(f"{manifest.NAME} verdict: found {verdict!r}, expected one of {', '.join(VERDICTS)}")
    elif verdict == "INVALID" and conserved:
        reasons.add(f"{manifest.NAME} verdict: found INVALID, but every scheduled frame has one row and one outcome")
    elif verdict != "INVALID":
        _check_failure(ledger, run, verdict, reasons)
        _check_stop(run, verdict, reasons)


def check_streams(ledger: Rows, run: RunFacts, reasons: Reasons, *, counted: bool) -> None:
    """Checks how many frames of each stream were scheduled and delivered, where ``run.json`` has it.

    ``counted`` says that all rows are there.
    """
    delivered = ledger.of("delivered")
    for number, stream in enumerate(run.streams):
        here = ledger.stream == number
        expected = (int(here.sum()), int((here & delivered).sum()))
        if stream.frames is not None and counted and stream.frames != expected:
            found = f"found {stream.frames[0]} scheduled and {stream.frames[1]} delivered"
            reasons.add(
                f"{manifest.NAME} streams, {number}: {found}, "
                f"expected {expected[0]} and {expected[1]} by {frames_csv.NAME}"
            )
    reasons.add_each(
        ledger.stream >= len(run.streams),
        lambda at: f"{ledger.place(at, 'stream')}: found {ledger.stream[at]}, expected less than {len(run.streams)}",
    )


def check_decode_errors(ledger: Rows, run: Document, reasons: Reasons) -> None:
    """Checks how many frames were not decoded for each reason, and the first of each, where ``run.json`` has it.

    Raises Unreadable.
    """
    if not run.has("decode_errors"):
        return
    undecoded = ledger.where(ledger.of("decode_error"))
    places = [(int(stream), int(frame)) for stream, frame in zip(undecoded.stream, undecoded.frame, strict=True)]
    reason_of = dict(zip(places, [undecoded.reasons[at] for at in undecoded.reason], strict=True))
    counted = Counter(reason_of.values())
    listed = 0
    for one in run.many("decode_errors", "reasons"):
        reason, frames, first = _listed_reason(one)
        listed += frames
        path = f"{manifest.NAME} decode_errors, {reason!r}"
        if frames != counted[reason]:
            reasons.add(f"{path}: found {frames}, expected {counted[reason]} by {frames_csv.NAME}")
        elif reason_of.get(first) != reason:
            reasons.add(
                f"{path}: found frame {first[1]} of stream {first[0]} as the first, which has not this reason"
            )
    others = run.whole("decode_errors", "others")
    if listed + others != len(undecoded):
        reasons.add(
            f"{manifest.NAME} decode_errors: found {listed} by their reasons and {others} others, "
            f"expected {len(undecoded)} in all by {frames_csv.NAME}"
        )


def check_sums(ledger: Rows, run: Document, reasons: Reasons) -> None:
    """Checks objects, dropped frames by reason, and frames missed in outages, where ``run.json`` has them.

    Raises Unreadable.
    """
    if run.has("objects"):
        expected = int(ledger.detections[ledger.detections != NEVER].sum())
        if run.whole("objects") != expected:
            reasons.add(f"{manifest.NAME} objects: found {run.whole('objects')}, expected {expected}")
    if run.has("drop_reasons"):
        dropped = ledger.where(ledger.of("dropped"))
        counted = dict(Counter(dropped.reasons[at] for at in dropped.reason))
        if run.group("drop_reasons") != counted:
            found = str(run.group("drop_reasons"))[:80]
            reasons.add(f"{manifest.NAME} drop_reasons: found {found}, expected {counted} by {frames_csv.NAME}")
    if run.has("gaps"):
        missed = ledger.where(ledger.of("source_error"))
        expected = Counter(missed.reasons[at] for at in missed.reason)[_NO_SIGNAL]
        if run.whole("gaps", "frames") != expected:
            reasons.add(f"{manifest.NAME} gaps.frames: found {run.whole('gaps', 'frames')}, expected {expected}")


def check_damage(ledger: Rows, run: Document, gone: int, reasons: Reasons) -> None:
    """Checks how many delivered frames come after damage, where ``run.json`` has it; ``gone`` as above.

    Raises Unreadable.
    """
    if not run.has("after_damage"):
        return
    delivered = ledger.where(ledger.of("delivered"))
    expected = Counter(delivered.reasons[at] for at in delivered.reason)[_AFTER_DAMAGE]
    found = run.whole("after_damage")
    if not expected <= found <= expected + gone:
        reasons.add(f"{manifest.NAME} after_damage: found {found}, expected {expected} by {frames_csv.NAME}")


def _listed_reason(part: Any) -> tuple[str, int, tuple[int, int]]:
    """A reason, its frames, and the stream and the number of the first. Raises Unreadable."""
    try:
        return str(part["reason"]), int(part["frames"]), (int(part["stream"]), int(part["frame"]))
    except (TypeError, KeyError, ValueError):
        raise Unreadable(
            f"{manifest.NAME} decode_errors.reasons: found {str(part)[:60]}, expected reason, frames, stream, frame"
        ) from None


def _check_numbers(ledger: Rows, gone: int, reasons: Reasons) -> None:
    same_stream = np.diff(ledger.stream, prepend=-1) == 0
    before = np.where(same_stream, np.concatenate([[-1], ledger.frame[:-1]]), -1) if len(ledger) else ledger.frame
    reasons.add_each(
        same_stream & (ledger.frame == before), lambda at: f"{ledger.place(at, 'frame')}: has a row more than one"
    )
    if gone and int((ledger.frame - before - 1).clip(0).sum()) <= gone:
        return
    reasons.add_each(
        ledger.frame > before + 1,
        lambda at: (
            f"{frames_csv.NAME} frame {before[at] + 1}: has no row"
            if ledger.frame[at] == before[at] + 2
            else f"{frames_csv.NAME} frames {before[at] + 1} to {ledger.frame[at] - 1}: have no row"
        ),
    )


def _check_counts(ledger: Rows, run: Document, gone: int, reasons: Reasons) -> None:
    delivered, late = ledger.of("delivered"), ledger.late == 1
    counted = {
        "scheduled": len(ledger) + gone,
        **{outcome: int(ledger.of(outcome).sum()) for outcome in OUTCOMES},
        "late": int(late.sum()),
        "missed": int((late | ~delivered).sum()),
    }
    for name, expected in counted.items():
        found = run.whole("frames", name)
        if found != expected and not (gone and name != "scheduled" and expected <= found <= expected + gone):
            reasons.add(f"{manifest.NAME} frames.{name}: found {found}, expected {expected} by {frames_csv.NAME}")


def _check_failure(ledger: Rows, run: Document, verdict: str, reasons: Reasons) -> None:
    """Checks that FAILED and an error go together.

    The error of a sink ends a run, and so does that of an engine which is not replaced.
    """
    error = run.get("error")
    if (verdict == "FAILED") != (error is not None):
        reasons.add(f"{manifest.NAME} verdict: found {verdict}, but error is {'null' if error is None else 'given'}")
    replaced = len(run.many("replacements")) if run.has("replacements") else 0
    for outcome, borne in (("engine_error", replaced), ("sink_error", 0)):
        found = int(ledger.of(outcome).sum())
        if verdict != "FAILED" and found > borne:
            but = f", and the engine was replaced {borne} times" if borne else ""
            reasons.add(
                f"{manifest.NAME} verdict: found {verdict}, expected FAILED: {found} frames met {outcome}{but}"
            )


def _check_stop(run: Document, verdict: str, reasons: Reasons) -> None:
    """Checks that INTERRUPTED and ``stopped_by`` go together."""
    if not run.all_declared or verdict == "FAILED":
        return
    stopped = run.get("stopped_by")
    if (verdict == "INTERRUPTED") != (stopped is not None):
        reasons.add(f"{manifest.NAME} verdict: found {verdict}, but stopped_by is {str(stopped or 'null')[:40]}")


def _check_detections(ledger: Rows, reasons: Reasons) -> None:
    """Checks that ``detections`` is given for the frames that were detected, and for no others."""
    counted = ledger.detections != NEVER
    reasons.add_each(
        counted & ~ledger.has("detected"),
        lambda at: f"{ledger.place(at, 'detections')}: found {ledger.detections[at]}, expected empty: never detected",
    )
    reasons.add_each(
        ~counted & ledger.has("detected"),
        lambda at: f"{ledger.place(at, 'detections')}: found empty, expected a number: the frame was detected",
    )
