"""Figures of a run for the documents of studies, computed from its columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np

from streamer.errors import SinkError
from streamer.ledger.decode_errors import decode_errors_text
from streamer.ledger.record import Outcome
from streamer.run.measured_parts import OutcomesPart
from streamer.rundir.columns import NEVER, OUTCOMES, Columns, Values
from streamer.rundir.paths import MANIFEST
from streamer.stats.distribution import Distribution
from streamer.stats.speed_ratio import Estimate
from streamer.stats.summary import statistics

SHOWN = ("p50", "p95", "p99")


class PercentilesPart(TypedDict):
    """Percentiles in milliseconds; null when the values are too few for one."""

    p50: float | None
    p95: float | None
    p99: float | None


class EstimatePart(TypedDict):
    """A figure, and the ends of its interval at 99 % confidence."""

    value: float
    low: float
    high: float


def read_manifest(directory: Path) -> dict[str, Any]:
    """A run directory's ``run.json``. Raises SinkError."""
    try:
        found: dict[str, Any] = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SinkError(f"{directory / MANIFEST} cannot be read: {error}") from error
    return found


def undecoded(manifests: Iterable[Mapping[str, Any]]) -> list[str]:
    """The doubt that frames could not be decoded, with the reasons of the run that has most; else nothing."""
    runs = list(manifests)
    lost = [run["frames"]["decode_error"] for run in runs]
    if not any(lost):
        return []
    worst = runs[lost.index(max(lost))]
    most = "" if len(set(lost)) == 1 else "up to "
    why = decode_errors_text([worst["decode_errors"]]) if "decode_errors" in worst else ""
    frames = f"{most}{max(lost):,} of {worst['frames']['scheduled']:,} frames"
    return [f"{frames} could not be decoded and went through no engine{f' ({why})' if why else ''}"]


def percentiles(values: Values) -> PercentilesPart:
    """Percentiles in milliseconds of values in whole microseconds; None when the values are too few for one."""
    distribution = Distribution()
    for us in values[values != NEVER].tolist():
        distribution.add(us)
    found = statistics(distribution)
    return cast(PercentilesPart, {name: found[name] for name in SHOWN})


def outcomes(columns: Columns) -> OutcomesPart:
    """Frames scheduled, and frames by outcome."""
    counted = np.bincount(columns.outcome, minlength=len(OUTCOMES))
    of_each = {outcome.value: int(counted[OUTCOMES.index(outcome)]) for outcome in Outcome}
    return cast(OutcomesPart, {"scheduled": len(columns)} | of_each)


def drops_percent(frames: OutcomesPart) -> float:
    """Dropped frames in percent of those scheduled."""
    return round(100 * frames["dropped"] / frames["scheduled"], 3) if frames["scheduled"] else 0.0


def milliseconds(estimate: Estimate | None) -> EstimatePart | None:
    """An estimate in microseconds, as milliseconds."""
    return None if estimate is None else _as_dict(estimate, 1000)


def ratio(estimate: Estimate | None) -> EstimatePart | None:
    """An estimate that has no unit."""
    return None if estimate is None else _as_dict(estimate, 1)


def _as_dict(estimate: Estimate, divisor: float) -> EstimatePart:
    value, low, high = (round(one / divisor, 4) for one in (estimate.value, estimate.low, estimate.high))
    return {"value": value, "low": low, "high": high}
