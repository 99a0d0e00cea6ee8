"""A worker of the engine: serves the frame that was due first, and works between frames.

Between frames it primes the engine, infers the canary, does housekeeping, and replaces an engine that was lost.
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
    """Serves the frames of a ``dispatch`` with one detector; ``lines`` are in the order of their streams.

    With ``replacing`` an engine that is lost is replaced, and only its frame fails.
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
        """Serves until no frame is left, the engine has failed, or its work is given up."""
        with suppress(Overdue, LinkClosed):
            while await self._do(await self._dispatch.take()):
                pass

    async def _do(self, job: Ticket | Prime) -> bool:
        """Serves a frame, or primes the engine; False ends the worker."""
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
        """Infers the canary if it is due, right behind a frame: the next is far away then. False ends the worker."""
        canary = self._canary
        if canary is None or not canary.is_due(self._time.now_us(), idle=not self._dispatch.holds):
            return True
        try:
            await self._time.run(partial(canary.look, self._detector), Stage.ENGINE)
        except EngineError as error:
            return await self._replaced(error)
        return True

    async def _replaced(self, error: EngineError) -> bool:
        """Replaces an engine that was lost; False when the error ends the run instead."""
        replacing, failed = self._replacing, self._shutdown.failure is not None
        if not isinstance(error, EngineLost) or replacing is None or not replacing.possible or failed:
            self._shutdown.fail(error)
            return False
        try:
            await self._time.run(partial(replacing.replace, error), Stage.REPLACING)
        except EngineError as failure:
            self._shutdown.fail(failure)
            return False
        return True

    async def _keep_warm(self, job: Prime) -> bool:
        """Primes on the worker that will serve the frame; False when that fails, which ends the run."""
        assert self._primer is not None
        try:
            await self._time.run(partial(self._detector.prime, self._primer, job.due_us), Stage.ENGINE)
        except EngineError as error:
            self._shutdown.fail(error)
            return False
        return True
