"""What a comparison comes to, in a sentence of advice.

Engines that are not told apart from the one ahead are named together, in the order in which they were given: which
of them noise has put first says nothing. Ahead is the one whose rounds come out best against the baseline's; on a
machine that changes its speed the medians of whole runs tell less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamer.stats.speed_ratio import Estimate, Speed, speed

Row = Mapping[str, Any]
Ratio = Callable[[str, str], Estimate | None]
"""Of two engines by name: the median of the second, times that of the first."""
NOTABLE_DROPS_PERCENT = 1.0


def advise(rows: Sequence[Row], ratio: Ratio, differing: Sequence[str] = ()) -> str:
    """Which engines to use, and what speaks against the others; ``differing`` is what else the runs differ in."""
    ran = [row for row in rows if row["median_ms"] is not None]
    fit = [row for row in ran if row["agreement"] != "disagrees" and row["slo"] != "missed"]
    said = _of_fit(rows, ran, fit, ratio) if fit else [_none_fits(ran)]
    dropping = [row for row in ran if row["drops_percent"] >= NOTABLE_DROPS_PERCENT]
    if dropping:
        said.append(
            "dropped frames: " + ", ".join(f"{row['engine']} {row['drops_percent']:.0f} %" for row in dropping)
        )
    if missing := len(rows) - sum(row["speed"] != Speed.UNAVAILABLE.value for row in rows):
        said.append(f"{missing} cannot run here")
    if differing:
        said.append(f"the runs differ in more than the engine ({', '.join(differing)})")
    return f"{'; '.join(said)}."


def _of_fit(rows: Sequence[Row], ran: Sequence[Row], fit: Sequence[Row], ratio: Ratio) -> list[str]:
    """The best of those that may be used, which are no different from it, and what is faster and may not."""
    best = min(fit, key=_against_baseline)
    others = [row for row in fit if row is not best]
    # What each is, measured by the best; None where too little was seen.
    told = {
        row["engine"]: None if (found := ratio(best["engine"], row["engine"])) is None else speed(found)
        for row in ran
        if row is not best
    }
    alike = [row for row in fit if row is best or told[row["engine"]] in (Speed.NO_DIFFERENCE, Speed.FASTER)]
    unsure = [row["engine"] for row in others if told[row["engine"]] is None]
    baseline = next((row["engine"] for row in rows if row["speed"] == Speed.BASELINE.value), None)
    if len(alike) > 1:
        said = [_no_difference(alike, baseline)]
    elif unsure:
        said = [f"{best['engine']}: {_figure([best])}"]
    else:
        said = [_alone(best, baseline, len(ran), others)]
    if unsure:
        said.append(f"too little was seen to compare {_names(alike)} with {', '.join(unsure)}")
    return said + [
        f"{row['engine']} is faster, but finds other objects (agreement {row['agreement_share']:.3f})"
        for row in ran
        if row["agreement"] == "disagrees" and told[row["engine"]] is Speed.FASTER
    ]


def _no_difference(alike: Sequence[Row], baseline: str | None) -> str:
    """Of several that are not told apart."""
    said = f"{_names(alike)}: no difference, {_figure(alike)}"
    if all(row["speed"] == Speed.FASTER.value for row in alike):
        times = [row["ratio_p50"]["value"] for row in alike]
        said += f", {_range(times, 2)} times {baseline}'s"
    return said


def _alone(best: Row, baseline: str | None, ran: int, others: Sequence[Row]) -> str:
    """Of one that is told apart from all others, or alone may be used."""
    name, times, figure = best["engine"], best["ratio_p50"], _figure([best])
    if best["speed"] == Speed.FASTER.value:
        compared = f"{times['value']:.2f} times {baseline}'s ({times['low']:.2f} to {times['high']:.2f})"
        return f"Use {name}: {figure}, {compared}"
    if ran == 1:
        return f"{name}: {figure}, and nothing to compare it with"
    why = "the others are slower" if others else "no other meets the objectives and agrees with the reference"
    return f"{name} stays the choice, with {figure}: {why}" if name == baseline else f"Use {name}: {figure}; {why}"


def _none_fits(ran: Sequence[Row]) -> str:
    if not ran:
        return "Too few frames were detected for a verdict"
    return "No engine meets the objectives and agrees with the reference"


def _against_baseline(row: Row) -> tuple[bool, float]:
    """How it did against the baseline, which is 1; those that were seen too little come last, by their medians."""
    if row["speed"] == Speed.BASELINE.value:
        return False, 1.0
    times = row["ratio_p50"]
    return (True, row["median_ms"]["value"]) if times is None else (False, times["value"])


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(row["engine"] for row in rows)


def _figure(rows: Sequence[Row]) -> str:
    return f"{_range([row['median_ms']['value'] for row in rows], 1)} ms from due to boxes in the median"


def _range(values: Sequence[float], decimals: int) -> str:
    least, most = (f"{end:.{decimals}f}" for end in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"
