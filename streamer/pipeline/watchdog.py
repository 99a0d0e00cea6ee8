"""The watchdog: work that does not come back is given up, so that a run ends with all it has instead of hanging."""

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
"""How often it looks while the time passes that work may take."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A stage was stuck, ``at_us`` of the run; ``stack`` is where, the innermost call last."""

    stage: Stage
    at_us: int
    stack: list[str]


class Watchdog:
    """Gives up the work of some ``stages`` that takes ``stall_us`` or longer; ``stalls`` tells of it.

    Who waited for it gets the error of its stage, and the run ends as with any other error of that stage. Work has
    hung only when it was seen at each look meanwhile: in a process that was stopped for a while, nothing did.
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
