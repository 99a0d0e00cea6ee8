"""The canary: a frame whose boxes must stay the same to the end of the soak."""

from __future__ import annotations

from collections.abc import Sequence

from streamer.studies.soak.verdict import Verdict
from streamer.studies.soak.windows_csv import WindowRow, clock

CHANGED, SAME, NOTHING = "changed", "same", "nothing"


def canary_verdict(rows: Sequence[WindowRow]) -> Verdict:
    """The verdict: a single box that changed once fails."""
    looked = [row for row in rows if row.canary is not None]
    changed = [row for row in looked if row.canary == CHANGED]
    figures = {
        "windows": len(looked),
        "changed": len(changed),
        "first_changed": changed[0].window if changed else None,
        "most_boxes": max((row.canary_changed or 0 for row in changed), default=0),
    }
    if changed:
        first = changed[0]
        boxes = first.canary_changed or 0
        why = (
            f"{boxes} {'box' if boxes == 1 else 'boxes'} of the canary changed in window {first.window}, by "
            f"{clock(first.end_s)}; in {len(changed)} of {len(looked)} windows in which it was looked at"
        )
        return Verdict("canary", False, why, figures)
    if not looked:
        return Verdict("canary", None, "the canary was not looked at: soak for longer than --canary", figures)
    if all(row.canary == NOTHING for row in looked):
        why = "nothing is found in the canary frame: begin with a frame that has an object"
        return Verdict("canary", None, why, figures)
    return Verdict("canary", True, f"the canary was the same in {_windows(len(looked))}", figures)


def _windows(count: int) -> str:
    return (
        "the window in which it was looked at" if count == 1 else f"all {count:,} windows in which it was looked at"
    )
