"""The figures of a run, computed from the ledger's whole microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypedDict, cast

from streamer.ledger.ledger import Ledger
from streamer.ledger.record import FrameRecord, Outcome
from streamer.stats.age import AgeMeter
from streamer.stats.distribution import MOST_EXACT, Distribution
from streamer.stats.percentiles import PERCENTILES, bound_rank, frames_needed, nearest_rank

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
"""Figures computed from each record, in microseconds; ``preprocess_start`` counts from due, as lateness does."""
FIGURES = (*STEPS, "age")
"""The names of all figures."""


class StatisticsPart(TypedDict):
    """A figure of the manifest: its values' count, and their statistics in milliseconds."""

    n: int
    """How many values there are."""
    mean: float | None
    """The mean. Null without values."""
    p50: float | None
    """The median. Null, that is withheld, below 11 values."""
    p90: float | None
    """The 90th percentile. Null, that is withheld, below 64 values."""
    p95: float | None
    """The 95th percentile. Null, that is withheld, below 130 values."""
    p99: float | None
    """The 99th percentile. Null, that is withheld, below 662 values."""
    p999: float | None
    """The 99.9th percentile. Null, that is withheld, below 6,636 values."""
    max: float | None
    """The largest value. Null without values."""
    upper: dict[str, float | None]
    """By percentile, the upper bound that it does not exceed with 99 % confidence. Null where the percentile is
    withheld."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The statistics of a figure's values in milliseconds; a percentile of too few values is None.

    ``upper`` holds, for each percentile shown, its upper bound at 99 % confidence.
    """

    n: int
    mean: float | None
    max: float | None
    percentiles: dict[str, float | None]
    upper: dict[str, float | None]

    def __getitem__(self, percentile: str) -> float | None:
        """A percentile by name, as in ``["p95"]``."""
        return self.percentiles[percentile]

    def as_dict(self) -> StatisticsPart:
        """The figure's part of the manifest."""
        part = {"n": self.n, "mean": self.mean, **self.percentiles, "max": self.max, "upper": self.upper}
        return cast(StatisticsPart, part)


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


class FiguresPart(TypedDict):
    """The figures of the manifest, in milliseconds, in the order of `FIGURES`."""

    latency_ms: StatisticsPart
    """Latency: from due to written into the annotated video. Without a video a frame is written when the sink accepts
    it."""
    result_latency_ms: StatisticsPart
    """Result latency: from due to detected, when the boxes are usable."""
    service_ms: StatisticsPart
    """Service time: preprocess, infer and postprocess, without any waiting."""
    lateness_ms: StatisticsPart
    """Lateness: from due to offered by the source, less the time for which the policy ``wait`` held the source back.
    It is streamer's own error."""
    preprocess_start_ms: StatisticsPart
    """Due to preprocess: ``preprocess_start_ms`` less ``scheduled_ms`` of ``frames.csv``, where the column of this
    name is the stamp itself."""
    preprocess_ms: StatisticsPart
    """The step preprocess: a frame is made into the model's input."""
    infer_ms: StatisticsPart
    """The step infer: the model."""
    postprocess_ms: StatisticsPart
    """The step postprocess: outputs are made into boxes, with NMS."""
    sink_ms: StatisticsPart
    """The step sink: drawing, encoding and writing. 0 without a video."""
    age_ms: StatisticsPart
    """Age: how old the newest detected frame is at each tick, from the first detection on. Ticks are the due
    instants; a live source has one each nominal frame period, a closed loop none."""


def figures_part(figures: Mapping[str, Statistics]) -> FiguresPart:
    """The figures' part of the manifest."""
    return cast(FiguresPart, {f"{name}_ms": figure.as_dict() for name, figure in figures.items()})


def figures_of(part: FiguresPart) -> dict[str, Statistics]:
    """The figures, by name, of a manifest's part; older manifests lack some.

    Raises KeyError and TypeError when the part is none.
    """
    found = {name: one for name in FIGURES if (one := cast(Mapping[str, Any], part).get(f"{name}_ms")) is not None}
    return {
        name: Statistics(
            one["n"],
            one["mean"],
            one["max"],
            {of: one[of] for of in PERCENTILES},
            {of: one["upper"][of] for of in PERCENTILES},
        )
        for name, one in found.items()
    }


class Tally:
    """A watcher that keeps what the summary needs: the values of each figure, in whole microseconds.

    ``ticks_us`` has for each stream the period of the ticks at which its age is measured, None for the scheduled
    instants themselves. Up to ``most_exact`` values of each figure are kept exactly, more in buckets. ``objects``
    counts the detections, and ``surest`` is their highest confidence.
    """

    def __init__(
        self,
        *,
        closed_loop: bool,
        ticks_us: Sequence[Fraction | None] = (None,),
        most_exact: int = MOST_EXACT,
    ) -> None:
        self._most_exact = most_exact
        self.objects = 0
        self.surest = 0.0
        self.figures = _no_figures(most_exact)
        self._parts: list[dict[str, Distribution]] = []
        self._ages = [] if closed_loop else [_Age(tick_us, self._aged) for tick_us in ticks_us]

    def _aged(self, us: int) -> None:
        self.figures["age"].add(us)

    def opened(self, record: FrameRecord) -> None:
        if self._ages:
            self._ages[record.stream].scheduled(record.scheduled)

    def detected(self, record: FrameRecord) -> None:
        if self._ages and record.detected is not None:
            self._ages[record.stream].meter.detected(record.scheduled, record.detected)

    def closed(self, record: FrameRecord) -> None:
        self.objects += record.detections or 0
        self.surest = max(self.surest, record.surest)
        for name, step in STEPS.items():
            value = step(record)
            if value is not None:
                self.figures[name].add(value)

    def finish(self, end_us: int) -> None:
        """Computes the ages that are left, of a run that ended at ``end_us``."""
        for age in self._ages:
            age.finish(end_us)

    def split(self) -> None:
        """Begins a part: what follows is measured under other conditions, and gets statistics of its own as well."""
        self._parts.append(self.take())

    def take(self) -> dict[str, Distribution]:
        """Returns the values of each figure so far, and starts anew; the ages go on."""
        figures, self.figures = self.figures, _no_figures(self._most_exact)
        return figures

    def parts(self) -> list[dict[str, Statistics]]:
        """The statistics of the parts into which the run was split."""
        return [
            {name: statistics(values) for name, values in figures.items()} for figures in (*self._parts, self.figures)
        ]

    def whole(self) -> dict[str, Distribution]:
        """The values of each figure over the whole run."""
        if not self._parts:
            return self.figures
        merged = _no_figures(self._most_exact)
        for figures in (*self._parts, self.figures):
            for name, values in figures.items():
                merged[name].merge(values)
        return merged


class _Age:
    """One stream's age: at its scheduled instants, or every ``tick_us`` where those are not known."""

    def __init__(self, tick_us: Fraction | None, aged: Callable[[int], None]) -> None:
        self.meter = AgeMeter(aged)
        self._tick_us = tick_us
        self._ticks = 0

    def scheduled(self, us: int) -> None:
        if self._tick_us is None:
            self.meter.tick(us)
        else:
            self._tick_until(us, self._tick_us)

    def finish(self, end_us: int) -> None:
        if self._tick_us is not None:
            self._tick_until(end_us, self._tick_us)
        self.meter.finish()

    def _tick_until(self, us: int, tick_us: Fraction) -> None:
        while (tick := round(self._ticks * tick_us)) <= us:
            self.meter.tick(tick)
            self._ticks += 1


def _no_figures(most_exact: int) -> dict[str, Distribution]:
    return {name: Distribution(most_exact) for name in FIGURES}


def omission_gap(figures: Mapping[str, Statistics]) -> dict[str, float | None]:
    """The ratio, per percentile, of the schedule's figure to a closed loop's: result latency over service time.

    A loop that takes the next frame when the last one is done sees the service time, and no waiting: wrk2 calls that
    coordinated omission.
    """
    ratios: dict[str, float | None] = {}
    for name in PERCENTILES:
        paced, closed = figures["result_latency"][name], figures["service"][name]
        ratios[name] = round(paced / closed, 4) if paced is not None and closed else None
    return ratios


def counts(ledger: Ledger) -> dict[str, int]:
    """The number of frames by outcome, and of late and missed ones."""
    return {
        "scheduled": ledger.scheduled,
        **{outcome.value: ledger.outcomes[outcome] for outcome in Outcome},
        "late": ledger.late,
        "missed": ledger.missed,
    }
