"""The answer of a study of paces: a sentence for each engine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from streamer.stats.speed_ratio import Estimate, Speed, speed
from streamer.studies.pace.study import pace_text

Row = Mapping[str, Any]


def sentence_of(engine: str, rows: Sequence[Row], slo: str | None) -> str:
    """The sentence of one engine; ``rows`` are those of all engines."""
    own = [row for row in rows if row["engine"] == engine and row["frames"] is not None]
    if not own:
        return f"{engine} cannot run here."
    paced = [row for row in own if not row["closed_loop"]]
    texts = [*_idle(paced), *_knee(own, paced)]
    if slo:
        texts.append(f"{slo} is met {_where_met(paced)}")
    return f"{engine}: {'; '.join(texts)}."


def highest_rate(engine: str, rows: Sequence[Row]) -> str | None:
    """The highest rate that meets the objectives, as a row's ``fps``; None when none does."""
    met = [row["fps"] for row in rows if row["engine"] == engine and not row["closed_loop"] and row["slo"] == "met"]
    return max(met, key=Fraction, default=None)


def _idle(paced: Sequence[Row]) -> Iterator[str]:
    """The largest idle penalty that is distinguished from noise."""
    looked_at = [row for row in paced if row["idle_penalty"] is not None]
    sure = [row for row in looked_at if speed(Estimate(**row["idle_penalty"])) is not Speed.NO_DIFFERENCE]
    if sure:
        worst = max(sure, key=lambda row: abs(math.log(row["idle_penalty"]["value"])))
        times = worst["idle_penalty"]
        yield (
            f"an inference takes {times['value']:.2f} times as long at {_fps(worst['fps'])} as back to back "
            f"({times['low']:.2f} to {times['high']:.2f})"
        )
    elif looked_at:
        yield f"no idle penalty is distinguished from noise at {_all_of(looked_at)}"


def _knee(own: Sequence[Row], paced: Sequence[Row]) -> Iterator[str]:
    keeping = [row["fps"] for row in paced if not row["saturated"]]
    if paced:
        yield (
            f"it keeps up with {_fps(max(keeping, key=Fraction))}"
            if keeping
            else "it keeps up with none of the rates"
        )
    yield from (f"as fast as it goes: {row['delivered_rate']:.1f} fps" for row in own if row["closed_loop"])


def _where_met(paced: Sequence[Row]) -> str:
    """The ascending rates at which the objectives are met; "up to" a rate when they are met at all lower ones too."""
    met = [row for row in paced if row["slo"] == "met"]
    if not met:
        return "at no rate"
    return f"up to {_fps(met[-1]['fps'])}" if met == list(paced[: len(met)]) else f"at {_all_of(met)}"


def _all_of(rows: Sequence[Row]) -> str:
    return ", ".join(pace_text(Fraction(row["fps"])).removesuffix(" fps") for row in rows) + " fps"


def _fps(rate: str) -> str:
    return pace_text(Fraction(rate))
