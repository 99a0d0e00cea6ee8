"""The results of a parity study: a row per engine, and the answer in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from streamer.accuracy.agreement import Agreement
from streamer.accuracy.mean_average_precision import Accuracy


class Verdict(StrEnum):
    """The verdict on an engine."""

    REFERENCE = "reference"
    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNCHECKED = "unchecked"
    """Neither the engine nor the reference found anything that could be compared."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class EngineParity:
    """The result of an engine: effective ``precision`` and ``devices``, and ``detections`` in so many ``frames``.

    ``same_as`` is an earlier engine with the same configuration. ``agreement`` is with the reference, which has none
    itself; ``accuracy`` needs ground truth. ``why`` is why the engine is unavailable.
    """

    spec: str
    verdict: Verdict
    why: str = ""
    precision: str = ""
    devices: tuple[str, ...] = ()
    same_as: str | None = None
    frames: int = 0
    detections: int = 0
    agreement: Agreement | None = None
    accuracy: Accuracy | None = None


MISSED = (Verdict.DISAGREES, Verdict.UNCHECKED)
"""Verdicts that fail a study: an unchecked engine has not passed."""


def plain_answer(rows: Sequence[EngineParity], requested: int) -> str:
    """The rows in a sentence: how many of the ``requested`` engines agree, and which do not."""
    shares = {row.spec: row.agreement.smaller or 0.0 for row in rows if row.agreement is not None}
    by_verdict = {verdict: [row.spec for row in rows if row.verdict is verdict] for verdict in Verdict}
    agreeing = sorted(by_verdict[Verdict.AGREES], key=lambda spec: shares[spec])
    texts = [f"{len(agreeing)} of {requested} agree with {rows[0].spec}{_range(agreeing, shares)}"]
    if disagreeing := by_verdict[Verdict.DISAGREES]:
        names = ", ".join(f"{spec} ({shares[spec]:.3f})" for spec in disagreeing)
        texts.append(f"{names} {'disagrees' if len(disagreeing) == 1 else 'disagree'}")
    if unchecked := by_verdict[Verdict.UNCHECKED]:
        texts.append(f"nothing was found by which to compare {', '.join(unchecked)}")
    if missing := by_verdict[Verdict.UNAVAILABLE]:
        texts.append(f"{len(missing)} unavailable")
    if len(rows) <= requested:
        texts.append(f"{requested + 1 - len(rows)} not reached")
    return f"{'; '.join(texts)}."


def _range(specs: Sequence[str], shares: Mapping[str, float]) -> str:
    """The least and the highest share of ``specs``, which are in ascending order."""
    if not specs:
        return ""
    least, most = (f"{shares[spec]:.3f}" for spec in (specs[0], specs[-1]))
    return f" ({least})" if least == most else f" ({specs[0]} {least} to {specs[-1]} {most})"
