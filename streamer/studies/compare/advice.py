"""What a comparison comes to, in a sentence of advice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamer.stats.speed_ratio import Estimate, Speed, speed

Ratio = Callable[[str, str], Estimate | None]
"""Of two engines by name: the median of the second, times that of the first."""
NOTABLE_DROPS_PERCENT = 1.0


def advise(rows: Sequence[Mapping[str, Any]], ratio: Ratio) -> str:
    """Which engine to use, which are no different from it, and what speaks against the others."""
    ran = [row for row in rows if row["median_ms"] is not None]
    fit = [row for row in ran if row["agreement"] != "disagrees" and row["slo"] != "missed"]
    said = [_best(rows, min(fit, key=_median), ratio) if fit else _none_fits(ran)]
    best = min(map(_median, fit), default=float("inf"))
    said += [
        f"{row['engine']} is faster, but finds other objects (agreement {row['agreement_share']:.3f})"
        for row in ran
        if row["agreement"] == "disagrees" and _median(row) < best
    ]
    dropping = [row for row in ran if row["drops_percent"] >= NOTABLE_DROPS_PERCENT]
    if dropping:
        said.append(
            "dropped frames: " + ", ".join(f"{row['engine']} {row['drops_percent']:.0f} %" for row in dropping)
        )
    if missing := len(rows) - sum(row["speed"] != Speed.UNAVAILABLE.value for row in rows):
        said.append(f"{missing} cannot run here")
    return f"{'; '.join(said)}."


def _best(rows: Sequence[Mapping[str, Any]], best: Mapping[str, Any], ratio: Ratio) -> str:
    name, times = best["engine"], best["ratio_p50"]
    figure = f"{_median(best):.1f} ms from due to boxes in the median"
    baseline = next((row["engine"] for row in rows if row["speed"] == Speed.BASELINE.value), None)
    if name == baseline:
        said = f"{name} stays the choice, with {figure}: none of the others is faster"
    elif times is None:
        said = f"{name} is ahead, with {figure}, but too little was seen to compare it with {baseline}"
    else:
        compared = f"{times['value']:.2f} times {baseline}'s ({times['low']:.2f} to {times['high']:.2f})"
        said = f"Use {name}: {figure}, {compared}"
    alike = [
        row["engine"]
        for row in rows
        if row is not best
        and row["median_ms"] is not None
        and (found := ratio(name, row["engine"])) is not None
        and speed(found) is Speed.NO_DIFFERENCE
    ]
    if alike:
        said += f"; no different from it: {', '.join(alike)}"
    return said


def _none_fits(ran: Sequence[Mapping[str, Any]]) -> str:
    if not ran:
        return "Too few frames were detected for a verdict"
    return "No engine meets the objectives and agrees with the reference"


def _median(row: Mapping[str, Any]) -> float:
    median: float = row["median_ms"]["value"]
    return median
