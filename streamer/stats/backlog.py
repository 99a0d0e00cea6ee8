"""Whether a run keeps up: the least latency of a stretch is the delay that a backlog adds to each of its frames.

After CoDel (Nichols and Jacobson, 2012), which distinguishes a standing queue from one that empties by its least
delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from streamer.ledger.record import FrameRecord, Outcome

SLICES = 64
"""The most least latencies kept for a stream: memory does not grow with the run."""
PARTS = 16
"""The number of parts of equal length that are compared, up to the last frame delivered."""
FEWEST = 4
"""The least number of parts; in a short run a part is a frame."""
SURE = 4
"""A backlog grows when its mean change from part to part is above 0 by more than this many standard errors."""
MOST_SHARE = Fraction(1, 20)
"""The largest accepted standing backlog, as a share of the time in which frames were due."""


class Backlog:
    """A watcher of whether a run falls behind; a run in ``rounds`` is assessed by its last one.

    ``rounds`` has each one's first frame, and when that was due, in microseconds.
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
        self._begin_round()
        if record.outcome is Outcome.DELIVERED and record.latency is not None and record.frame >= self._first:
            slices = self._streams.setdefault(record.stream, _Slices())
            slices.add(record.frame - self._first, record.scheduled, record.latency)

    def _begin_round(self) -> None:
        first = self.rounds[-1][0] if self.rounds else 0
        if first != self._first:
            self._first = first
            self._streams.clear()

    def behind_us(self, rates: Sequence[Fraction]) -> int | None:
        """The backlog of the stream that is furthest behind its rate, in microseconds; None when none is behind.

        ``rates`` are those of the streams, in frames a second.
        """
        self._begin_round()  # a run may be stopped before a frame of its last round has closed
        found = [slices.behind_us(rates[stream]) for stream, slices in self._streams.items()]
        return max((us for us in found if us is not None), default=None)


class _Slices:
    """The least latencies of a stream's stretches of ``_width`` frames each, a power of two."""

    def __init__(self) -> None:
        self._width = 1
        self._least: list[int | None] = []
        self._due: tuple[int, int] | None = None

    def add(self, index: int, due_us: int, latency_us: int) -> None:
        """Takes frame ``index``, which was delivered."""
        while index >= SLICES * self._width:
            self._least = [_least(self._least[at : at + 2]) for at in range(0, len(self._least), 2)]
            self._width *= 2
        at = index // self._width
        self._least.extend([None] * (at + 1 - len(self._least)))
        self._least[at] = _least([self._least[at], latency_us])
        first, last = self._due or (due_us, due_us)
        self._due = min(first, due_us), max(last, due_us)

    def behind_us(self, rate: Fraction) -> int | None:
        """The backlog at the end in microseconds, if it grows, or stands and is large; None otherwise.

        A part's backlog is its least latency less the stream's. A backlog counts only if it ends above a frame
        period. It grows when its mean change from part to part is significantly above 0, over the whole run or its
        last half; the backlog after a single delay shrinks instead. It stands when it is above a frame period from
        the first quarter on.
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
        """The backlog of each part in microseconds; none where too few frames were delivered."""
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
    """Whether the mean of the changes exceeds SURE times its standard error; in integers, so that it is exact."""
    changes = [after - before for before, after in pairwise(values)]
    n, total, squares = len(changes), sum(changes), sum(change * change for change in changes)
    return total > 0 and total * total * (n - 1) > SURE * SURE * (n * squares - total * total)


def _least(values: Sequence[int | None]) -> int | None:
    return min((value for value in values if value is not None), default=None)
