"""The figures of a run, computed from the ledger's whole microseconds."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from streamer.age import AgeMeter
from streamer.ledger import FrameRecord, Ledger, Outcome
from streamer.percentiles import PERCENTILES, frames_needed, nearest_rank, upper_bound

STEPS: dict[str, Callable[[FrameRecord], int | None]] = {
    "latency": lambda record: record.latency,
    "result_latency": lambda record: record.result_latency,
    "service": lambda record: record.service,
    "lateness": lambda record: record.lateness,
    "preprocess_start": lambda record: (
        None if record.preprocess_start is None else record.preprocess_start - record.scheduled
    ),
    "preprocess": lambda record: record.preprocess,
    "infer": lambda record: record.infer,
    "postprocess": lambda record: record.postprocess,
    "sink": lambda record: record.sink,
}
"""What is worked out of each record; ``preprocess_start`` counts from due, and stands beside lateness."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a figure's values come to, in milliseconds; a percentile for which they are too few is None.

    ``upper`` holds, for each percentile shown, the bound it does not exceed with 99 % confidence.
    """

    n: int
    mean: float | None
    max: float | None
    percentiles: dict[str, float | None]
    upper: dict[str, float | None]

    def __getitem__(self, percentile: str) -> float | None:
        """A percentile by name, as in ``["p95"]``."""
        return self.percentiles[percentile]

    def as_dict(self) -> dict[str, Any]:
        """As the manifest holds it."""
        return {"n": self.n, "mean": self.mean, **self.percentiles, "max": self.max, "upper": self.upper}


def statistics(values: array[int]) -> Statistics:
    """The statistics of values in whole microseconds."""
    if not values:
        nothing: dict[str, float | None] = dict.fromkeys(PERCENTILES)
        return Statistics(0, None, None, nothing, dict(nothing))
    ordered = np.sort(np.frombuffer(values, np.int64))
    shown: dict[str, float | None] = {}
    upper: dict[str, float | None] = {}
    for name, p in PERCENTILES.items():
        enough = len(ordered) >= frames_needed(p)
        shown[name] = nearest_rank(ordered, p) / 1000 if enough else None
        upper[name] = upper_bound(ordered, p) / 1000 if enough else None
    # An exact integer sum, divided once: it comes out the same from the CSV.
    mean = round(int(ordered.sum()) / len(ordered) / 1000, 6)
    return Statistics(len(ordered), mean, int(ordered[-1]) / 1000, shown, upper)


class Tally:
    """Watches a ledger and keeps what the summary needs: the values of each figure, in microseconds."""

    def __init__(self, *, closed_loop: bool) -> None:
        self.values: dict[str, array[int]] = {name: array("q") for name in (*STEPS, "age")}
        self._age = None if closed_loop else AgeMeter(self.values["age"].append)

    def opened(self, record: FrameRecord) -> None:
        if self._age is not None:
            self._age.tick(record.scheduled)

    def detected(self, record: FrameRecord) -> None:
        if self._age is not None and record.detected is not None:
            self._age.detected(record.scheduled, record.detected)

    def closed(self, record: FrameRecord) -> None:
        for name, step in STEPS.items():
            value = step(record)
            if value is not None:
                self.values[name].append(value)

    def finish(self) -> None:
        """The run is over."""
        if self._age is not None:
            self._age.finish()

    def statistics(self) -> dict[str, Statistics]:
        """The statistics of each figure."""
        return {name: statistics(values) for name, values in self.values.items()}


def counts(ledger: Ledger) -> dict[str, int]:
    """Frames by outcome, and late and missed ones."""
    return {
        "scheduled": ledger.scheduled,
        **{outcome.value: ledger.outcomes[outcome] for outcome in Outcome},
        "late": ledger.late,
        "missed": ledger.missed,
    }
