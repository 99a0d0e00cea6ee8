"""A source whose frame times repeat or jump back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from streamer.faults.kinds import Kind
from streamer.faults.trigger import Trigger
from streamer.frame import Frame
from streamer.sources.base import Source, Unreadable

TROUBLE = {Kind.DUPLICATE_PTS: "are repeated", Kind.BACKWARD_PTS: "jump back"}
"""How a doubt describes the frame times, by kind."""


class BrokenTimes:
    """A file with such times, as streamer plays it: at the frame rate, with a doubt.

    ``due_us`` is the schedule: when a frame is due, in microseconds of the run, from its number and its time.
    """

    def __init__(self, source: Source, due_us: Callable[[int, Fraction], int | None], trigger: Trigger) -> None:
        self._source = source
        self._due_us = due_us
        self._trigger = trigger
        rate = source.info.rate
        self.info = replace(source.info, time_base=Fraction(1, rate.numerator))
        self._doubt = (
            f"frame times {TROUBLE[trigger.fault.kind]}: the frame rate of {float(rate):g} is used instead "
            f"({trigger.fault.name})"
        )

    @property
    def doubts(self) -> list[str]:
        return [*self._source.doubts, self._doubt]

    def read(self) -> Frame | Unreadable | None:
        item = self._source.read()
        if item is None:
            return None
        pts = item.index / self.info.rate
        self._trigger.fires(item.index, self._due_us(item.index, pts) or 0)
        return replace(item, pts=pts)

    def pts(self, index: int) -> Fraction | None:
        return None if self._source.pts(index) is None else index / self.info.rate

    def close(self) -> None:
        self._source.close()
