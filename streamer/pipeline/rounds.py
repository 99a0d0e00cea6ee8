"""A run in rounds: between them its time stands still, and other runs use the same machine.

Each round goes on where the source was. Its frames are due as the schedule says, moved as a whole: the first is due a
period after the engine has been warmed up again, as if a frame had come before it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Protocol

from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage

LEAST_LEAD_US, MOST_LEAD_US = 20_000, 1_000_000
"""The limits of the time between warming up and the first frame of a round."""


class Rounds(Protocol):
    """Decides when a run goes on. Runs of one ``study`` take turns; its name is unique."""

    study: str

    def begins(self, frame: int) -> bool:
        """Whether a round begins with this frame."""
        ...

    def wait(self) -> bool:
        """Blocks until the next round may begin; False ends the run."""
        ...


class Intermission:
    """Holds a run between its rounds.

    ``rate`` is the frames a second that are due, None in a closed loop. ``warm`` warms the engine up. Within the
    context ``aside`` nothing counts as the run's own. ``started`` has each round's first frame, and when that was
    due, in microseconds of the run.
    """

    def __init__(
        self,
        rounds: Rounds,
        rate: Fraction | None,
        time: RunTime,
        warm: Callable[[], None],
        aside: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.study = rounds.study
        self._rounds = rounds
        self._lead_us = 0 if rate is None else min(max(round(1_000_000 / rate), LEAST_LEAD_US), MOST_LEAD_US)
        self._time = time
        self._warm = warm
        self._aside = aside
        self.started: list[tuple[int, int]] = []

    def before(self, frame: int) -> bool:
        """Whether the run is held before this frame."""
        return self._rounds.begins(frame)

    async def hold(self, frame: int) -> int | None:
        """Holds the run; returns when its next ``frame`` is due, None when the run ends.

        The event loop is blocked on purpose: a process that waits for its turn must do nothing.
        """
        with self._time.standing_still(), self._aside():
            if not self._rounds.wait():
                return None
            await self._time.run(self._warm, Stage.ENGINE)
        start_us = self._time.now_us() + self._lead_us
        self.started.append((frame, start_us))
        return start_us
