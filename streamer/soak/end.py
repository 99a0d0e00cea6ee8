"""How a soak ended: by itself, after the time that it was to last, or sooner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamer.soak.verdict import Verdict
from streamer.soak.windows import lasted

NEARLY = 0.99
"""The last frame may be due a little before the end, and a source may be over within a clip's last second."""
WITHIN_S = 1.0


def end(manifests: Sequence[Mapping[str, Any] | None], seconds: float, asked_s: float) -> Verdict:
    """The verdict on a soak of ``seconds`` that was to last ``asked_s``; one that was stopped may still go on."""
    several = len(manifests) > 1
    errors = [
        (f"part {part}: " if several else "") + str(one["error"])
        for part, one in enumerate(manifests)
        if one is not None and one["error"]
    ]
    figures = {"lasted_s": round(seconds, 3), "asked_s": asked_s, "errors": errors}
    of_asked = f"{lasted(seconds)} of {lasted(asked_s)}"
    last = manifests[-1]
    if errors:
        return Verdict("end", False, "; ".join(errors), figures)
    if seconds >= min(NEARLY * asked_s, asked_s - WITHIN_S):
        return Verdict("end", True, f"lasted {lasted(seconds)}, as it was to", figures)
    if last is None or last["verdict"] == "INTERRUPTED":
        return Verdict("end", None, f"stopped after {of_asked}; go on with --resume", figures)
    return Verdict("end", False, f"the source had ended after {of_asked}", figures)
