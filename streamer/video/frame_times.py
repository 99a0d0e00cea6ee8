"""When each frame of a video file is shown."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction


class Schedule:
    """When each promised frame is shown: exact, and compact, being the file's own ticks."""

    def __init__(self, ticks: Sequence[int], time_base: Fraction) -> None:
        self._ticks = array("q", ticks)
        self.time_base = time_base

    def __len__(self) -> int:
        return len(self._ticks)

    def pts(self, index: int) -> Fraction:
        """The time of frame ``index`` in seconds since frame 0."""
        return (self._ticks[index] - self._ticks[0]) * self.time_base

    def tick(self, index: int) -> int:
        """The file's own tick of frame ``index``."""
        return self._ticks[index]

    def insert(self, tick: int) -> int:
        """Makes room for a frame that is shown at ``tick``; those after it move up. Gives its number."""
        index = bisect_left(self._ticks, tick)
        self._ticks.insert(index, tick)
        return index

    def insert_before(self, index: int, period: int) -> int:
        """Makes room for a frame before frame ``index``, or at the end ``period`` ticks after the last.

        Where no tick is free before frame ``index``, it takes that one's, and those after it move on.
        """
        before = self._ticks[index - 1] if index else -period
        if index == len(self._ticks):
            self._ticks.append(before + period)
        elif self._ticks[index] - before > 1:
            self._ticks.insert(index, (before + self._ticks[index]) // 2)
        return index

    def remove(self, index: int) -> None:
        """Takes out what turned out to be no frame; those after it move up."""
        del self._ticks[index]

    def index_of(self, tick: int) -> int | None:
        """Which frame the file shows at its own ``tick``; None for a tick that no frame has."""
        index = bisect_left(self._ticks, tick)
        return index if index < len(self._ticks) and self._ticks[index] == tick else None
