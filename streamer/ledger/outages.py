"""Gaps: while a live source gives no signal, each tick of its nominal rate that passes is a row of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from streamer.ledger.record import FrameRecord, Outcome

NO_SIGNAL = "no_signal"
"""The reason of a frame that never came."""
MOST_LISTED = 1_000
"""Gaps that are told one by one: memory is not to grow with a cable that is loose for days."""


class OutagePart(TypedDict):
    """An outage of a live source."""

    stream: int
    """The number of the stream, from 0."""
    begin_ms: float
    """When the last frame before it was due, since the start of the run; 0 when none had come."""
    end_ms: float | None
    """When the next frame came, since the start of the run. Null when the run ended before that."""
    frames: int
    """Ticks that passed in it: as many rows of ``frames.csv`` have the reason ``no_signal``."""
    attempts: int | None
    """Attempts to connect anew. Null when they are not known: in a repaired run."""
    why: list[str]
    """What went wrong, in words, each reason once. Empty when the source was only silent."""


class OutagesPart(TypedDict):
    """The ``gaps`` of the manifest: the outages of live sources."""

    count: int
    """How many outages there were, of all streams."""
    total_s: float
    """How long they lasted together."""
    longest_s: float
    """How long the longest one lasted."""
    frames: int
    """Ticks that passed in them."""
    attempts: int | None
    """Attempts to connect anew in them. Null when they are not known: in a repaired run."""
    each: list[OutagePart]
    """The first 1,000 outages. Empty when there were none."""


@dataclass(slots=True, eq=False)
class Outage:
    """A stretch without a frame of ``stream``: from the last one to the next, None when the run ends in it.

    ``frames`` are the ticks in it, ``attempts`` those to connect anew, and ``why`` is what went wrong, each once.
    """

    stream: int
    begin_us: int
    end_us: int | None = None
    frames: int = 0
    attempts: int = 0
    why: list[str] = field(default_factory=list)

    def failed(self, why: str) -> None:
        """Something went wrong."""
        if why not in self.why:
            self.why.append(why)

    def as_dict(self) -> OutagePart:
        """As the manifest holds it."""
        return {
            "stream": self.stream,
            "begin_ms": self.begin_us / 1000,
            "end_ms": None if self.end_us is None else self.end_us / 1000,
            "frames": self.frames,
            "attempts": self.attempts,
            "why": list(self.why),
        }


class Outages:
    """The gaps of a run, in each of which a frame was missed.

    After ``give_up_us`` without a frame the run ends; None: nothing is tried to connect anew.
    """

    def __init__(self, give_up_us: int | None) -> None:
        self.give_up_us = give_up_us
        self._told: list[Outage] = []
        self._open: list[Outage] = []
        self._count = 0
        self._frames = 0
        self._attempts = 0
        self._total_us = self._longest_us = 0

    def begin(self, stream: int, us: int) -> Outage:
        """No frame has come since ``us``."""
        gap = Outage(stream, us)
        self._count += 1
        self._open.append(gap)
        if len(self._told) < MOST_LISTED:
            self._told.append(gap)
        return gap

    def end(self, gap: Outage, us: int) -> None:
        """A frame has come at ``us``."""
        gap.end_us = us
        self._close(gap, us)

    def finish(self, us: int) -> None:
        """The run is over, at ``us``."""
        for gap in list(self._open):
            self._close(gap, us)

    def part(self) -> OutagesPart:
        """As the manifest holds them."""
        return {
            "count": self._count,
            "total_s": self._total_us / 1_000_000,
            "longest_s": self._longest_us / 1_000_000,
            "frames": self._frames,
            "attempts": self._attempts,
            "each": [gap.as_dict() for gap in self._told],
        }

    def _close(self, gap: Outage, us: int) -> None:
        self._open.remove(gap)
        if not gap.frames:  # nothing was missed, as when the run ends before the next tick
            self._count -= 1
            if gap in self._told:
                self._told.remove(gap)
            return
        self._frames += gap.frames
        self._attempts += gap.attempts
        self._total_us += us - gap.begin_us
        self._longest_us = max(self._longest_us, us - gap.begin_us)


def outages_in(records: Iterable[FrameRecord], streams: int, end_us: int) -> OutagesPart:
    """The gaps of a run that was killed at ``end_us``, as its rows tell of them and the manifest holds them.

    How often it was tried to connect is not known then.
    """
    gaps = Outages(None)
    by_stream: list[list[FrameRecord]] = [[] for _ in range(streams)]
    for record in records:
        by_stream[record.stream].append(record)
    for of_stream in by_stream:
        _find(sorted(of_stream, key=lambda record: record.frame), gaps)
    gaps.finish(end_us)
    part = gaps.part()
    return {**part, "attempts": None, "each": [{**one, "attempts": None} for one in part["each"]]}


def _find(records: Sequence[FrameRecord], gaps: Outages) -> None:
    gap: Outage | None = None
    before_us = 0
    for record in records:
        if record.outcome is Outcome.SOURCE_ERROR and record.reason == NO_SIGNAL:
            if gap is None:
                gap = gaps.begin(record.stream, before_us)
                gap.failed("not known: the run was killed")
            gap.frames += 1
        elif gap is not None:
            gaps.end(gap, record.scheduled)
            gap = None
        before_us = record.scheduled
