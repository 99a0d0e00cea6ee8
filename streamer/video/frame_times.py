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

    def remove(self, index: int) -> None:
        """Takes out what turned out to be no frame; those after it move up."""
        del self._ticks[index]

    def index_of(self, tick: int) -> int | None:
        """Which frame the file shows at its own ``tick``; None for a tick that no frame has."""
        index = bisect_left(self._ticks, tick)
        return index if index < len(self._ticks) and self._ticks[index] == tick else None
