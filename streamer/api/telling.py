"""How a study that counts what it has done tells the caller's observer."""

from __future__ import annotations

from streamer.api.progress import Observer, Progress
from streamer.workers.clock import MonotonicClock
from streamer.workers.stopping import Stop

EVERY_US = 500_000


class Telling:
    """Tells ``observer`` how far a study is: about twice a second, and when it turns to something else."""

    def __init__(self, observer: Observer | None, stop: Stop, unit: str) -> None:
        self._observer = observer
        self._stop = stop
        self._unit = unit
        self._now_us = MonotonicClock().now_us
        self._told_us = 0
        self._doing = ""

    def check(self) -> None:
        """Raises Interrupted when it has been asked to end."""
        self._stop.check()

    def under_way(self, doing: str, done: int, total: int) -> None:
        """It is at this. Raises Interrupted when it has been asked to end."""
        self._stop.check()
        if doing != self._doing or self._now_us() - self._told_us >= EVERY_US:
            self.done(doing, done, total)

    def done(self, doing: str, done: int, total: int) -> None:
        """A part of it is done, and to be told however soon it comes."""
        self._doing, self._told_us = doing, self._now_us()
        if self._observer is not None:
            self._observer(Progress(doing=doing, done=done, total=total, unit=self._unit))
