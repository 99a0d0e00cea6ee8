"""What a parity study came to: a row per engine, and the answer in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from streamer.accuracy.agreement import Agreement
from streamer.accuracy.mean_average_precision import Accuracy


class Verdict(StrEnum):
    """What is said of an engine."""

    REFERENCE = "reference"
    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNCHECKED = "unchecked"
    """Neither it nor the reference found anything that could be compared."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class EngineParity:
    """What an engine came to: ``precision`` and ``devices`` in force, and how many it found in how many frames.

    ``same_as`` is the engine before it that came out as the same configuration.
    ``agreement`` is with the reference, which has none itself; ``accuracy`` needs ground truth. ``why`` says why the
    engine is unavailable.
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
"""What was not checked has not been passed."""


def plain_answer(rows: Sequence[EngineParity], asked: int) -> str:
    """The rows in a sentence: how far the engines agree, of the ``asked`` ones, and which do not."""
    shares = {row.spec: row.agreement.smaller or 0.0 for row in rows if row.agreement is not None}
    by_verdict = {verdict: [row.spec for row in rows if row.verdict is verdict] for verdict in Verdict}
    agreeing = sorted(by_verdict[Verdict.AGREES], key=lambda spec: shares[spec])
    said = [f"{len(agreeing)} of {asked} agree with {rows[0].spec}{_range(agreeing, shares)}"]
    if disagreeing := by_verdict[Verdict.DISAGREES]:
        told = ", ".join(f"{spec} ({shares[spec]:.3f})" for spec in disagreeing)
        said.append(f"{told} {'disagrees' if len(disagreeing) == 1 else 'disagree'}")
    if unchecked := by_verdict[Verdict.UNCHECKED]:
        said.append(f"nothing was found by which to compare {', '.join(unchecked)}")
    if missing := by_verdict[Verdict.UNAVAILABLE]:
        said.append(f"{len(missing)} unavailable")
    if len(rows) <= asked:
        said.append(f"{asked + 1 - len(rows)} not reached")
    return f"{'; '.join(said)}."


def _range(specs: Sequence[str], shares: Mapping[str, float]) -> str:
    """From the least to the most exact of ``specs``, which are in this order."""
    if not specs:
        return ""
    least, most = (f"{shares[spec]:.3f}" for spec in (specs[0], specs[-1]))
    return f" ({least})" if least == most else f" ({specs[0]} {least} to {specs[-1]} {most})"
