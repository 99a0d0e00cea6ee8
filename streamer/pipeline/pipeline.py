"""The pipeline: streams, a worker per request, a sink per stream. The only file with tasks.

Each stream has a source, a policy link, a reorder buffer and a sink of its own. The workers serve all streams; the
frame that was due first comes first. The run ends by closing links and buffers, with no sentinels. An error in any
stage ends it: what was written is kept, frames in flight finish, and every other frame that was due is abandoned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import anyio

from streamer.errors import StreamerError
from streamer.ledger.ledger import Ledger
from streamer.ledger.outages import Outages
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.between_frames import BetweenFrames, HousekeepingTally
from streamer.pipeline.canary import Canary
from streamer.pipeline.decode_ahead import Gate
from streamer.pipeline.detector import Detector
from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.engine_restart import Replacing
from streamer.pipeline.feed import Feed, OnGap
from streamer.pipeline.housekeeping import Chore
from streamer.pipeline.link import Dispatch
from streamer.pipeline.priming import Prime, Primer
from streamer.pipeline.rounds import Intermission
from streamer.pipeline.shutdown import Overdue, Shutdown
from streamer.pipeline.stream import Line, Stream
from streamer.pipeline.ticket import Ticket
from streamer.pipeline.watchdog import Watchdog
from streamer.pipeline.worker import Worker
from streamer.schedule.schedule import Limits
from streamer.workers.run_clock import RunTime

DROPPED_BYTES = 128 << 20
"""The room for pictures of dropped frames that wait for a frame before them, in bytes, over all streams."""
LAST_CHORE_S = 1.0
"""How long a chore on a thread may go on when the run must end at once."""
LEAD_US = 20_000
"""The time from the start of the tasks to the origin: the first frame does not pay for their start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """The optional parts of a pipeline.

    A ``primer`` fills the gap before a frame with throw-away inferences, where the schedule announces the frame. An
    ``intermission`` holds the run between its rounds. Both are for a single stream. ``replacing`` replaces an engine
    that is lost; only its frame fails. The ``canary`` frame is inferred again and again. ``on_gap`` takes the stream,
    the frame and the seconds of a wait for a gap in a file's times.
    """

    primer: Primer | None = None
    intermission: Intermission | None = None
    replacing: Replacing | None = None
    canary: Canary | None = None
    on_gap: OnGap | None = None


class Pipeline:
    """Streams through one engine, with a detector per request; ``streams`` are in the order of their numbers.

    ``outages`` takes the stretches in which live sources give nothing. ``chores`` are done between frames, while none
    is being measured. ``decoded`` takes the begin and the end of each decode, in microseconds of the run; it must be
    short.
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        detectors: Sequence[Detector],
        *,
        policy: Policy,
        queue: int,
        limits: Limits,
        ledger: Ledger,
        time: RunTime,
        watchdog: Watchdog,
        outages: Outages,
        chores: Sequence[Chore],
        decoded: Callable[[int, int], None],
        extras: Extras,
    ) -> None:
        self._limits = limits
        self._ledger = ledger
        self._time = time
        self._watchdog = watchdog
        self._closed_loop = streams[0].schedule.closed_loop
        self._shutdown = Shutdown(time)
        gate = Gate()
        dispatch: Dispatch[Ticket | Prime] = Dispatch(lambda job: job.due_us)
        room = 0 if self._closed_loop else queue
        room_bytes = DROPPED_BYTES // len(streams)
        self._lines = [
            Line(stream, dispatch.link(policy, room), gate, ledger, time, self._shutdown, decoded, room_bytes)
            for stream in streams
        ]
        self._feeds = [
            Feed(
                number,
                line,
                limits=limits,
                ledger=ledger,
                gate=gate,
                time=time,
                outages=outages,
                primer=extras.primer,
                intermission=extras.intermission,
                on_gap=extras.on_gap,
            )
            for number, line in enumerate(self._lines)
        ]
        self._between = BetweenFrames(chores, gate, time, self._expected_us, self._shutdown.fail)
        self._workers = [
            Worker(
                detector,
                dispatch,
                self._lines,
                time,
                self._shutdown,
                primer=extras.primer,
                replacing=extras.replacing,
                canary=extras.canary,
                between=self._between,
            )
            for detector in detectors
        ]

    @property
    def failure(self) -> StreamerError | None:
        """The error that ended the run, if one did."""
        return self._shutdown.failure

    @property
    def ungated(self) -> int:
        """The number of frames decoded while another was being measured."""
        return sum(line.ahead.ungated for line in self._lines)

    @property
    def housekeeping(self) -> HousekeepingTally:
        """The chores that were done between frames, and those that began while one was being measured."""
        return self._between.tally

    @property
    def undrawn(self) -> int:
        """The number of dropped frames whose picture could not wait for its place in the video."""
        return sum(line.tickets.undrawn for line in self._lines)

    @property
    def most_waiting(self) -> int:
        """The largest number of results, and pictures of dropped frames, that ever waited for one stream's sink."""
        return max(line.tickets.slots.most for line in self._lines)

    def stop(self) -> None:
        """Ends the run now. Frames in flight have a moment to finish; those due and not begun are abandoned."""
        self._shutdown.stop()

    async def run(self) -> None:
        """Runs until the sources, a limit, ``stop`` or an error ends it. Then every frame has its outcome."""
        try:
            async with anyio.create_task_group() as watching:
                watching.start_soon(self._watchdog.watch)
                watching.start_soon(self._shutdown.enforce)
                watching.start_soon(self._between.keep)
                await self._flow()
                await self._between.end()
                watching.cancel_scope.cancel()
        finally:
            # When the run is cancelled, or fails unexpectedly, nothing has waited for the chore on a thread.
            with anyio.move_on_after(LAST_CHORE_S, shield=True):
                await self._between.end()
            self._close_books()

    async def _flow(self) -> None:
        async with anyio.create_task_group() as sinks:
            for line in self._lines:
                sinks.start_soon(line.drain)
            async with anyio.create_task_group() as engine:
                self._time.start(LEAD_US)
                for worker in self._workers:
                    engine.start_soon(worker.run)
                await self._feed()
            for line in self._lines:
                line.tickets.slots.close()

    async def _feed(self) -> None:
        with self._shutdown.feeding:
            async with anyio.create_task_group() as sources:
                for line, feed in zip(self._lines, self._feeds, strict=True):
                    sources.start_soon(self._feed_one, line, feed)
        for line in self._lines:
            line.link.close(discard=self._shutdown.begun_us is not None)

    async def _feed_one(self, line: Line, feed: Feed) -> None:
        try:
            with suppress(Overdue):
                await feed.run()
        except StreamerError as error:
            self._shutdown.fail(error)
        line.link.close(discard=self._shutdown.begun_us is not None)

    def _expected_us(self, now_us: int) -> int | None:
        """When the next frame of any stream is expected, in microseconds of the run; None when none is."""
        return min((us for feed in self._feeds if (us := feed.expected_us(now_us)) is not None), default=None)

    def _close_books(self) -> None:
        """Abandons the frames that were due before the end and are unfinished, also those not scheduled yet."""
        end = self._shutdown.begun_us
        if end is not None and not self._closed_loop:
            for number, (line, feed) in enumerate(zip(self._lines, self._feeds, strict=True)):
                self._open_until(end, number, line, feed)
        for record in self._ledger.open_records():
            self._lines[record.stream].tickets.close(record, Outcome.ABANDONED)

    def _open_until(self, end: int, number: int, line: Line, feed: Feed) -> None:
        """Opens the records of a stream's frames that were due by ``end`` and not scheduled yet."""
        for index in count(feed.next_index):
            pts, due = line.source.pts(index), feed.due_us(index)
            if pts is None or due is None or due > end or self._limits.reached(index, due):
                return
            line.tickets.open(FrameRecord(number, index, round(pts * 1_000_000), due))
