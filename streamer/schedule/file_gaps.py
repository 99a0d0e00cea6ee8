"""Gaps in the times of a file: intervals so long that a run at its times only waits, unless they are skipped."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class FileGap:
    """The interval before ``frame`` is ``us`` microseconds; ``usual_us`` is the one to which it can be closed."""

    frame: int
    us: int
    usual_us: int

    @property
    def excess_us(self) -> int:
        """By how much it is longer than a usual one."""
        return max(0, self.us - self.usual_us)


@dataclass(frozen=True)
class FileGaps:
    """The gaps of a file in the order of their frames; ``skipped`` says that frames are due as if there were none.

    A file that starts again does so after ``loops_after`` frames (None: it does not), which is the frame of a gap
    between its end and its beginning.
    """

    gaps: tuple[FileGap, ...]
    loops_after: int | None = None
    skipped: bool = False

    def skipped_us(self, index: int) -> int:
        """How much sooner frame ``index`` is due than by the file's times."""
        return self.excess_us(index) if self.skipped else 0

    def excess_us(self, index: int) -> int:
        """By how much all gaps up to frame ``index`` are longer than usual intervals."""
        rounds, within = self._place(index)
        return rounds * self._excess_us[-1] + self._excess_us[bisect_right(self._frames, within)]

    def before(self, index: int) -> FileGap | None:
        """The gap that frame ``index`` is waited for; None where there is none, or it is skipped."""
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
        """The sums of the first so many gaps."""
        return list(accumulate((gap.excess_us for gap in self.gaps), initial=0))


def in_words(gaps: Sequence[tuple[int, float]]) -> str:
    """One or more gaps, each by the frame after it and its seconds."""
    frame, first_s = gaps[0]
    if len(gaps) == 1:
        return f"a gap of {how_long(first_s)} after frame {frame - 1}"
    total_s = sum(seconds for _, seconds in gaps)
    return f"{len(gaps)} gaps, {how_long(total_s)} in all, the first {how_long(first_s)} after frame {frame - 1}"


def how_long(seconds: float) -> str:
    """Seconds in words; of many also how many hours they are."""
    return f"{seconds:.1f} s" if seconds < HOUR_S else f"{seconds:,.0f} s ({seconds / HOUR_S:.1f} h)"
