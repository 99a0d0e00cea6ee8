"""The assessment of a soak: all its verdicts, and the answer in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.studies.soak.answers import canary_verdict
from streamer.studies.soak.document import SoakVerdict
from streamer.studies.soak.drift import drift
from streamer.studies.soak.duration import end
from streamer.studies.soak.leaks import leaks
from streamer.studies.soak.losses import losses
from streamer.studies.soak.objectives import objectives
from streamer.studies.soak.verdict import Verdict
from streamer.studies.soak.windows_csv import WindowRow, lasted


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdicts on a soak, and its ``answer``."""

    verdicts: Sequence[Verdict]
    answer: str

    @property
    def verdict(self) -> SoakVerdict:
        """Failed when one verdict is, undecided when one is open, else passed."""
        return verdict_of(self.verdicts)


def verdict_of(verdicts: Sequence[Verdict]) -> SoakVerdict:
    """The worst of the verdicts: failed, then undecided, then passed."""
    passed = [one.passed for one in verdicts]
    return "failed" if False in passed else "undecided" if None in passed else "passed"


def assess(rows: Sequence[WindowRow], manifests: Sequence[Mapping[str, Any] | None], asked_s: float) -> Assessment:
    """Assesses the windows of a soak that was to last ``asked_s``.

    ``manifests`` are the ``run.json`` of all parts, None for a part that was killed: it lasted up to its last window.
    """
    assert all(row.part < len(manifests) for row in rows), "a part is missing: give None for one without a run.json"
    whole = {part: manifest["run"]["duration_s"] for part, manifest in enumerate(manifests) if manifest}
    seconds = sum(whole.values()) + sum(row.end_s - row.start_s for row in rows if row.part not in whole)
    slo = objectives(rows, manifests)
    verdicts = [
        end(manifests, seconds, asked_s),
        drift(rows),
        *leaks(rows),
        losses(rows, manifests),
        *([] if slo is None else [slo]),
        canary_verdict(rows),
    ]
    return Assessment(verdicts, soak_answer(verdicts, seconds))


def soak_answer(verdicts: Sequence[Verdict], seconds: float) -> str:
    """The sentence that sums up a soak of so many seconds."""
    failed = [f"{one.name}: {one.why}" for one in verdicts if one.passed is False]
    counts = next(one.figures for one in verdicts if one.name == "losses")
    delivered = f"{counts['delivered']:,} of {counts['scheduled']:,} frames delivered"
    undecided = [one.name for one in verdicts if one.passed is None and one.name != "end"]
    ended = next(one for one in verdicts if one.name == "end")
    later = f"; too early to tell: {', '.join(undecided)}" if undecided else ""
    if ended.passed is None:
        later += f"; {ended.why}"
    if failed:
        return f"Failed in {lasted(seconds)}: {'; '.join(failed)}; {delivered}{later}."
    return f"Held for {lasted(seconds)}: {', '.join([delivered, *_held(verdicts)])}{later}."


def _held(verdicts: Sequence[Verdict]) -> list[str]:
    """The verdicts that passed, in a few words each."""
    held = {one.name for one in verdicts if one.passed}
    assessed = {one.name for one in verdicts}
    of_leaks = assessed - {"drift", "losses", "slo", "canary"}
    texts = {
        "none lost": "losses" in held,
        "no drift": "drift" in held,
        "no leak": of_leaks <= held,
        "all objectives met": "slo" in held,
        "the canary always the same": "canary" in held,
    }
    return [text for text, holds in texts.items() if holds]
