"""The parameters of a run, as far as its rows and the rest of ``run.json`` determine them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from streamer.verification.frames_csv import NAME as FRAMES
from streamer.verification.frames_csv import Rows, milliseconds
from streamer.verification.manifest import NAME, Document, RunFacts
from streamer.verification.reasons import Reasons
from streamer.verification.stamps import STEPS

LEAST_LEAD_US, MOST_LEAD_US = 20_000, 1_000_000
"""A round begins a frame period after the end of the one before; the period is limited to these bounds."""


def check_parameters(rows: Rows, run: RunFacts, document: Document, reasons: Reasons) -> None:
    """Checks source, rate, deadline, phases, rounds and duration. Raises Unreadable."""
    _check_source(document, reasons)
    _check_rate(run, document, reasons)
    _check_deadline(run, document, reasons)
    _check_phases(run, reasons)
    _check_rounds(rows, run, reasons)
    _check_duration(rows, run, reasons)


def _expect(path: str, found: object, expected: object, reasons: Reasons) -> None:
    if found != expected:
        reasons.add(f"{NAME} {path}: found {str(found)[:60]}, expected {expected}")


def _check_source(document: Document, reasons: Reasons) -> None:
    """Checks that ``source`` is that of the first stream."""
    first = document.many("streams")[0]
    for name in ("uri", "width", "height", "fps", "live", "announced_fps"):
        if name in first:
            _expect(f"source.{name}", document.get("source", name), first[name], reasons)
    for at, stream in enumerate(document.many("streams")):
        _expect(f"streams, {at}, stream", stream.get("stream"), at, reasons)


def _check_rate(run: RunFacts, document: Document, reasons: Reasons) -> None:
    """Checks that the rate is the schedule's, and that a closed loop has no rate and no queue."""
    _expect("run.closed_loop", document.get("run", "closed_loop"), run.closed_loop, reasons)
    if run.closed_loop:
        _expect("run.fps", document.get("run", "fps"), "max", reasons)
        _expect("run.queue", document.get("run", "queue"), 0, reasons)
    elif run.schedule == "source":
        _expect("run.fps", document.rate("run", "fps"), run.streams[0].source_rate, reasons)


def _check_deadline(run: RunFacts, document: Document, reasons: Reasons) -> None:
    """Checks the deadline: the requested one, else a period of the fastest stream, and none in a closed loop."""
    if document.has("run", "deadline_asked_ms"):
        expected: int | None = round(document.number("run", "deadline_asked_ms") * 1000)
    elif run.closed_loop:
        expected = None
    else:
        expected = round(1_000_000 / max(run.rate(number) for number in range(len(run.streams))))
    if run.deadline_us != expected:
        found, due = ("null" if us is None else milliseconds(us) for us in (run.deadline_us, expected))
        reasons.add(f"{NAME} run.deadline_ms: found {found}, expected {due}")


def _check_phases(run: RunFacts, reasons: Reasons) -> None:
    """Checks that the streams begin evenly spread over a frame period."""
    streams = len(run.streams)
    for number, stream in enumerate(run.streams):
        expected = round(Fraction(1_000_000 * number, streams) / run.rate(number))
        if stream.phase_us != expected:
            reasons.add(
                f"{NAME} streams, {number}, phase_ms: found {milliseconds(stream.phase_us)}, "
                f"expected {milliseconds(expected)}: stream {number} of {streams}"
            )


def _check_rounds(rows: Rows, run: RunFacts, reasons: Reasons) -> None:
    """Checks that each round but the first begins a frame period after the frames before it were finished."""
    lead = 0 if run.closed_loop else min(max(round(1_000_000 / run.rate(0)), LEAST_LEAD_US), MOST_LEAD_US)
    for frame, start in run.rounds:
        earliest = _last_stamp(rows.where(rows.frame < frame)) + lead if frame else 0
        first = np.flatnonzero(rows.frame == frame)
        latest = int(rows["scheduled"][first].min()) if len(first) else None
        if start < earliest or (latest is not None and start > latest):
            reasons.add(
                f"{NAME} run.rounds, frame {frame}: found {milliseconds(start)}, "
                f"expected {milliseconds(earliest)} to {'' if latest is None else milliseconds(latest)}"
            )


def _check_duration(rows: Rows, run: RunFacts, reasons: Reasons) -> None:
    """Checks that the duration is the last stamp."""
    if (expected := _last_stamp(rows)) != run.duration_us:
        reasons.add(
            f"{NAME} run.duration_s: found {run.duration_us / 1e6:.6f}, expected {expected / 1e6:.6f}, "
            f"the last stamp in {FRAMES}"
        )


def _last_stamp(rows: Rows) -> int:
    return max((int(rows[step].max()) for step in STEPS), default=0) if len(rows) else 0
