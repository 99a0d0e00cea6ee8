"""The end of a soak: after the time that it was to last, or sooner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from streamer.studies.soak.verdict import Verdict
from streamer.studies.soak.windows_csv import lasted

NEARLY, NEARLY_S = 0.05, 1.0
"""The most that may be missing, as a share of the time and in seconds. A frame period may always be missing: the last
frame is due that much before the end."""

Manifests = Sequence[Mapping[str, Any] | None]
"""The ``run.json`` of all parts, None for a part that was killed."""


def lasted_as_requested(manifests: Manifests, seconds: float, asked_s: float) -> bool:
    """Whether a soak of ``seconds`` is as long as it was to be, so that nothing is left to run."""
    period_s = max((float(1 / Fraction(one["run"]["fps"])) for one in manifests if one is not None), default=0.0)
    return asked_s - seconds <= max(min(NEARLY * asked_s, NEARLY_S), period_s)


def end(manifests: Manifests, seconds: float, asked_s: float) -> Verdict:
    """The verdict on a soak of ``seconds`` that was to last ``asked_s``; None when it was stopped and can go on."""
    several = len(manifests) > 1
    errors = [
        (f"part {part}: " if several else "") + str(one["error"])
        for part, one in enumerate(manifests)
        if one is not None and one["error"]
    ]
    figures = {"lasted_s": round(seconds, 3), "asked_s": asked_s, "errors": errors}
    of_requested = f"{lasted(seconds)} of {lasted(asked_s)}"
    last = manifests[-1]
    if errors:
        return Verdict("end", False, "; ".join(errors), figures)
    if lasted_as_requested(manifests, seconds, asked_s):
        return Verdict("end", True, f"lasted {lasted(seconds)}, as it was to", figures)
    if last is None or last["verdict"] == "INTERRUPTED":
        return Verdict("end", None, f"stopped after {of_requested}; go on with --resume", figures)
    return Verdict("end", False, f"the source had ended after {of_requested}", figures)
