"""Does a run keep up? The least latency of a stretch is what a backlog adds to each of its frames.

After CoDel (Nichols and Jacobson, 2012), which tells a queue that stands from one that empties by its least delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from streamer.ledger.record import FrameRecord, Outcome

SLICES = 64
"""Least latencies that are kept of a stream at most: memory does not grow with the run."""
PARTS = 16
"""Parts of equal length that are compared, up to the last frame delivered."""
FEWEST = 4
"""Parts that it takes; in a short run a part is a frame."""
SURE = 4
"""Times its standard error that a backlog's mean change from part to part is over nothing when it grows."""
MOST_SHARE = Fraction(1, 20)
"""Of the time in which frames were due, a backlog that stands may be so much."""


class Backlog:
    """A watcher that tells whether a run falls behind; of a run in ``rounds`` the last one is looked at.

    ``rounds`` has each one's first frame, and when that was due.
    """

    def __init__(self, rounds: Sequence[tuple[int, int]] = ()) -> None:
        self.rounds = rounds
        self._first = 0
        self._streams: dict[int, _Slices] = {}

    def opened(self, record: FrameRecord) -> None:
        pass

    def detected(self, record: FrameRecord) -> None:
        pass

    def closed(self, record: FrameRecord) -> None:
        first = self.rounds[-1][0] if self.rounds else 0
        if first != self._first:
            self._first = first
            self._streams.clear()
        if record.outcome is Outcome.DELIVERED and record.latency is not None and record.frame >= first:
            slices = self._streams.setdefault(record.stream, _Slices())
            slices.add(record.frame - first, record.scheduled, record.latency)

    def behind_us(self, rates: Sequence[Fraction]) -> int | None:
        """By how much the stream that is the furthest behind fell behind its rate, in microseconds; None: none did.

        ``rates`` are those of the streams, in frames a second.
        """
        found = [slices.behind_us(rates[stream]) for stream, slices in self._streams.items()]
        return max((us for us in found if us is not None), default=None)


class _Slices:
    """The least latencies of a stream's stretches of ``_width`` frames each, a power of two."""

    def __init__(self) -> None:
        self._width = 1
        self._least: list[int | None] = []
        self._due: tuple[int, int] | None = None

    def add(self, index: int, due_us: int, latency_us: int) -> None:
        """Frame ``index`` was delivered."""
        while index >= SLICES * self._width:
            self._least = [_least(self._least[at : at + 2]) for at in range(0, len(self._least), 2)]
            self._width *= 2
        at = index // self._width
        self._least.extend([None] * (at + 1 - len(self._least)))
        self._least[at] = _least([self._least[at], latency_us])
        first, last = self._due or (due_us, due_us)
        self._due = min(first, due_us), max(last, due_us)

    def behind_us(self, rate: Fraction) -> int | None:
        """The backlog at the end, if it is over a frame period and grows, or stands and is large; None if neither.

        A part's backlog is its least latency less the stream's. It grows where its changes from part to part are far
        more up than down, over the whole run or the last half of it: what is left of a hiccup becomes less. It
        stands where it is over a frame period from the first quarter on.
        """
        backlogs = self._backlogs()
        if not backlogs or self._due is None:
            return None
        last, most = backlogs[-1], backlogs[len(backlogs) // 4 :]
        period_us = 1_000_000 / rate
        if last <= period_us:
            return None
        grows = len(backlogs) == PARTS and (_grows(backlogs) or _grows(backlogs[PARTS // 2 - 1 :]))
        stands = min(most) > period_us and last > MOST_SHARE * (self._due[1] - self._due[0])
        return last if grows or stands else None

    def _backlogs(self) -> list[int]:
        """Of each part up to the last frame delivered; none where too few frames were delivered to tell."""
        parts = min(PARTS, len(self._least))
        if parts < FEWEST:
            return []
        length = len(self._least) // parts
        start = len(self._least) - parts * length
        least = [_least(self._least[at : at + length]) for at in range(start, len(self._least), length)]
        whole = _least(self._least)
        found = [one - whole for one in least if one is not None and whole is not None]
        return found if len(found) == parts else []


def _grows(values: Sequence[int]) -> bool:
    """The mean of the changes exceeds its standard error SURE times; in integers, so that it is exact."""
    changes = [after - before for before, after in pairwise(values)]
    n, total, squares = len(changes), sum(changes), sum(change * change for change in changes)
    return total > 0 and total * total * (n - 1) > SURE * SURE * (n * squares - total * total)


def _least(values: Sequence[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)
