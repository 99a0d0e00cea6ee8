"""The feed: a source's frames, offered to the policy link when they are due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import anyio

from streamer.frame import Frame
from streamer.ledger.decode_errors import one_line
from streamer.ledger.ledger import Ledger
from streamer.ledger.outages import NO_SIGNAL, Outage, Outages
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.decode_ahead import Gate
from streamer.pipeline.drop_policy import QUEUE_FULL
from streamer.pipeline.live_feed import Arrival, LiveFeed
from streamer.pipeline.priming import Prime, Primer
from streamer.pipeline.rounds import Intermission
from streamer.pipeline.stream import Line
from streamer.schedule.schedule import Limits
from streamer.sources.base import Unreadable
from streamer.workers.run_clock import RunTime

AHEAD_US = 1_000_000
"""Far enough ahead to decode as many frames as may be decoded ahead."""


OnGap = Callable[[int, int, float], None]
"""Takes a stream, its frame that comes after a gap in the file's times, and the wait for that in seconds."""
WARNED_US = 1_000_000
"""A shorter wait is not reported, such as before the first frame of a round."""


class Feed:
    """Offers one stream's frames to the link of its ``line`` when they are due; the policy may hold them back.

    ``outages`` takes the stretches in which a live source gives nothing. A run in rounds has an ``intermission``
    before each, once every frame has its outcome. ``next_index`` is the number of the first frame that has not been
    scheduled yet.
    """

    def __init__(
        self,
        stream: int,
        line: Line,
        *,
        limits: Limits,
        ledger: Ledger,
        gate: Gate,
        time: RunTime,
        outages: Outages,
        primer: Primer | None,
        intermission: Intermission | None,
        on_gap: OnGap | None = None,
    ) -> None:
        self._stream = stream
        self._line = line
        self._source = line.source
        self._limits = limits
        self._ledger = ledger
        self._gate = gate
        self._time = time
        self._outages = outages
        self._primer = primer
        self._intermission = intermission
        self._on_gap = on_gap
        self._moved_us: int | None = 0
        self._held_until = 0
        self._live_feed: LiveFeed | None = None
        self._ends = False
        self.next_index = 0

    async def run(self) -> None:
        """Offers frames until the source or a limit ends them. Raises SourceError."""
        try:
            if self._line.schedule.closed_loop:
                await self._closed_loop()
            elif self._source.info.live:
                await self._live()
            else:
                await self._on_schedule()
        finally:
            self._ends = True

    def expected_us(self, now_us: int) -> int | None:
        """When the next frame comes, in microseconds of the run; None when none is expected.

        It is not later than now when a frame waits to be offered, or the run is held between its rounds. In a closed
        loop no frame is expected: it begins when a request is free.
        """
        if self._ends or self._line.schedule.closed_loop:
            return None
        if self._moved_us is None:
            return now_us
        if self._live_feed is not None:
            return self._live_feed.expected_us(now_us)
        return 0 if self._source.info.live else self.due_us(self.next_index)

    def due_us(self, index: int) -> int | None:
        """When frame ``index`` is due, in microseconds of the run; None past the last, live, or before its round."""
        due = self._nominal_us(index)
        return None if due is None or self._moved_us is None else due + self._moved_us

    def _nominal_us(self, index: int) -> int | None:
        pts = self._source.pts(index)
        return None if pts is None else self._line.schedule.due_us(index, pts)

    async def _goes_on(self, index: int) -> bool:
        """Whether the run goes on with frame ``index``. Before the first frame of a round it waits for its turn."""
        if self._intermission is None or not self._intermission.before(index) or self._source.pts(index) is None:
            return True
        self._moved_us = None
        await self._line.tickets.settled.wait_open()
        # It is still this run's turn: it decodes ahead.
        await self._line.ahead.refill(self._time.now_us() + AHEAD_US)
        start = await self._intermission.hold(index)
        if start is None:
            return False
        self._moved_us = start - (self._nominal_us(index) or 0)
        return True

    async def _on_schedule(self) -> None:
        for index in count():
            if not await self._goes_on(index):
                return
            due = self.due_us(index)
            if due is None or self._ended(index, due):
                return
            await self._report_gap(index, due)
            await self._line.ahead.refill(due)
            item = await self._line.ahead.next()
            # Decoding may find that the file has no frame here: then this one is due later.
            due = self.due_us(index)
            if item is None or due is None:
                return
            record = self._record(item, due)
            if self._primer is not None and self._line.schedule.foretold:
                await self._prime(self._primer, due)
            await self._time.wait_until(due)
            if isinstance(item, Frame):
                await self._offer(item, record)
            else:
                self._lose(record, Outcome.DECODE_ERROR, one_line(item.reason))

    async def _report_gap(self, index: int, due: int) -> None:
        """Reports a gap in the file's times before frame ``index``, once, and while no frame is being measured."""
        gaps = self._line.schedule.gaps
        if self._on_gap is None or gaps is None or gaps.before(index) is None:
            return
        again = gaps.loops_after is not None and index > gaps.loops_after
        if again or due - self._time.now_us() < WARNED_US:
            return
        with anyio.move_on_after(WARNED_US / 2_000_000):
            await self._gate.wait_open()
        self._on_gap(self._stream, index, (due - self._time.now_us()) / 1_000_000)

    async def _prime(self, primer: Primer, due: int) -> None:
        """Has an idle request primed for the frame that is due next, if there is time for it."""
        # Not until the frame is due: a timeout of the event loop ends late, and so the frame would leave late.
        with anyio.move_on_after((primer.latest_us(due) - self._time.now_us()) / 1_000_000):
            await self._gate.wait_open()
        begin = primer.begin_us(due, self._time.now_us()) if self._gate.open else None
        if begin is not None:
            await self._time.wait_until(begin)
        if begin is None or not self._line.link.hand(Prime(due)):
            primer.tally.no_room += 1

    async def _live(self) -> None:
        """Offers the frames of a live source. It paces itself: a frame is due when it arrives."""
        await self._time.wait_until(0)
        self._live_feed = live = LiveFeed(self._source, self._stream, self._time, self._outages)
        try:
            for index in count():
                arrival = await live.next()
                if arrival is None or self._ended(index, arrival.at_us):
                    return
                await self._arrived(index, arrival)
        finally:
            await live.end()

    async def _arrived(self, index: int, arrival: Arrival) -> None:
        what, at_us = arrival.what, arrival.at_us
        record = FrameRecord(self._stream, index, round(arrival.pts * 1_000_000), at_us)
        if isinstance(what, Frame):
            await self._offer(replace(what, index=index, pts=arrival.pts), record)
            return
        self._line.freshness.ticked(at_us)
        if isinstance(what, Outage):
            what.frames += 1
            self._lose(record, Outcome.SOURCE_ERROR, NO_SIGNAL)
        else:
            self._lose(record, Outcome.DECODE_ERROR, one_line(what.reason))

    async def _closed_loop(self) -> None:
        await self._time.wait_until(0)
        for index in count():
            if not await self._goes_on(index):
                return
            await self._line.link.wait_for_room()
            item = await self._line.ahead.next()
            now = self._time.now_us()
            if item is None or self._ended(index, now):
                return
            record = self._record(item, now)
            if isinstance(item, Frame):
                record.captured = now
                self.next_index = index + 1
                self._line.link.offer(self._line.tickets.issue(item, record))
            else:
                self._lose(record, Outcome.DECODE_ERROR, one_line(item.reason))

    def _ended(self, index: int, instant_us: int) -> bool:
        wanted = self._limits.delivered
        enough = wanted is not None and self._ledger.outcomes[Outcome.DELIVERED] >= wanted
        return enough or self._limits.reached(index, instant_us)

    def _record(self, item: Frame | Unreadable, scheduled: int) -> FrameRecord:
        """The item's record, not opened yet. It is made before the item is due, and so costs its frame no time."""
        pts = round(item.pts * 1_000_000)
        return FrameRecord(item.stream, item.index, pts, scheduled, held_until=self._held_until)

    def _lose(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        """Closes the record of a frame without a picture, which has its outcome when it is due."""
        self.next_index = record.frame + 1
        self._line.tickets.lose(record, outcome, reason)

    async def _offer(self, frame: Frame, record: FrameRecord) -> None:
        """Offers a frame that is due now. The frame that finds no place in the queue is dropped."""
        record.captured = self._time.now_us()
        self._line.freshness.ticked(record.scheduled)
        self.next_index = frame.index + 1
        ticket = self._line.tickets.issue(frame, record)
        if self._line.link.waits and not self._line.link.has_room:
            await self._line.link.put(ticket)
            self._held_until = self._time.now_us()
            return
        dropped = self._line.link.offer(ticket)
        if dropped is not None and not isinstance(dropped, Prime):
            dropped.drop(QUEUE_FULL)
