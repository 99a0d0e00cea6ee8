"""Age of information: at each camera tick, how old the newest detected frame is.

It is the one figure that dropping frames does not improve. It is a pure function of two columns of the ledger,
computed here during the run, so that nothing is kept for long.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable

SLACK_US = 1_000_000
"""The longest time from a detection's stamp to its report, in microseconds: workers report in any order."""


class AgeMeter:
    """Follows ticks and detections; ``aged`` is called with the age at each tick, in microseconds.

    A tick before the first detection has no age. A frame counts from the instant at which it is detected, inclusive.
    """

    def __init__(self, aged: Callable[[int], None]) -> None:
        self._aged = aged
        self._ticks: deque[int] = deque()
        self._detections: list[tuple[int, int]] = []
        self._newest: int | None = None

    def tick(self, scheduled: int) -> None:
        """Takes the tick of a frame due at ``scheduled``, in microseconds. Ticks come in ascending order."""
        self._ticks.append(scheduled)

    def detected(self, scheduled: int, instant: int) -> None:
        """Takes the detection, at ``instant``, of the frame due at ``scheduled``, both in microseconds."""
        insort(self._detections, (instant, scheduled))
        self._settle(self._detections[-1][0] - SLACK_US)

    def finish(self) -> None:
        """Computes the ages that are left, at the end of the run."""
        self._settle(None)

    def _settle(self, until: int | None) -> None:
        """Computes the age at the ticks before ``until``, or at all that are left for None."""
        while self._ticks and (until is None or self._ticks[0] < until):
            tick = self._ticks.popleft()
            known = 0
            while known < len(self._detections) and self._detections[known][0] <= tick:
                scheduled = self._detections[known][1]
                self._newest = scheduled if self._newest is None else max(self._newest, scheduled)
                known += 1
            del self._detections[:known]
            if self._newest is not None:
                self._aged(tick - self._newest)
