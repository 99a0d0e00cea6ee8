"""The figures of a run, computed from the ledger's whole microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from streamer.age import AgeMeter
from streamer.distribution import Distribution
from streamer.ledger import FrameRecord, Ledger, Outcome
from streamer.percentiles import PERCENTILES, bound_rank, frames_needed, nearest_rank

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
FIGURES = (*STEPS, "age")
"""The names of all figures."""


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


def statistics(values: Distribution) -> Statistics:
    """The statistics of a figure's values in whole microseconds."""
    n = values.n
    shown = [name for name, p in PERCENTILES.items() if n >= frames_needed(p)]
    ranks = [nearest_rank(n, PERCENTILES[name]) for name in shown] + [
        bound_rank(n, PERCENTILES[name]) for name in shown
    ]
    found = [us / 1000 for us in values.order_statistics(ranks)] if ranks else []
    nothing: dict[str, float | None] = dict.fromkeys(PERCENTILES)
    return Statistics(
        n,
        round(values.mean / 1000, 6) if n else None,
        values.max / 1000 if n else None,
        nothing | dict(zip(shown, found[: len(shown)], strict=True)),
        nothing | dict(zip(shown, found[len(shown) :], strict=True)),
    )


class Tally:
    """Watches a ledger and keeps what the summary needs: the values of each figure, in whole microseconds.

    ``tick_us`` is the period of the ticks at which age is taken, None for the scheduled instants themselves.
    """

    def __init__(self, *, closed_loop: bool, tick_us: Fraction | None = None) -> None:
        self.figures = _no_figures()
        self._parts: list[dict[str, Distribution]] = []
        self._age = None if closed_loop else AgeMeter(lambda us: self.figures["age"].add(us))
        self._tick_us = tick_us
        self._ticks = 0

    def opened(self, record: FrameRecord) -> None:
        if self._age is None:
            return
        if self._tick_us is None:
            self._age.tick(record.scheduled)
        else:
            self._tick_until(record.scheduled)

    def detected(self, record: FrameRecord) -> None:
        if self._age is not None and record.detected is not None:
            self._age.detected(record.scheduled, record.detected)

    def closed(self, record: FrameRecord) -> None:
        for name, step in STEPS.items():
            value = step(record)
            if value is not None:
                self.figures[name].add(value)

    def finish(self, end_us: int) -> None:
        """The run is over, at ``end_us``."""
        if self._age is not None:
            if self._tick_us is not None:
                self._tick_until(end_us)
            self._age.finish()

    def _tick_until(self, us: int) -> None:
        assert self._age is not None
        assert self._tick_us is not None
        while (tick := round(self._ticks * self._tick_us)) <= us:
            self._age.tick(tick)
            self._ticks += 1

    def split(self) -> None:
        """What follows is measured under other conditions, and gets statistics of its own as well."""
        self._parts.append(self.figures)
        self.figures = _no_figures()

    def parts(self) -> list[dict[str, Statistics]]:
        """The statistics of the parts into which the run was split."""
        return [
            {name: statistics(values) for name, values in figures.items()} for figures in (*self._parts, self.figures)
        ]

    def whole(self) -> dict[str, Distribution]:
        """The values of each figure over the whole run."""
        if not self._parts:
            return self.figures
        merged = _no_figures()
        for figures in (*self._parts, self.figures):
            for name, values in figures.items():
                merged[name].merge(values)
        return merged


def _no_figures() -> dict[str, Distribution]:
    return {name: Distribution() for name in FIGURES}


def omission_gap(figures: Mapping[str, Statistics]) -> dict[str, float | None]:
    """How many times a closed loop's figure the one from the schedule is: result latency by service time.

    A loop that takes the next frame when it is done with the last one sees the service time, and no waiting: wrk2
    calls that coordinated omission.
    """
    gap: dict[str, float | None] = {}
    for name in PERCENTILES:
        paced, closed = figures["result_latency"][name], figures["service"][name]
        gap[name] = round(paced / closed, 4) if paced is not None and closed else None
    return gap


def counts(ledger: Ledger) -> dict[str, int]:
    """Frames by outcome, and late and missed ones."""
    return {
        "scheduled": ledger.scheduled,
        **{outcome.value: ledger.outcomes[outcome] for outcome in Outcome},
        "late": ledger.late,
        "missed": ledger.missed,
    }
