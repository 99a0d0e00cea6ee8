"""When each frame is due, as a pure function of its number and its presentation time.

Due instants are absolute: they count from one origin, never from the frame before, so that a late frame moves none of
the others (MLPerf LoadGen's rule).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from streamer.errors import UsageError
from streamer.schedule.arrivals import Arrivals
from streamer.schedule.file_gaps import FileGaps

MOST_DENOMINATOR = 10_000
MOST_FPS = 10_000
"""Numerator and denominator of a rate have 31 bits in a video file."""

Pace = Fraction | Literal["source", "max"]
"""Frames per second, ``source`` for the source's own timestamps, ``max`` for a closed loop."""


def parse_fps(text: str) -> Pace:
    """The pace of ``--fps``: ``source``, ``max``, or a number as in 30, 29.97 or 30000/1001.

    Decimals stand for the simplest fraction within reach (23.976023976 is 24000/1001), which video files can hold.
    Raises UsageError for anything else, and for rates of zero or less.
    """
    if text == "source":
        return "source"
    if text == "max":
        return "max"
    try:
        rate = Fraction(text).limit_denominator(MOST_DENOMINATOR)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= MOST_FPS:
        raise UsageError(
            f"--fps {text}: give 'source', 'max' or frames per second above 0 (up to {MOST_FPS}), as in 30 or 29.97"
        )
    return rate


@dataclass(frozen=True, slots=True)
class Schedule:
    """Due instants at a ``pace``, for a source whose nominal rate is ``nominal`` frames per second.

    ``arrivals`` are simulated arrivals, later than the frames were captured. ``gaps`` are those in the times by which
    frames are due; None: there are none, or these times do not count. ``phase_us`` is how much later than the origin
    the stream begins: several cameras do not capture their frames at the same instants. ``whole_us`` rounds the times
    in the annotated video to microseconds, for a source whose ticks are so fine that an MP4 could not hold its gaps.
    """

    pace: Pace
    nominal: Fraction
    arrivals: Arrivals | None = None
    phase_us: int = 0
    gaps: FileGaps | None = None
    whole_us: bool = False

    @property
    def closed_loop(self) -> bool:
        """Whether nothing is due: each frame starts when a request is free."""
        return self.pace == "max"

    @property
    def foretold(self) -> bool:
        """Whether due instants are known ahead, as with a camera's beat: no camera announces simulated arrivals."""
        return self.arrivals is None

    @property
    def rate(self) -> Fraction:
        """Nominal frames per second of the run; the source's own with ``source`` and ``max``."""
        return self.pace if isinstance(self.pace, Fraction) else self.nominal

    def media_time(self, index: int, pts: Fraction) -> Fraction:
        """The time of frame ``index`` in the annotated video, in seconds."""
        if isinstance(self.pace, Fraction):
            return index / self.pace
        if not self._in_whole_us:
            return pts
        # Whole microseconds: frames.csv has no finer times, and so has the exact instant of each frame.
        skipped_us = 0 if self.gaps is None else self.gaps.skipped_us(index)
        return Fraction(round(pts * 1_000_000) - skipped_us, 1_000_000)

    def video_tick(self, time_base: Fraction) -> Fraction:
        """The tick, in seconds, of which each `media_time` is a multiple; ``time_base`` is the source's."""
        if isinstance(self.pace, Fraction):
            return 1 / self.pace
        return Fraction(1, 1_000_000) if self._in_whole_us else time_base

    @property
    def _in_whole_us(self) -> bool:
        return self.whole_us or (self.gaps is not None and self.gaps.skipped)

    def due_us(self, index: int, pts: Fraction) -> int | None:
        """When frame ``index`` is due, in whole microseconds from the origin, to the nearest; None past the last."""
        captured_us = round(self.media_time(index, pts) * 1_000_000)
        due_us = captured_us if self.arrivals is None else self.arrivals.due_us(index, captured_us)
        return None if due_us is None else due_us + self.phase_us


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run ends: after so many frames, microseconds of its schedule, or frames delivered; None: no limit."""

    frames: int | None = None
    duration_us: int | None = None
    delivered: int | None = None

    def reached(self, index: int, instant_us: int) -> bool:
        """Whether frame ``index``, due at ``instant_us``, is no longer part of the run."""
        return (self.frames is not None and index >= self.frames) or (
            self.duration_us is not None and instant_us >= self.duration_us
        )
