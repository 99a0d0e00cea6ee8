"""Priming: throw-away inferences in the idle time before a frame is due.

An inference after a pause costs 10 to 40 % more than one right behind another: caches, threads and clocks have gone
cold. One throw-away inference is too little to mend that, and is itself slow. So as many are run as fit into the last
stretch before the frame, and they end about a millisecond before it. Their duration is learned on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MARGIN_US = 1_000
"""The last throw-away inference must end so long before the frame is due."""
WAKING_US = 200
"""The delay from the planned instant to the begin of the first one."""
WINDOW_US = 20_000
"""The stretch that is filled; it is longer where few inferences would fit into it."""
LEAST_IN_WINDOW = 6
"""The stretch holds so many warm inferences, if the gap has room: fewer than three or four warm up little."""
COLD_GUESS = 1.5
"""The assumed duration of the first cold inference, in warm ones."""
CARE = 12.0
"""The mean deviations that the plan keeps in reserve at first."""
LEAST_CARE, MOST_CARE = 4.0, 32.0
MORE_CARE, LESS_CARE = 1.5, 0.999
"""The factors of the reserve after a frame that was delayed, and after one that was not.

In the long run one frame in 400 is delayed: ln(1.5) / -ln(0.999) = 405.
"""


@dataclass(frozen=True, slots=True)
class Prime:
    """The job of keeping an idle request warm for the frame due at ``due_us`` of the run."""

    due_us: int


class RunningFigure:
    """The mean and the mean deviation of recent durations, in microseconds, smoothed as in RFC 6298."""

    def __init__(self, first_us: float) -> None:
        self.mean = first_us
        self.deviation = first_us / 8

    def learn(self, us: int) -> None:
        """Adds a duration, which counts as twice the mean at most: it may have been held up."""
        us = min(us, round(2 * self.mean))
        self.deviation += (abs(us - self.mean) - self.deviation) / 8
        self.mean += (us - self.mean) / 8


@dataclass(slots=True)
class PrimingTally:
    """The work of priming: throw-away inferences, frames primed, frames for which there was no room, and its costs.

    ``cpu_s`` is the CPU time of the whole process meanwhile. ``delayed`` counts real frames that fell due before the
    last throw-away inference had ended, by ``most_delay_us`` at most.
    """

    inferences: int = 0
    primed: int = 0
    no_room: int = 0
    delayed: int = 0
    most_delay_us: int = 0
    cpu_s: float = 0.0


class Primer:
    """Plans and runs the throw-away inferences of one engine; ``warm_us`` is the duration of one in a row.

    ``stamp`` reads the run's time in microseconds, on the worker.
    """

    def __init__(self, warm_us: float, stamp: Callable[[], int]) -> None:
        self._warm = RunningFigure(warm_us)
        self._cold = RunningFigure(COLD_GUESS * warm_us)
        self._care = CARE
        self._stamp = stamp
        self.tally = PrimingTally()

    def begin_us(self, due_us: int, now_us: int) -> int | None:
        """When to begin so that as many as fit end before the frame due at ``due_us``; None when not one fits."""
        end = due_us - MARGIN_US - WAKING_US - self._reserve_us
        window = max(WINDOW_US, LEAST_IN_WINDOW * self._warm.mean)
        room = min(window, end - now_us) - self._cold.mean
        if room < 0:
            return None
        more = int(room // self._warm.mean)
        # Rounded down: half a microsecond late, and the last one would not be run.
        return int(end - self._cold.mean - more * self._warm.mean)

    def latest_us(self, due_us: int) -> int:
        """The instant after which there is no room before the frame due at ``due_us``."""
        return int(due_us - MARGIN_US - self._cold.mean)

    @property
    def _reserve_us(self) -> float:
        return self._care * self._warm.deviation

    def prime(self, infer: Callable[[], object], due_us: int) -> None:
        """Infers as long as one more is expected to end before the frame due at ``due_us``. Blocks."""
        cpu, begun = time.process_time(), self._stamp()
        # Those before it may have used up half of the reserve; the last one keeps the other half.
        end = due_us - MARGIN_US - self._reserve_us / 2
        figure, inferences = self._cold, 0
        while begun + figure.mean <= end:
            infer()
            now = self._stamp()
            figure.learn(now - begun)
            figure, begun = self._warm, now
            inferences += 1
        self.tally.cpu_s += time.process_time() - cpu
        if inferences:
            self._account(inferences, begun - due_us)
        else:
            self.tally.no_room += 1

    def _account(self, inferences: int, delay_us: int) -> None:
        delayed = delay_us > 0
        self._care *= MORE_CARE if delayed else LESS_CARE
        self._care = min(max(self._care, LEAST_CARE), MOST_CARE)
        self.tally.inferences += inferences
        self.tally.primed += 1
        self.tally.delayed += delayed
        self.tally.most_delay_us = max(self.tally.most_delay_us, delay_us)
