"""The pipeline: streams, a worker per request, a sink per stream. The only file with tasks.

Each stream has a source, a policy link, a reorder buffer and a sink of its own; the workers serve them all, whichever
frame was due first. The run ends by closing links and buffers, with no sentinels. An error in any stage ends it: what
was written is kept, frames in flight finish, and every frame that was due and did not is abandoned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count

import anyio

from streamer.errors import SinkError, StreamerError
from streamer.frame import Frame
from streamer.ledger.ledger import Ledger
from streamer.ledger.outages import Gaps
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.canary import GoldenFrame
from streamer.pipeline.decode_ahead import Gate
from streamer.pipeline.detector import Detector
from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.feed import Emission, Job, Prime
from streamer.pipeline.link import Dispatch, LinkClosed
from streamer.pipeline.priming import Primer
from streamer.pipeline.rounds import Intermission
from streamer.pipeline.serve import Overdue, Server
from streamer.pipeline.stream import Line, Stream
from streamer.pipeline.watchdog import Watchdog
from streamer.schedule.schedule import Limits
from streamer.sink.sink import Dropped, Result
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage

DROPPED_BYTES = 128 << 20
"""Pictures of dropped frames that may wait for a frame before them, in bytes, over all streams."""
QUEUE_FULL = "queue_full"
LEAD_US = 20_000
"""From the start of the tasks to the origin: the first frame does not pay for their start."""
GRACE_S, SINK_GRACE_S = 0.5, 1.5
"""How long a run that is stopped waits for what is in flight: all of its end is to take 2 s at most.

What is half written is better finished, and has longer.
"""


class Pipeline:
    """Streams through one engine, with a detector per request; ``streams`` are in the order of their numbers.

    With a ``primer`` the gap before a frame is filled with throw-away inferences, where the schedule tells of it.
    With an ``intermission`` the run is held between its rounds. Both are for a single stream. With ``replacing``
    an engine that is lost is replaced, and its frame alone has failed. A ``golden`` frame is looked at now and then.
    ``gaps`` takes the stretches in which live sources give nothing.
    ``on_idle`` is called once a frame, while none is being measured (or, when the engine is never idle, before the
    next is due), and ``decoded`` with the beginning and the end of each decode; they must be short. ``failure`` is
    the error that ended the run, if one did; ``undrawn`` counts dropped frames whose picture could not wait for its
    place in the video; ``ungated`` counts frames decoded while another was being measured.
    """

    def __init__(
        self,
        *,
        streams: Sequence[Stream],
        policy: Policy,
        queue: int,
        limits: Limits,
        detectors: Sequence[Detector],
        primer: Primer | None,
        intermission: Intermission | None,
        ledger: Ledger,
        time: RunTime,
        watchdog: Watchdog,
        replacing: Replacing | None,
        golden: GoldenFrame | None,
        gaps: Gaps,
        on_idle: Callable[[], None],
        decoded: Callable[[int, int], None],
    ) -> None:
        self._watchdog = watchdog
        self._limits = limits
        self._detectors = detectors
        self._ledger = ledger
        self._time = time
        self._closed_loop = streams[0].schedule.closed_loop
        self._gate = Gate()
        self._outcome = anyio.Event()
        self._dispatch: Dispatch[Job] = Dispatch(_due)
        self._lines: list[Line] = []
        self._emissions: list[Emission] = []
        for number, stream in enumerate(streams):
            link = self._dispatch.link(policy, 0 if self._closed_loop else queue)
            line = Line(stream, link, self._gate, time, decoded)
            self._lines.append(line)
            self._emissions.append(
                Emission(
                    stream=number,
                    source=stream.source,
                    gaps=gaps,
                    schedule=stream.schedule,
                    limits=limits,
                    waits=policy is Policy.WAIT,
                    link=link,
                    ahead=line.ahead,
                    gate=self._gate,
                    judge=stream.judge,
                    primer=primer,
                    intermission=intermission,
                    settled=self._settled,
                    ledger=ledger,
                    time=time,
                    on_idle=on_idle,
                    displaced=self._displaced,
                    pictureless=self._pictureless,
                )
            )
        self._server = Server(
            dispatch=self._dispatch,
            lines=self._lines,
            gate=self._gate,
            primer=primer,
            replacing=replacing,
            golden=golden,
            ledger=ledger,
            time=time,
            drop=self._drop,
            close=self._close,
            fail=self._fail,
            failed=lambda: self.failure is not None,
        )
        self._emitting = anyio.CancelScope()
        self._stopped = anyio.Event()
        self._stopped_us: int | None = None
        self.failure: StreamerError | None = None

    @property
    def ungated(self) -> int:
        return sum(line.ahead.ungated for line in self._lines)

    @property
    def undrawn(self) -> int:
        return sum(line.undrawn for line in self._lines)

    @property
    def most_waiting(self) -> int:
        """The largest number of results, and pictures of dropped frames, that ever waited for one stream's sink."""
        return max(line.buffer.most for line in self._lines)

    async def run(self) -> None:
        """Runs until the sources, a limit, ``stop`` or an error ends it; then every frame has its outcome."""
        try:
            async with anyio.create_task_group() as watching:
                watching.start_soon(self._watchdog.watch)
                watching.start_soon(self._end_in_time)
                await self._flow()
                watching.cancel_scope.cancel()
        finally:
            self._close_books()

    async def _flow(self) -> None:
        async with anyio.create_task_group() as sinks:
            for line in self._lines:
                sinks.start_soon(self._drain, line)
            async with anyio.create_task_group() as engine:
                self._time.start(LEAD_US)
                for detector in self._detectors:
                    engine.start_soon(self._server.serve, detector)
                await self._emit()
            for line in self._lines:
                line.buffer.close()

    def stop(self) -> None:
        """Ends the run now: frames in flight may finish for a moment, those due and not begun are abandoned."""
        self._stopped.set()
        self._end()

    async def _end_in_time(self) -> None:
        await self._stopped.wait()
        await anyio.sleep(GRACE_S)
        for work in self._time.under_way_for(0):
            if work.stage is not Stage.SINK:
                self._time.give_up(work, Overdue())
        await anyio.sleep(SINK_GRACE_S - GRACE_S)
        for work in self._time.under_way_for(0):
            unfinished = SinkError(f"the sink had not finished {SINK_GRACE_S:g} s after the run was stopped")
            self._time.give_up(work, unfinished if work.stage is Stage.SINK else Overdue())

    def _end(self) -> None:
        if self._stopped_us is None:
            self._stopped_us = self._time.now_us()
        self._emitting.cancel()

    def _fail(self, error: StreamerError) -> None:
        self.failure = self.failure or error
        self._end()

    async def _emit(self) -> None:
        with self._emitting:
            async with anyio.create_task_group() as sources:
                for line, emission in zip(self._lines, self._emissions, strict=True):
                    sources.start_soon(self._emit_one, line, emission)
        for line in self._lines:
            line.link.close(discard=self._stopped_us is not None)

    async def _emit_one(self, line: Line, emission: Emission) -> None:
        try:
            with suppress(Overdue):
                await emission.run()
        except StreamerError as error:
            self._fail(error)
        line.link.close(discard=self._stopped_us is not None)

    async def _settled(self) -> None:
        """Returns when every scheduled frame has its outcome."""
        while self._ledger.open_records():
            self._outcome = anyio.Event()
            await self._outcome.wait()

    def _pictureless(self, record: FrameRecord, outcome: Outcome, reason: str) -> None:
        self._lines[record.stream].buffer.skip(record.frame)
        self._close(record, outcome, reason)

    def _displaced(self, frame: Frame, record: FrameRecord) -> None:
        self._drop(frame, record, QUEUE_FULL)

    def _drop(self, frame: Frame, record: FrameRecord, reason: str) -> None:
        self._gate.leave()
        line = self._lines[record.stream]
        shown = line.stream.sink.shows_dropped
        if shown and len(line.buffer) * frame.image.nbytes < DROPPED_BYTES // len(self._lines):
            line.buffer.put_now(frame.index, Dropped(frame, record))
        else:
            line.undrawn += shown
            line.buffer.skip(frame.index)
        self._close(record, Outcome.DROPPED, reason)

    async def _drain(self, line: Line) -> None:
        broken = False
        sink = line.stream.sink
        while True:
            try:
                item = await line.buffer.take()
            except LinkClosed:
                return
            if broken:
                continue  # what no longer can be written is abandoned, and no worker waits for it
            try:
                if sink.blocks:
                    await self._time.run(partial(sink.write, item), Stage.SINK)
                else:
                    sink.write(item)
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
        """Abandons what was due before the end and is unfinished, with those the sources had not come to."""
        end = self._time.now_us() if self._stopped_us is None else self._stopped_us
        if self._stopped_us is not None and not self._closed_loop:
            for number, (line, emission) in enumerate(zip(self._lines, self._emissions, strict=True)):
                self._open_until(end, number, line, emission)
        for record in self._ledger.open_records():
            self._close(record, Outcome.ABANDONED)

    def _open_until(self, end: int, number: int, line: Line, emission: Emission) -> None:
        """Opens the records of a stream's frames that were due by ``end`` and that its source had not come to."""
        for index in count(emission.next_index):
            pts, due = line.stream.source.pts(index), emission.due_us(index)
            if pts is None or due is None or due > end or self._limits.reached(index, due):
                return
            self._ledger.open(FrameRecord(number, index, round(pts * 1_000_000), due))


def _due(job: Job) -> int:
    return job.due_us if isinstance(job, Prime) else job[1].scheduled
