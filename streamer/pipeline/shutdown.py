"""The end of a run before its sources end: by an error or by ``stop``, and within 2 s."""

from __future__ import annotations

import anyio

from streamer.errors import SinkError, StreamerError
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage

GRACE_S, SINK_GRACE_S = 0.5, 1.5
"""How long a stopped run waits for work under way, and for a write under way: its end must take 2 s at most.

A write has longer: what is half written is better finished.
"""


class Overdue(Exception):
    """Work was still under way when a stopped run had to end."""


class Shutdown:
    """The end of a run. ``feeding`` is the scope in which frames are scheduled; it is cancelled when the end begins.

    ``failure`` is the error that ended the run, if one did. ``begun_us`` is when the end began, in microseconds of
    the run; None when the sources or a limit ended it.
    """

    def __init__(self, time: RunTime) -> None:
        self._time = time
        self._stopped = anyio.Event()
        self.feeding = anyio.CancelScope()
        self.failure: StreamerError | None = None
        self.begun_us: int | None = None

    def stop(self) -> None:
        """Ends the run now. Frames in flight have a moment to finish; those due and not begun are abandoned."""
        self._stopped.set()
        self._begin()

    def fail(self, error: StreamerError) -> None:
        """Ends the run with an error; the first one counts. Frames in flight finish."""
        self.failure = self.failure or error
        self._begin()

    async def enforce(self) -> None:
        """Gives up what is not finished in time after a stop. Runs until it is cancelled."""
        await self._stopped.wait()
        await anyio.sleep(GRACE_S)
        for work in self._time.under_way_for(0):
            if work.stage is not Stage.SINK:
                self._time.give_up(work, Overdue())
        await anyio.sleep(SINK_GRACE_S - GRACE_S)
        for work in self._time.under_way_for(0):
            unfinished = SinkError(f"the sink had not finished {SINK_GRACE_S:g} s after the run was stopped")
            self._time.give_up(work, unfinished if work.stage is Stage.SINK else Overdue())

    def _begin(self) -> None:
        if self.begun_us is None:
            self.begun_us = self._time.now_us()
        self.feeding.cancel()
