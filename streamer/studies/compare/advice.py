"""The advice of a comparison, in a sentence.

The best engine is the one with the lowest ratio to the baseline by rounds: on a machine that changes its speed the
medians of whole runs are less sure. Engines that cannot be distinguished from the best are named together, in the
order given: noise decides which of them is first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamer.stats.speed_ratio import Estimate, Speed, speed

Row = Mapping[str, Any]
Ratio = Callable[[str, str], Estimate | None]
"""The median of the second engine over that of the first, by their names; None where too little was seen."""
NOTABLE_DROPS_PERCENT = 1.0
"""The least share of frames dropped that the advice names."""


def advise(rows: Sequence[Row], ratio: Ratio, differing: Sequence[str] = ()) -> str:
    """The engines to use, and what speaks against the others; ``differing`` names what else the runs differ in."""
    ran = [row for row in rows if row["median_ms"] is not None]
    fit = [row for row in ran if row["agreement"] != "disagrees" and row["slo"] != "missed"]
    texts = _of_fit(rows, ran, fit, ratio) if fit else [_none_fits(ran)]
    dropping = [row for row in ran if row["drops_percent"] >= NOTABLE_DROPS_PERCENT]
    if dropping:
        texts.append(
            "dropped frames: " + ", ".join(f"{row['engine']} {row['drops_percent']:.0f} %" for row in dropping)
        )
    if missing := len(rows) - sum(row["speed"] != Speed.UNAVAILABLE.value for row in rows):
        texts.append(f"{missing} cannot run here")
    if differing:
        texts.append(f"the runs differ in more than the engine ({', '.join(differing)})")
    return f"{'; '.join(texts)}."


def _of_fit(rows: Sequence[Row], ran: Sequence[Row], fit: Sequence[Row], ratio: Ratio) -> list[str]:
    """The best of the engines that may be used, those that are no different, and faster ones that may not be used."""
    best = min(fit, key=_against_baseline)
    others = [row for row in fit if row is not best]
    # The speed of each against the best; None where too little was seen.
    speeds = {
        row["engine"]: None if (found := ratio(best["engine"], row["engine"])) is None else speed(found)
        for row in ran
        if row is not best
    }
    alike = [row for row in fit if row is best or speeds[row["engine"]] in (Speed.NO_DIFFERENCE, Speed.FASTER)]
    unsure = [row["engine"] for row in others if speeds[row["engine"]] is None]
    baseline = next((row["engine"] for row in rows if row["speed"] == Speed.BASELINE.value), None)
    if len(alike) > 1:
        texts = [_no_difference(alike, baseline)]
    elif unsure:
        texts = [f"{best['engine']}: {_figure([best])}"]
    else:
        texts = [_alone(best, baseline, len(ran), others)]
    if unsure:
        texts.append(f"too little was seen to compare {_names(alike)} with {', '.join(unsure)}")
    return texts + [
        f"{row['engine']} is faster, but finds other objects (agreement {row['agreement_share']:.3f})"
        for row in ran
        if row["agreement"] == "disagrees" and speeds[row["engine"]] is Speed.FASTER
    ]


def _no_difference(alike: Sequence[Row], baseline: str | None) -> str:
    """The advice on several engines that cannot be distinguished."""
    text = f"{_names(alike)}: no difference, {_figure(alike)}"
    if all(row["speed"] == Speed.FASTER.value for row in alike):
        times = [row["ratio_p50"]["value"] for row in alike]
        text += f", {_range(times, 2)} times {baseline}'s"
    return text


def _alone(best: Row, baseline: str | None, ran: int, others: Sequence[Row]) -> str:
    """The advice on one engine that is distinguished from all others, or alone may be used."""
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
    """The ratio to the baseline, which has 1; engines seen too little come last, by their medians."""
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
