"""The pipeline: source, policy link, a worker per request, reorder buffer, sink. The only file with tasks.

The stream ends by closing link and buffer, with no sentinels. An error in any stage ends the run: what was written
is kept, frames in flight finish, and every frame that was due and did not is abandoned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

import anyio

from streamer.clock import RunTime, Stage
from streamer.detector import Detector
from streamer.emission import Emission, Job, Prime
from streamer.errors import EngineError, SinkError, StreamerError
from streamer.frame import Frame
from streamer.freshness import Judge
from streamer.ledger import FrameRecord, Ledger, Outcome
from streamer.link import LinkClosed, Policy, PolicyLink, ReorderBuffer
from streamer.lookahead import Gate, LookAhead
from streamer.priming import Primer
from streamer.rounds import Intermission
from streamer.schedule import Limits, Schedule
from streamer.sink import Dropped, Result, Sink
from streamer.source import Source, Unreadable

SINK_LINK = 2
"""Results that may wait for the sink: a slow encoder then holds the engine back, and memory does not grow."""
DROPPED_BYTES = 128 << 20
"""Pictures of dropped frames that may wait for a frame before them, in bytes."""
QUEUE_FULL = "queue_full"
LEAD_US = 20_000
"""From the start of the tasks to the origin: the first frame does not pay for their start."""


class Pipeline:
    """One stream through one engine, with a detector per request. ``first`` is what the source gave first.

    With a ``primer`` the gap before a frame is filled with throw-away inferences, where the schedule tells of it.
    With an ``intermission`` the run is held between its rounds.
    ``on_idle`` is called once a frame, while none is being measured (or, when the engine is never idle, before the
    next is due), and ``decoded`` with the beginning and the end of each decode; they must be short. ``failure`` is
    the error that ended the run, if one did; ``undrawn`` counts dropped frames whose picture could not wait for its
    place in the video; ``ungated`` counts frames decoded while another was being measured.
    """

    def __init__(
        self,
        *,
        source: Source,
        first: Frame | Unreadable | None,
        schedule: Schedule,
        policy: Policy,
        queue: int,
        limits: Limits,
        judge: Judge,
        detectors: Sequence[Detector],
        primer: Primer | None,
        intermission: Intermission | None,
        sink: Sink,
        ledger: Ledger,
        time: RunTime,
        on_idle: Callable[[], None],
        decoded: Callable[[int, int], None],
    ) -> None:
        self._source = source
        self._schedule = schedule
        self._limits = limits
        self._judge = judge
        self._detectors = detectors
        self._primer = primer
        self._sink = sink
        self._ledger = ledger
        self._time = time
        self._link: PolicyLink[Job] = PolicyLink(policy, 0 if schedule.closed_loop else queue)
        self._buffer: ReorderBuffer[Result | Dropped] = ReorderBuffer(SINK_LINK)
        self._gate = Gate()
        self._outcome = anyio.Event()
        self._ahead = LookAhead(source, first, time, self._gate, decoded)
        self._emission = Emission(
            source=source,
            schedule=schedule,
            limits=limits,
            waits=policy is Policy.WAIT,
            link=self._link,
            ahead=self._ahead,
            gate=self._gate,
            judge=judge,
            primer=primer,
            intermission=intermission,
            settled=self._settled,
            ledger=ledger,
            time=time,
            on_idle=on_idle,
            displaced=self._displaced,
            unreadable=self._unreadable,
        )
        self._emitting = anyio.CancelScope()
        self._stopped_us: int | None = None
        self.failure: StreamerError | None = None
        self.undrawn = 0

    @property
    def ungated(self) -> int:
        return self._ahead.ungated

    @property
    def most_waiting(self) -> int:
        """The largest number of results (and pictures of dropped frames) that ever waited for the sink."""
        return self._buffer.most

    async def run(self) -> None:
        """Runs until the source, a limit, ``stop`` or an error ends it; then every frame has its outcome."""
        try:
            async with anyio.create_task_group() as sink:
                sink.start_soon(self._drain)
                async with anyio.create_task_group() as engine:
                    self._time.start(LEAD_US)
                    for detector in self._detectors:
                        engine.start_soon(self._serve, detector)
                    await self._emit()
                self._buffer.close()
        finally:
            self._close_books()

    def stop(self) -> None:
        """Ends the run now: frames in flight finish, those due and not begun are abandoned."""
        if self._stopped_us is None:
            self._stopped_us = self._time.now_us()
        self._emitting.cancel()

    def _fail(self, error: StreamerError) -> None:
        self.failure = self.failure or error
        self.stop()

    async def _emit(self) -> None:
        with self._emitting:
            try:
                await self._emission.run()
            except StreamerError as error:
                self._fail(error)
        self._link.close(discard=self._stopped_us is not None)

    async def _settled(self) -> None:
        """Returns when every scheduled frame has its outcome."""
        while self._ledger.open_records():
            self._outcome = anyio.Event()
            await self._outcome.wait()

    def _unreadable(self, record: FrameRecord) -> None:
        self._buffer.skip(record.frame)
        self._close(record, Outcome.DECODE_ERROR)

    def _displaced(self, frame: Frame, record: FrameRecord) -> None:
        self._drop(frame, record, QUEUE_FULL)

    def _drop(self, frame: Frame, record: FrameRecord, reason: str) -> None:
        self._gate.leave()
        if self._sink.shows_dropped and len(self._buffer) * frame.image.nbytes < DROPPED_BYTES:
            self._buffer.put_now(frame.index, Dropped(frame, record))
        else:
            self.undrawn += self._sink.shows_dropped
            self._buffer.skip(frame.index)
        self._close(record, Outcome.DROPPED, reason)

    async def _serve(self, detector: Detector) -> None:
        while True:
            try:
                job = await self._link.take()
            except LinkClosed:
                return
            if isinstance(job, Prime):
                if not await self._keep_warm(detector, job):
                    return
                continue
            frame, record = job
            reason = self._judge.reason(record, self._time.now_us(), more=not self._link.closed)
            if reason is not None:
                self._drop(frame, record, reason)
                continue
            try:
                detections = await self._time.run(partial(detector.detect, frame, record), Stage.ENGINE)
            except EngineError as error:
                self._buffer.skip(frame.index)
                self._close(record, Outcome.ENGINE_ERROR)
                self._fail(error)
                return
            finally:
                self._gate.leave()
            self._ledger.detected(record)
            self._judge.served(record.service or 0)
            await self._buffer.put(frame.index, Result(frame, record, detections))

    async def _keep_warm(self, detector: Detector, job: Prime) -> bool:
        """Primes on the worker that will serve the frame; False when that failed, which ends the run."""
        assert self._primer is not None
        try:
            await self._time.run(partial(detector.prime, self._primer, job.due_us), Stage.ENGINE)
        except EngineError as error:
            self._fail(error)
            return False
        return True

    async def _drain(self) -> None:
        broken = False
        while True:
            try:
                item = await self._buffer.take()
            except LinkClosed:
                return
            if broken:
                continue  # what no longer can be written is abandoned, and no worker waits for it
            try:
                if self._sink.blocks:
                    await self._time.run(partial(self._sink.write, item), Stage.SINK)
                else:
                    self._sink.write(item)
            except SinkError as error:
                broken = True
                if isinstance(item, Result):
                    self._close(item.record, Outcome.SINK_ERROR)
                self._fail(error)
            else:
                if isinstance(item, Result):
                    self._close(item.record, Outcome.DELIVERED)

    def _close(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        try:
            self._ledger.close(record, outcome, reason)
        except SinkError as error:
            self._fail(error)
        self._outcome.set()

    def _close_books(self) -> None:
        """Abandons what was due before the end and is unfinished, with those the source had not come to."""
        end = self._time.now_us() if self._stopped_us is None else self._stopped_us
        ended_early = self._stopped_us is not None
        for index in count(self._emission.next_index):
            due = self._emission.due_us(index) if ended_early and not self._schedule.closed_loop else None
            pts = self._source.pts(index)
            if pts is None or due is None or due > end or self._limits.reached(index, due):
                break
            self._ledger.open(FrameRecord(0, index, round(pts * 1_000_000), due))
        for record in self._ledger.open_records():
            self._close(record, Outcome.ABANDONED)
