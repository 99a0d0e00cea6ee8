"""Losses: every frame that was due has one outcome, and no frame was lost that may not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from typing import Any

from streamer.ledger import decode_errors
from streamer.ledger.record import Outcome
from streamer.studies.soak.verdict import Verdict
from streamer.studies.soak.windows_csv import WindowRow

OUTCOMES = tuple(outcome.value for outcome in Outcome)
LOSSES = {
    "decode_error": "not decoded",
    "engine_error": "lost with the engine",
    "sink_error": "not written",
    "abandoned": "abandoned in mid-run",
}
"""Outcomes that fail a soak, in words. Frames abandoned at its end are no losses."""
REPORTED = ("dropped", "source_error")
"""Outcomes that the policy and the source cause: they are reported, and objectives may limit them."""


def losses(rows: Sequence[WindowRow], manifests: Sequence[Mapping[str, Any] | None]) -> Verdict:
    """The verdict; ``manifests`` are the ``run.json`` of all parts in order, None for a part that was killed."""
    reasons = list(_missing(rows))
    figures = dict.fromkeys(("scheduled", *OUTCOMES), 0)
    for part, manifest in enumerate(manifests):
        where = f"part {part}: " if len(manifests) > 1 else ""
        of_part = [row for row in rows if row.part == part]
        totals = {name: sum(getattr(row, name) for row in of_part) for name in figures}
        frames = frames_of_killed(of_part) if manifest is None else manifest["frames"]
        figures = {name: count + frames[name] for name, count in figures.items()}
        reasons.extend(where + reason for reason in _broken(of_part, totals, manifest))
    ends = _ends(rows)
    lost = {name: [row for row in rows if _lost(row, name, ends)] for name in LOSSES}
    figures |= {"lost": sum(getattr(row, name) for name, found in lost.items() for row in found)}
    for name, found in lost.items():
        if found:
            count = sum(getattr(row, name) for row in found)
            why = _why(manifests) if name == "decode_error" else ""
            reasons.append(f"{_frames(count)} {LOSSES[name]}{why}, first in window {found[0].window}")
    if reasons:
        return Verdict("losses", False, "; ".join(reasons), figures)
    killed = [str(part) for part, manifest in enumerate(manifests) if manifest is None]
    later = f"; part {', '.join(killed)} was killed: what fell due behind its last window is not counted"
    return Verdict("losses", True, _none_lost(figures) + (later if killed else ""), figures)


def frames_of_killed(rows: Sequence[WindowRow]) -> dict[str, int]:
    """The frames of a part that was killed, counted by its windows, as ``run.json`` would have them.

    Frames in flight at the end of the last window are abandoned.
    """
    totals = {name: sum(getattr(row, name) for row in rows) for name in ("scheduled", *OUTCOMES, "late")}
    under_way = totals["scheduled"] - sum(totals[name] for name in OUTCOMES)
    totals["abandoned"] += max(0, under_way)
    return {**totals, "missed": totals["scheduled"] - totals["delivered"] + totals["late"]}


def _missing(rows: Sequence[WindowRow]) -> Iterator[str]:
    """Windows without a row."""
    expected = 0
    for row in rows:
        if row.window != expected:
            yield f"window {expected} has no row, the next is {row.window}"
        expected = row.window + 1


def _broken(
    rows: Sequence[WindowRow], totals: Mapping[str, int], manifest: Mapping[str, Any] | None
) -> Iterator[str]:
    """Where the windows of a part, with these ``totals``, and its ledger break the conservation law."""
    under_way = list(accumulate(row.scheduled - sum(getattr(row, name) for name in OUTCOMES) for row in rows))
    for row, count in zip(rows, under_way, strict=True):
        if count < 0:
            yield f"by window {row.window} more frames have met an outcome than fell due"
            return
    if manifest is None:
        return
    frames = manifest["frames"]
    outcomes = sum(frames[name] for name in OUTCOMES)
    if manifest["verdict"] == "INVALID" or frames["scheduled"] != outcomes:
        yield f"run.json is INVALID: {frames['scheduled']:,} frames, {outcomes:,} outcomes"
    if _killed(totals, manifest):
        return
    if under_way and (lost := under_way[-1]):
        # It is missing since the window from which on so many frames or more always were.
        since = next(place for place in range(len(rows)) if min(under_way[place:]) >= lost)
        yield f"{_frames(lost)} without an outcome since window {rows[since].window}"
    yield from (
        f"{_spoken(name)} is {count:,} in windows.csv and {frames[name]:,} in run.json"
        for name, count in totals.items()
        if count != frames[name]
    )


def _killed(totals: Mapping[str, int], manifest: Mapping[str, Any]) -> bool:
    """Whether the part was killed: its ledger goes on after its last whole window."""
    frames = manifest["frames"]
    more = frames["scheduled"] > totals["scheduled"] and all(frames[name] >= count for name, count in totals.items())
    return more and manifest["repaired"] is not None


def _ends(rows: Sequence[WindowRow]) -> set[int]:
    """The last window of each part."""
    return {max(row.window for row in of_part) for _, of_part in groupby(rows, key=lambda row: row.part)}


def _lost(row: WindowRow, name: str, ends: set[int]) -> bool:
    return bool(getattr(row, name)) and not (name == "abandoned" and row.window in ends)


def _why(manifests: Sequence[Mapping[str, Any] | None]) -> str:
    """Why frames could not be decoded, as far as the parts record it."""
    parts = [manifest["decode_errors"] for manifest in manifests if manifest and "decode_errors" in manifest]
    text = decode_errors.decode_errors_text(parts)
    return f" ({text})" if text else ""


def _none_lost(figures: Mapping[str, int]) -> str:
    texts = [f"none of {_frames(figures['scheduled'])} lost"]
    totals = [name for name in (*REPORTED, "abandoned") if figures[name]]
    texts += [
        f"{figures[name]:,} {_spoken(name)} ({figures[name] / figures['scheduled']:.2%})"
        + (" at the end" if name == "abandoned" else "")
        for name in totals
    ]
    return ", ".join(texts)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count:,} frames"


def _spoken(name: str) -> str:
    return name.replace("_", " ")
