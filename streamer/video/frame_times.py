"""The presentation times of a video file's frames."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction


class Schedule:
    """The time of each promised frame, exact and compact: in the file's own ticks of ``time_base`` seconds."""

    def __init__(self, ticks: Sequence[int], time_base: Fraction) -> None:
        self._ticks = array("q", ticks)
        self.time_base = time_base

    def __len__(self) -> int:
        return len(self._ticks)

    def pts(self, index: int) -> Fraction:
        """The time of frame ``index`` in seconds since frame 0."""
        return (self._ticks[index] - self._ticks[0]) * self.time_base

    @property
    def ticks(self) -> Sequence[int]:
        """The file's own ticks of all frames."""
        return self._ticks

    def tick(self, index: int) -> int:
        """The file's own tick of frame ``index``."""
        return self._ticks[index]

    def place_of(self, tick: int) -> int:
        """The index that a frame at ``tick`` would have."""
        return bisect_left(self._ticks, tick)

    def insert(self, index: int, period: int, tick: int | None = None) -> None:
        """Inserts a frame as number ``index``, shown at ``tick``; the later ones move up.

        Without a tick it is shown halfway to the next frame, or at the end ``period`` ticks after the last. Where no
        tick is free there, the times of the later frames move up, too.
        """
        before = self._ticks[index - 1] if index else self._ticks[0] - period if self._ticks else -period
        if tick is not None:
            self._ticks.insert(index, tick)
        elif index == len(self._ticks):
            self._ticks.append(before + period)
        elif self._ticks[index] - before > 1:
            self._ticks.insert(index, (before + self._ticks[index]) // 2)
        else:
            self._ticks.append(self._ticks[-1] + period)

    def remove(self, index: int) -> None:
        """Removes an entry that turned out to be no frame; the later ones move down."""
        del self._ticks[index]

    def index_of(self, tick: int) -> int | None:
        """The index of the frame at the file's own ``tick``; None where no frame has that tick."""
        index = bisect_left(self._ticks, tick)
        return index if index < len(self._ticks) and self._ticks[index] == tick else None
