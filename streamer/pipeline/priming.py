"""Priming: throw-away inferences in the idle gap before a frame is due.

An inference after a pause costs 10 to 40 % more than one right behind another: caches, threads and clocks have gone
cold. One throw-away inference is too little to mend that, and is itself slow; so as many are run as fit into the
last stretch before the frame, and they end about a millisecond before it. How long they take is learnt on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MARGIN_US = 1_000
"""The last one is to end so long before the frame is due."""
WAKING_US = 200
"""What passes from the instant planned to the first one's beginning."""
WINDOW_US = 20_000
"""The stretch that is filled, at least; more where few inferences fit into it."""
LEAST_IN_WINDOW = 6
"""The stretch holds so many warm inferences, if the gap allows: fewer than three or four warm up little."""
COLD_GUESS = 1.5
"""The first cold inference is taken for so many times a warm one."""
CARE = 12.0
"""The plan keeps so many mean deviations in reserve at first."""
LEAST_CARE, MOST_CARE = 4.0, 32.0
MORE_CARE, LESS_CARE = 1.5, 0.999
"""The factors after a frame that was delayed, and after one that was not: in the long run one in 400 is delayed."""


@dataclass(frozen=True, slots=True)
class Prime:
    """An idle request is to be kept warm for the frame due at ``due_us``."""

    due_us: int


class RunningFigure:
    """Mean and mean deviation of recent durations, in microseconds: RFC 6298's smoothing."""

    def __init__(self, first_us: float) -> None:
        self.mean = first_us
        self.deviation = first_us / 8

    def learn(self, us: int) -> None:
        """One more duration; one that is held up counts as twice the mean at most."""
        us = min(us, round(2 * self.mean))
        self.deviation += (abs(us - self.mean) - self.deviation) / 8
        self.mean += (us - self.mean) / 8


@dataclass(slots=True)
class PrimingTally:
    """What priming did: throw-away inferences, frames primed, frames for which there was no room, and its costs.

    ``cpu_s`` is the CPU time that the whole process took meanwhile; ``delayed`` counts real frames that fell due
    before the last throw-away inference had ended, by ``most_delay_us`` at most.
    """

    inferences: int = 0
    primed: int = 0
    no_room: int = 0
    delayed: int = 0
    most_delay_us: int = 0
    cpu_s: float = 0.0


class Primer:
    """Plans and runs the throw-away inferences of one engine; ``warm_us`` is what an inference takes in a row.

    ``stamp`` reads the run's time, on the worker.
    """

    def __init__(self, warm_us: float, stamp: Callable[[], int]) -> None:
        self._warm = RunningFigure(warm_us)
        self._cold = RunningFigure(COLD_GUESS * warm_us)
        self._care = CARE
        self._stamp = stamp
        self.tally = PrimingTally()

    def begin_us(self, due_us: int, now_us: int) -> int | None:
        """When to begin, so that as many as fit end before the frame due at ``due_us``; None when not one fits."""
        end = due_us - MARGIN_US - WAKING_US - self._reserve_us
        window = max(WINDOW_US, LEAST_IN_WINDOW * self._warm.mean)
        room = min(window, end - now_us) - self._cold.mean
        if room < 0:
            return None
        more = int(room // self._warm.mean)
        # Rounded down: half a microsecond late, and the last one would not be run.
        return int(end - self._cold.mean - more * self._warm.mean)

    def latest_us(self, due_us: int) -> int:
        """After this there is no room any more before the frame due at ``due_us``."""
        return int(due_us - MARGIN_US - self._cold.mean)

    @property
    def _reserve_us(self) -> float:
        return self._care * self._warm.deviation

    def prime(self, infer: Callable[[], object], due_us: int) -> None:
        """Infers again and again, while one more ends before the frame due at ``due_us`` as far as can be told."""
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
