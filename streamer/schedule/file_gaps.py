"""Gaps in the times of a file: long intervals, in which a run at these times waits, unless they are skipped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class FileGap:
    """An interval of ``us`` microseconds before ``frame``; ``usual_us`` is the one to which it can be closed."""

    frame: int
    us: int
    usual_us: int

    @property
    def excess_us(self) -> int:
        """How much longer than a usual interval it is, in microseconds."""
        return max(0, self.us - self.usual_us)


@dataclass(frozen=True)
class FileGaps:
    """The gaps of a file in the order of their frames; ``skipped``: frames are due as if there were none.

    A file that is looped starts again after ``loops_after`` frames (None: it is not). A gap between its end and its
    beginning has that number as its frame.
    """

    gaps: tuple[FileGap, ...]
    loops_after: int | None = None
    skipped: bool = False

    def skipped_us(self, index: int) -> int:
        """How much sooner frame ``index`` is due than by the file's times, in microseconds."""
        return self.excess_us(index) if self.skipped else 0

    def excess_us(self, index: int) -> int:
        """How much longer than usual intervals all gaps up to frame ``index`` are together, in microseconds."""
        rounds, within = self._place(index)
        return rounds * self._excess_us[-1] + self._excess_us[bisect_right(self._frames, within)]

    def before(self, index: int) -> FileGap | None:
        """The gap right before frame ``index``; None where there is none, or it is skipped."""
        rounds, within = self._place(index)
        frame = self.loops_after if rounds and not within else within
        found = bisect_right(self._frames, frame) - 1 if frame else -1
        return None if self.skipped or found < 0 or self._frames[found] != frame else self.gaps[found]

    def _place(self, index: int) -> tuple[int, int]:
        return (0, index) if self.loops_after is None else divmod(index, self.loops_after)

    @cached_property
    def _frames(self) -> list[int]:
        return [gap.frame for gap in self.gaps]

    @cached_property
    def _excess_us(self) -> list[int]:
        """The sum of the excess of the first n gaps, by n."""
        return list(accumulate((gap.excess_us for gap in self.gaps), initial=0))


def in_words(gaps: Sequence[tuple[int, float]]) -> str:
    """One or more gaps in words; each is the frame after it and its seconds."""
    frame, first_s = gaps[0]
    if len(gaps) == 1:
        return f"a gap of {how_long(first_s)} after frame {frame - 1}"
    total_s = sum(seconds for _, seconds in gaps)
    return f"{len(gaps)} gaps, {how_long(total_s)} in all, the first {how_long(first_s)} after frame {frame - 1}"


def how_long(seconds: float) -> str:
    """Seconds in words; from an hour on with the hours."""
    return f"{seconds:.1f} s" if seconds < HOUR_S else f"{seconds:,.0f} s ({seconds / HOUR_S:.1f} h)"
