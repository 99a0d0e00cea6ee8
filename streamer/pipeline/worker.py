"""A worker of the engine: takes the frame that was due first, and sees to what happens between frames.

Between frames the engine is kept warm, shows that it still answers the same, and is replaced when it is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from streamer.errors import EngineError, EngineLost
from streamer.ledger.record import Outcome
from streamer.pipeline.between_frames import BetweenFrames
from streamer.pipeline.canary import Canary
from streamer.pipeline.detector import Detector
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.link import Dispatch, LinkClosed
from streamer.pipeline.priming import Prime, Primer
from streamer.pipeline.shutdown import Overdue, Shutdown
from streamer.pipeline.stream import Line
from streamer.pipeline.ticket import Ticket
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage


class Worker:
    """Serves ``lines``, in the order of their streams, from their ``dispatch`` with one detector.

    With ``replacing`` an engine that is lost is replaced, and its frame alone has failed.
    """

    def __init__(
        self,
        detector: Detector,
        dispatch: Dispatch[Ticket | Prime],
        lines: Sequence[Line],
        time: RunTime,
        shutdown: Shutdown,
        *,
        primer: Primer | None,
        replacing: Replacing | None,
        canary: Canary | None,
        between: BetweenFrames,
    ) -> None:
        self._detector = detector
        self._dispatch = dispatch
        self._lines = lines
        self._time = time
        self._shutdown = shutdown
        self._primer = primer
        self._replacing = replacing
        self._canary = canary
        self._between = between

    async def run(self) -> None:
        """Serves until there is nothing left, the engine has failed, or its work is given up."""
        with suppress(Overdue, LinkClosed):
            while await self._do(await self._dispatch.take()):
                pass

    async def _do(self, job: Ticket | Prime) -> bool:
        """Serves a frame, or keeps the engine warm; False ends the worker."""
        if isinstance(job, Prime):
            return await self._keep_warm(job)
        reason = self._lines[job.record.stream].reason_to_drop(job)
        if reason is not None:
            job.drop(reason)
            return True
        try:
            detections = await self._time.run(partial(self._detector.detect, job.frame, job.record), Stage.ENGINE)
        except Overdue:
            job.fail(Outcome.ABANDONED)
            raise
        except EngineError as error:
            job.fail(Outcome.ENGINE_ERROR)
            return await self._replaced(error)
        await job.detected(detections)
        await self._between.behind_a_frame()
        return await self._look_at_canary()

    async def _look_at_canary(self) -> bool:
        """Right behind a frame, when none waits: the next one is the furthest away then. False ends the worker."""
        canary = self._canary
        if canary is None or not canary.is_due(self._time.now_us(), idle=not self._dispatch.holds):
            return True
        try:
            await self._time.run(partial(canary.look, self._detector), Stage.ENGINE)
        except EngineError as error:
            return await self._replaced(error)
        return True

    async def _replaced(self, error: EngineError) -> bool:
        """Another engine has taken the place of one that was lost; False when that ends the run instead."""
        replacing, failed = self._replacing, self._shutdown.failure is not None
        if not isinstance(error, EngineLost) or replacing is None or not replacing.possible or failed:
            self._shutdown.fail(error)
            return False
        try:
            await self._time.run(partial(replacing.replace, error), Stage.REPLACING)
        except EngineError as beyond_help:
            self._shutdown.fail(beyond_help)
            return False
        return True

    async def _keep_warm(self, job: Prime) -> bool:
        """Primes on the worker that will serve the frame; False when that failed, which ends the run."""
        assert self._primer is not None
        try:
            await self._time.run(partial(self._detector.prime, self._primer, job.due_us), Stage.ENGINE)
        except EngineError as error:
            self._shutdown.fail(error)
            return False
        return True
