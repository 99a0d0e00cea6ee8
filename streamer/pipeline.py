"""The pipeline: source, policy link, a worker per request, reorder buffer, sink. The only file with tasks.

The stream ends by closing link and buffer, with no sentinels. An error in any stage ends the run: what was written
is kept, frames in flight finish, and every frame that was due and did not is abandoned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import count

import anyio

from streamer.clock import RunTime, Stage
from streamer.detector import Detector
from streamer.errors import EngineError, SinkError, StreamerError
from streamer.frame import Frame
from streamer.freshness import Judge
from streamer.ledger import FrameRecord, Ledger, Outcome
from streamer.link import LinkClosed, Policy, PolicyLink, ReorderBuffer
from streamer.lookahead import Gate, LookAhead
from streamer.priming import Primer
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


@dataclass(frozen=True, slots=True)
class Prime:
    """An idle request is to be kept warm for the frame due at ``due_us``."""

    due_us: int


Job = tuple[Frame, FrameRecord] | Prime


class Pipeline:
    """One stream through one engine, with a detector per request. ``first`` is what the source gave first.

    With a ``primer`` the gap before a frame is filled with throw-away inferences, where the schedule tells of it.
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
        sink: Sink,
        ledger: Ledger,
        time: RunTime,
        on_idle: Callable[[], None],
        decoded: Callable[[int, int], None],
    ) -> None:
        self._source = source
        self._schedule = schedule
        self._waits = policy is Policy.WAIT
        self._limits = limits
        self._judge = judge
        self._detectors = detectors
        self._primer = primer
        self._sink = sink
        self._ledger = ledger
        self._time = time
        self._on_idle = on_idle
        self._link: PolicyLink[Job] = PolicyLink(policy, 0 if schedule.closed_loop else queue)
        self._buffer: ReorderBuffer[Result | Dropped] = ReorderBuffer(SINK_LINK)
        self._gate = Gate()
        self._ahead = LookAhead(source, first, time, self._gate, decoded)
        self._emission = anyio.CancelScope()
        self._next_index = 0
        self._held_until = 0
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
        self._emission.cancel()

    def _fail(self, error: StreamerError) -> None:
        self.failure = self.failure or error
        self.stop()

    async def _emit(self) -> None:
        with self._emission:
            try:
                if self._schedule.closed_loop:
                    await self._emit_closed_loop()
                elif self._source.info.live:
                    await self._emit_live()
                else:
                    await self._emit_on_schedule()
            except StreamerError as error:
                self._fail(error)
        self._link.close(discard=self._stopped_us is not None)

    async def _emit_on_schedule(self) -> None:
        for index in count():
            pts = self._source.pts(index)
            due = None if pts is None else self._schedule.due_us(index, pts)
            if due is None or self._ended(index, due):
                return
            await self._ahead.refill(due)
            self._on_idle()
            item = await self._ahead.next()
            if item is None:
                return
            record = self._record(item, due)
            if self._primer is not None:
                await self._prime(self._primer, due)
            await self._time.wait_until(due)
            if isinstance(item, Frame):
                record.captured = self._time.now_us()
                self._ledger.open(record)
                self._judge.ticked(due)
                await self._offer(item, record)
            else:
                self._unreadable(record)

    async def _prime(self, primer: Primer, due: int) -> None:
        """Has an idle request kept warm for the frame that is due next, if there is time for that."""
        with anyio.move_on_after((due - self._time.now_us()) / 1_000_000):
            await self._gate.wait_open()
        begin = primer.begin_us(due, self._time.now_us()) if self._gate.open else None
        if begin is not None:
            await self._time.wait_until(begin)
        if begin is None or not self._link.hand(Prime(due)):
            primer.tally.no_room += 1

    async def _emit_live(self) -> None:
        """A live source paces itself: a frame is due when it arrives, and what happened before is not seen."""
        await self._time.wait_until(0)
        begin = Fraction(0)
        for index in count():
            self._on_idle()
            item = await self._time.run(self._source.read, Stage.SOURCE)
            if item is None:
                return
            # Numbers and times count from the first frame of the run: warming up has used some.
            begin = item.pts if index == 0 else begin
            item = replace(item, index=index, pts=item.pts - begin)
            arrived = now = self._time.now_us()
            if item.arrived_us is not None:
                arrived = self._time.since_origin(item.arrived_us)
            if self._ended(index, arrived):
                return
            record = self._record(item, arrived)
            if isinstance(item, Frame):
                record.captured = now
                self._ledger.open(record)
                self._judge.ticked(arrived)
                await self._offer(item, record)
            else:
                self._unreadable(record)

    def _ended(self, index: int, instant_us: int) -> bool:
        wanted = self._limits.delivered
        enough = wanted is not None and self._ledger.outcomes[Outcome.DELIVERED] >= wanted
        return enough or self._limits.reached(index, instant_us)

    async def _emit_closed_loop(self) -> None:
        await self._time.wait_until(0)
        for index in count():
            await self._link.wait_for_room()
            self._on_idle()
            item = await self._ahead.next()
            now = self._time.now_us()
            if item is None or self._ended(index, now):
                return
            record = self._record(item, now)
            if isinstance(item, Frame):
                record.captured = now
                self._ledger.open(record)
                self._next_index = index + 1
                self._gate.enter()
                self._link.offer((item, record))
            else:
                self._unreadable(record)

    def _record(self, item: Frame | Unreadable, scheduled: int) -> FrameRecord:
        """The item's record, not opened yet: made before the item is due, it costs its frame nothing."""
        pts = round(item.pts * 1_000_000)
        return FrameRecord(item.stream, item.index, pts, scheduled, held_until=self._held_until)

    def _unreadable(self, record: FrameRecord) -> None:
        """A frame that could not be decoded has met its fate when it is due."""
        self._ledger.open(record)
        self._next_index = record.frame + 1
        self._buffer.skip(record.frame)
        self._close(record, Outcome.DECODE_ERROR)

    async def _offer(self, frame: Frame, record: FrameRecord) -> None:
        self._next_index = frame.index + 1
        self._gate.enter()
        if self._waits and not self._link.has_room:
            await self._link.put((frame, record))
            self._held_until = self._time.now_us()
            return
        displaced = self._link.offer((frame, record))
        if displaced is not None and not isinstance(displaced, Prime):
            self._drop(*displaced, QUEUE_FULL)

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

    def _close_books(self) -> None:
        """Abandons what was due before the end and is unfinished, with those the source had not come to."""
        end = self._time.now_us() if self._stopped_us is None else self._stopped_us
        ended_early = self._stopped_us is not None
        for index in count(self._next_index):
            pts = self._source.pts(index) if ended_early and not self._schedule.closed_loop else None
            due = None if pts is None else self._schedule.due_us(index, pts)
            if pts is None or due is None or due > end or self._limits.reached(index, due):
                break
            self._ledger.open(FrameRecord(0, index, round(pts * 1_000_000), due))
        for record in self._ledger.open_records():
            self._close(record, Outcome.ABANDONED)
