"""The watchdog: gives up work that hangs, so that the run ends with all it has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import anyio

from streamer.errors import EngineError, SinkError, SourceError, StreamerError
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage, UnderWay

ERRORS: dict[Stage, type[StreamerError]] = {
    Stage.SOURCE: SourceError,
    Stage.ENGINE: EngineError,
    Stage.SINK: SinkError,
    Stage.HOUSEKEEPING: SinkError,
}
LOOKS = 5
"""How often it looks within the time that work may take."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A ``stage`` that was stuck, reported ``at_us`` of the run; ``stack`` is where, the innermost call last."""

    stage: Stage
    at_us: int
    stack: list[str]


class Watchdog:
    """Gives up work of these ``stages`` that takes ``stall_us`` or longer; ``stalls`` lists it.

    The caller of the work gets the error of its stage, and the run ends as with any other error of that stage. Work
    counts as hung only when each look meanwhile saw it: a process that was stopped for a while has no hung work.
    """

    def __init__(self, time: RunTime, stall_us: int, stages: Collection[Stage]) -> None:
        self._time = time
        self._stall_us = stall_us
        self._stages = stages
        self.stalls: list[Stall] = []

    async def watch(self) -> None:
        """Watches until it is cancelled."""
        seen: dict[UnderWay, int] = {}
        while True:
            await anyio.sleep(self._stall_us / 1_000_000 / LOOKS)
            seen = {work: seen.get(work, 0) + 1 for work in self._time.under_way_for(0)}
            for work in self._time.under_way_for(self._stall_us):
                if work.stage in self._stages and seen[work] >= LOOKS:
                    self._give_up(work)

    def _give_up(self, work: UnderWay) -> None:
        stack = work.stack()
        self.stalls.append(Stall(work.stage, self._time.now_us(), stack))
        where = f" in {stack[-1].rpartition(' ')[2]}" if stack else ""
        self._time.give_up(
            work,
            ERRORS[work.stage](
                f"the {work.stage} is stuck{where}: nothing came back within {self._stall_us / 1_000_000:g} s; "
                "if it is only slow, give it more time with --stall"
            ),
        )
