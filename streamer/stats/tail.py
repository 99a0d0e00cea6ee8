"""Why the tail: the step in which the slowest frames were slow, and the circumstances at that instant."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import NotRequired, TypedDict

from streamer.ledger.record import FrameRecord, elapsed
from streamer.machine.contention import ContentionMeter
from streamer.stats.distribution import Distribution
from streamer.stats.percentiles import nearest_rank

MOST_FRAMES = 10_000
"""The number of slowest frames kept: less than 5 % of a run of more than 200,000 frames."""
REMEMBERED = 32
"""The intervals of the sink and of the decoder that are kept: more than can overlap one frame."""
SHARE = 0.05

MANY = 2
"""A frame with more than this many times the usual context switches counts as preempted."""
TELLING_SHARE, TELLING_TIMES = 0.5, 2
"""A circumstance is reported when this share of the slow frames met it, and at least twice that of all frames."""

SINK_BUSY, DECODER_BUSY, PREEMPTED = "sink at work", "decoder at work", "many context switches"

STEPS: dict[str, Callable[[FrameRecord], int | None]] = {
    "waiting for the engine": lambda r: elapsed(r.scheduled, r.preprocess_start),
    "preprocess": lambda r: r.preprocess,
    "infer": lambda r: r.infer,
    "postprocess": lambda r: r.postprocess,
    "waiting for the sink": lambda r: elapsed(r.detected, r.sink_start),
    "sink": lambda r: r.sink,
}
"""The steps of a frame, in microseconds, which add up to its latency."""


class TailStep(TypedDict):
    """A step of the slow frames."""

    frames: int
    """Slow frames in which this step exceeds its median by more than any other step does."""
    share: float
    """The share of these among the slow frames, from 0 to 1."""
    median_growth_ms: float
    """By how much the step exceeds its median in these frames, in the median."""


class TailCircumstance(TypedDict):
    """Something that happened meanwhile."""

    share_of_slow: float
    """The share of slow frames that met it, from 0 to 1."""
    share_of_all: float
    """The share of all delivered frames that met it, from 0 to 1."""


class SlowestFrame(TypedDict):
    """The slowest frame."""

    stream: NotRequired[int]
    """The number of its stream, from 0."""
    frame: int
    """The number of the frame within its stream, from 0."""
    latency_ms: float
    """Its latency."""
    steps_ms: dict[str, float]
    """Its time in each step in milliseconds, by the names of ``steps``. They add up to its latency."""


class TailPart(TypedDict):
    """The ``tail`` of the manifest: what the slowest 5 % have in common."""

    above_ms: float
    """The latency above which a frame is slow: the 95th percentile, within 0.1 %."""
    frames: int
    """How many slow frames there are: the slowest 10,000 at most."""
    steps: dict[str, TailStep]
    """By step, the slow frames in which it grew most; the step with most of them first. The steps are ``waiting for
    the engine``, ``preprocess``, ``infer``, ``postprocess``, ``waiting for the sink`` and ``sink``."""
    circumstances: dict[str, TailCircumstance]
    """What else happened during slow frames, by its name as in ``sink at work``; the most frequent first. Empty when
    nothing did."""
    slowest: SlowestFrame
    """The slowest frame of all."""


@dataclass(slots=True)
class _Slow:
    """A slow frame: its times in microseconds, ``steps`` in the order of STEPS, and its circumstances."""

    stream: int
    frame: int
    scheduled: int
    written: int
    latency: int
    steps: tuple[int, ...]
    circumstances: tuple[str, ...]


class Tail:
    """A watcher that keeps the slowest frames, and counts circumstances among all delivered ones."""

    def __init__(self, meter: ContentionMeter) -> None:
        self._meter = meter
        self._medians = {name: Distribution(0) for name in STEPS}
        self._latencies = Distribution(0)
        self._slowest: list[tuple[int, int, _Slow]] = []
        self._order = count()
        self._sinks: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        self._decodes: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        self._of_all: Counter[str] = Counter()
        self._pending: list[_Slow] = []
        self._switches = 0

    def opened(self, record: FrameRecord) -> None:
        pass

    def detected(self, record: FrameRecord) -> None:
        pass

    def decoded(self, start_us: int, end_us: int) -> None:
        """Takes an interval in which the source decoded a frame."""
        self._decodes.append((start_us, end_us))

    def closed(self, record: FrameRecord) -> None:
        latency, start, end, written = record.latency, record.preprocess_start, record.detected, record.written
        if latency is None or start is None or end is None or written is None:
            return
        steps = tuple(step(record) or 0 for step in STEPS.values())
        for values, step_us in zip(self._medians.values(), steps, strict=True):
            values.add(step_us)
        self._latencies.add(latency)
        at_work = tuple(
            name
            for name, happened in (
                (SINK_BUSY, _overlaps(self._sinks, start, end)),
                (DECODER_BUSY, _overlaps(self._decodes, start, end)),
                (PREEMPTED, record.switches > self._usual_switches() * MANY),
            )
            if happened
        )
        self._of_all.update(at_work)
        self._switches += record.switches
        if record.sink_start is not None:
            self._sinks.append((record.sink_start, written))
        entry = _Slow(record.stream, record.frame, record.scheduled, written, latency, steps, at_work)
        self._pending.append(entry)
        slow = (latency, next(self._order), entry)
        if len(self._slowest) < MOST_FRAMES:
            heapq.heappush(self._slowest, slow)
        elif slow > self._slowest[0]:
            heapq.heapreplace(self._slowest, slow)

    def add_contention(self) -> None:
        """Adds what the contention meter measured during the frames closed so far."""
        for entry in self._pending:
            happened = self._meter.during(entry.scheduled, entry.written)
            self._of_all.update(happened)
            entry.circumstances += tuple(happened)
        self._pending.clear()

    def _usual_switches(self) -> float:
        """The mean context switches of a frame so far, plus one: a runtime's own threads are switched in any case."""
        return self._switches / self._latencies.n + 1

    def explain(self) -> TailPart | None:
        """What the slowest 5 % have in common; None when there are too few frames.

        ``steps`` has for each step the frames in which it grew most over its median, and their median growth;
        ``circumstances`` has the shares of the slow frames and of all frames that met each.
        """
        self.add_contention()
        n = self._latencies.n
        if n < 1 / SHARE * 2:
            return None
        (bound,) = self._latencies.order_statistics([nearest_rank(n, 1 - SHARE)])
        slow = [entry for latency, _, entry in self._slowest if latency > bound]
        if not slow:
            return None
        medians = [figure.order_statistics([nearest_rank(n, 0.5)])[0] for figure in self._medians.values()]
        grown: dict[str, list[int]] = {name: [] for name in STEPS}
        met: Counter[str] = Counter()
        for entry in slow:
            excess = [step - usual for step, usual in zip(entry.steps, medians, strict=True)]
            most = max(range(len(excess)), key=excess.__getitem__)
            grown[list(STEPS)[most]].append(excess[most])
            met.update(entry.circumstances)
        worst = max(slow, key=lambda entry: entry.latency)
        return {
            "above_ms": bound / 1000,
            "frames": len(slow),
            "steps": {
                name: {
                    "frames": len(values),
                    "share": round(len(values) / len(slow), 4),
                    "median_growth_ms": sorted(values)[len(values) // 2] / 1000,
                }
                for name, values in sorted(grown.items(), key=lambda item: -len(item[1]))
                if values
            },
            "circumstances": {
                name: {
                    "share_of_slow": round(met[name] / len(slow), 4),
                    "share_of_all": round(self._of_all[name] / n, 4),
                }
                for name in sorted(met, key=lambda name: -met[name])
            },
            "slowest": {
                "stream": worst.stream,
                "frame": worst.frame,
                "latency_ms": worst.latency / 1000,
                "steps_ms": {name: us / 1000 for name, us in zip(STEPS, worst.steps, strict=True)},
            },
        }


def _overlaps(intervals: deque[tuple[int, int]], start: int, end: int) -> bool:
    return any(begin < end and finish > start for begin, finish in intervals)


def tail_text(tail: TailPart | None) -> str | None:
    """The tail as text, for the sentence that a run ends with; None where there is no tail."""
    if tail is None:
        return None
    step, figures = next(iter(tail["steps"].items()))
    where = f"slow in {step}" if not step.startswith("waiting") else f"slow {step}"
    text = f"of the slowest 5 %, {figures['share']:.0%} were {where}"
    telling = [
        (name, shares)
        for name, shares in tail["circumstances"].items()
        if shares["share_of_slow"] >= max(TELLING_SHARE, TELLING_TIMES * shares["share_of_all"])
    ]
    if telling:
        name, shares = telling[0]
        text += f" ({shares['share_of_slow']:.0%} with {name}, of all frames {shares['share_of_all']:.0%})"
    return text
