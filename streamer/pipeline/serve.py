"""Serving: a worker of the engine takes the frame that was due first, and sees to what happens between frames.

Between frames the engine is kept warm, shows that it still answers the same, and is replaced when it is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from streamer.errors import EngineError, EngineLost, StreamerError
from streamer.frame import Frame
from streamer.ledger.ledger import Ledger
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.canary import GoldenFrame
from streamer.pipeline.decode_ahead import Gate
from streamer.pipeline.detector import Detector
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.feed import Job, Prime
from streamer.pipeline.link import Dispatch, LinkClosed
from streamer.pipeline.priming import Primer
from streamer.pipeline.stream import Line
from streamer.sink.sink import Result
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage


class Overdue(Exception):
    """Work was still under way when a run that was stopped had to come to its end."""


class Server:
    """Serves ``lines`` from their ``dispatch``; each of its detectors has a task of the pipeline's.

    With ``replacing`` an engine that is lost is replaced, and its frame alone has failed. ``drop`` and ``close`` give
    a frame its outcome, with the reason why it was dropped; ``fail`` ends the run, and ``failed``
    tells whether anything has.
    """

    def __init__(
        self,
        *,
        dispatch: Dispatch[Job],
        lines: Sequence[Line],
        gate: Gate,
        primer: Primer | None,
        replacing: Replacing | None,
        golden: GoldenFrame | None,
        ledger: Ledger,
        time: RunTime,
        drop: Callable[[Frame, FrameRecord, str], None],
        close: Callable[[FrameRecord, Outcome], None],
        fail: Callable[[StreamerError], None],
        failed: Callable[[], bool],
    ) -> None:
        self._dispatch = dispatch
        self._lines = lines
        self._gate = gate
        self._primer = primer
        self._replacing = replacing
        self._golden = golden
        self._ledger = ledger
        self._time = time
        self._drop = drop
        self._close = close
        self._fail = fail
        self._failed = failed

    async def serve(self, detector: Detector) -> None:
        """Serves with one detector until there is nothing left, or it is given up."""
        with suppress(Overdue):
            await self._serve(detector)

    async def _serve(self, detector: Detector) -> None:
        while True:
            try:
                job = await self._dispatch.take()
            except LinkClosed:
                return
            if isinstance(job, Prime):
                if not await self._keep_warm(detector, job):
                    return
                continue
            frame, record = job
            line = self._lines[record.stream]
            judge = line.stream.judge
            reason = judge.reason(record, self._time.now_us(), more=not line.link.closed)
            if reason is not None:
                self._drop(frame, record, reason)
                continue
            try:
                detections = await self._time.run(partial(detector.detect, frame, record), Stage.ENGINE)
            except Overdue:
                line.buffer.skip(frame.index)
                raise
            except EngineError as error:
                self._gate.leave()
                line.buffer.skip(frame.index)
                self._close(record, Outcome.ENGINE_ERROR)
                if not await self._replaced(error):
                    return
                continue
            self._gate.leave()
            self._ledger.detected(record)
            judge.served(record.service or 0)
            await line.buffer.put(frame.index, Result(frame, record, detections))
            if not await self._look_at_golden(detector):
                return

    async def _look_at_golden(self, detector: Detector) -> bool:
        """Right behind a frame, when none waits: the next one is the furthest away then. False ends the worker."""
        golden = self._golden
        if golden is None or not golden.is_due(self._time.now_us(), idle=not self._dispatch.holds):
            return True
        try:
            await self._time.run(partial(golden.look, detector), Stage.ENGINE)
        except EngineError as error:
            return await self._replaced(error)
        return True

    async def _replaced(self, error: EngineError) -> bool:
        """Another engine has taken the place of one that was lost; False when that ends the run instead."""
        replacing = self._replacing
        if not isinstance(error, EngineLost) or replacing is None or not replacing.possible or self._failed():
            self._fail(error)
            return False
        try:
            await self._time.run(partial(replacing.replace, error), Stage.REPLACING)
        except EngineError as beyond_help:
            self._fail(beyond_help)
            return False
        return True

    async def _keep_warm(self, detector: Detector, job: Prime) -> bool:
        """Primes on the worker that will serve the frame; False when that failed, which ends the run."""
        assert self._primer is not None
        try:
            await self._time.run(partial(detector.prime, self._primer, job.due_us), Stage.ENGINE)
        except EngineError as error:
            self._fail(error)
            return False
        return True
