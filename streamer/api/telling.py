"""The progress of a study that counts, for the caller's observer."""

from __future__ import annotations

from streamer.api.progress import Observer, Progress
from streamer.workers.clock import MonotonicClock
from streamer.workers.stopping import Stop

EVERY_US = 500_000
"""The least time between two calls of the observer for the same work."""


class Telling:
    """Calls ``observer`` with the progress of a study: about twice a second, and when ``doing`` changes."""

    def __init__(self, observer: Observer | None, stop: Stop, unit: str) -> None:
        self._observer = observer
        self._stop = stop
        self._unit = unit
        self._now_us = MonotonicClock().now_us
        self._reported_us = 0
        self._doing = ""

    def check(self) -> None:
        """Raises Interrupted when the study is to end."""
        self._stop.check()

    def under_way(self, doing: str, done: int, total: int) -> None:
        """Reports work that goes on, ``done`` of ``total``. Raises Interrupted when the study is to end."""
        self._stop.check()
        if doing != self._doing or self._now_us() - self._reported_us >= EVERY_US:
            self.done(doing, done, total)

    def done(self, doing: str, done: int, total: int) -> None:
        """Reports a part that is done, however soon after the last report."""
        self._doing, self._reported_us = doing, self._now_us()
        if self._observer is not None:
            self._observer(Progress(doing=doing, done=done, total=total, unit=self._unit))
