"""Outages: while a live source gives no signal, each tick of its nominal rate that passes is a row of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from streamer.ledger.record import FrameRecord, Outcome

NO_SIGNAL = "no_signal"
"""The reason of a frame that never came."""
MOST_LISTED = 1_000
"""Outages that are listed one by one. Memory must not grow with a cable that is loose for days."""


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

    Times are microseconds of the run. ``frames`` counts the ticks in it, ``attempts`` those to connect anew.
    ``why`` has what went wrong, each reason once.
    """

    stream: int
    begin_us: int
    end_us: int | None = None
    frames: int = 0
    attempts: int = 0
    why: list[str] = field(default_factory=list)

    def failed(self, why: str) -> None:
        """Notes why the source gives nothing, or could not be connected."""
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
    """The outages of a run. One in which no frame was missed does not count.

    After ``give_up_us`` without a frame the run ends; None: a lost source is not connected anew.
    """

    def __init__(self, give_up_us: int | None) -> None:
        self.give_up_us = give_up_us
        self._listed: list[Outage] = []
        self._open: list[Outage] = []
        self._count = 0
        self._frames = 0
        self._attempts = 0
        self._total_us = self._longest_us = 0

    def begin(self, stream: int, us: int) -> Outage:
        """Begins an outage of ``stream``: its last frame came at ``us``."""
        outage = Outage(stream, us)
        self._count += 1
        self._open.append(outage)
        if len(self._listed) < MOST_LISTED:
            self._listed.append(outage)
        return outage

    def end(self, outage: Outage, us: int) -> None:
        """Ends it: a frame has come at ``us``."""
        outage.end_us = us
        self._close(outage, us)

    def finish(self, us: int) -> None:
        """Ends those that are open, with the run, at ``us``."""
        for outage in list(self._open):
            self._close(outage, us)

    def part(self) -> OutagesPart:
        """As the manifest holds them."""
        return {
            "count": self._count,
            "total_s": self._total_us / 1_000_000,
            "longest_s": self._longest_us / 1_000_000,
            "frames": self._frames,
            "attempts": self._attempts,
            "each": [outage.as_dict() for outage in self._listed],
        }

    def _close(self, outage: Outage, us: int) -> None:
        self._open.remove(outage)
        if not outage.frames:  # nothing was missed, as when the run ends before the next tick
            self._count -= 1
            if outage in self._listed:
                self._listed.remove(outage)
            return
        self._frames += outage.frames
        self._attempts += outage.attempts
        self._total_us += us - outage.begin_us
        self._longest_us = max(self._longest_us, us - outage.begin_us)


def outages_in(records: Iterable[FrameRecord], streams: int, end_us: int) -> OutagesPart:
    """The outages of a run that was killed at ``end_us``, from its rows, as the manifest holds them.

    The attempts to connect are not known then.
    """
    outages = Outages(None)
    by_stream: list[list[FrameRecord]] = [[] for _ in range(streams)]
    for record in records:
        by_stream[record.stream].append(record)
    for of_stream in by_stream:
        _find(sorted(of_stream, key=lambda record: record.frame), outages)
    outages.finish(end_us)
    part = outages.part()
    return {**part, "attempts": None, "each": [{**one, "attempts": None} for one in part["each"]]}


def _find(records: Sequence[FrameRecord], outages: Outages) -> None:
    outage: Outage | None = None
    before_us = 0
    for record in records:
        if record.outcome is Outcome.SOURCE_ERROR and record.reason == NO_SIGNAL:
            if outage is None:
                outage = outages.begin(record.stream, before_us)
                outage.failed("not known: the run was killed")
            outage.frames += 1
        elif outage is not None:
            outages.end(outage, record.scheduled)
            outage = None
        before_us = record.scheduled
