"""One stream of a run: its parts, and the line between its source and its sink."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from streamer.errors import SinkError
from streamer.frame import Frame
from streamer.ledger.ledger import Ledger
from streamer.ledger.record import Outcome
from streamer.pipeline.decode_ahead import Gate, LookAhead
from streamer.pipeline.drop_policy import FreshnessCheck
from streamer.pipeline.link import LinkClosed, PolicyLink
from streamer.pipeline.priming import Prime
from streamer.pipeline.shutdown import Shutdown
from streamer.pipeline.ticket import Ticket, Tickets
from streamer.schedule.schedule import Schedule
from streamer.sink.sink import Result, Sink
from streamer.sources.base import Source, Unreadable
from streamer.workers.run_clock import RunTime
from streamer.workers.threads import Stage


@dataclass(frozen=True, slots=True)
class Stream:
    """The parts of a stream. ``first`` is what its source gave first; None: nothing yet."""

    source: Source
    first: Frame | Unreadable | None
    schedule: Schedule
    freshness: FreshnessCheck
    sink: Sink


class Line:
    """A stream under way: its frames decoded ahead, its ``link`` to the engine, its tickets, and its sink.

    All streams share the ``gate``. ``room_bytes`` is the room for pictures of dropped frames. ``decoded`` takes the
    begin and the end of each decode, in microseconds of the run.
    """

    def __init__(
        self,
        stream: Stream,
        link: PolicyLink[Ticket | Prime],
        gate: Gate,
        ledger: Ledger,
        time: RunTime,
        shutdown: Shutdown,
        decoded: Callable[[int, int], None],
        room_bytes: int,
    ) -> None:
        self.source = stream.source
        self.schedule = stream.schedule
        self.freshness = stream.freshness
        self.link = link
        self.ahead = LookAhead(stream.source, stream.first, time, gate, decoded)
        self.tickets = Tickets(
            ledger, gate, stream.freshness, shutdown, shows_dropped=stream.sink.shows_dropped, room_bytes=room_bytes
        )
        self._sink = stream.sink
        self._time = time
        self._shutdown = shutdown

    def reason_to_drop(self, ticket: Ticket) -> str | None:
        """Why a frame should be dropped now; None: serve it."""
        return self.freshness.reason(ticket.record, self._time.now_us(), more=not self.link.closed)

    async def drain(self) -> None:
        """Hands results to the sink, in the order of the frames, until no more will come."""
        broken = False
        while True:
            try:
                ticket = await self.tickets.slots.take()
            except LinkClosed:
                return
            if broken:
                continue  # frames that can no longer be written are abandoned, and no worker waits for them
            try:
                await self._write(ticket)
            except SinkError as error:
                broken = True
                if isinstance(ticket.item, Result):
                    ticket.fail(Outcome.SINK_ERROR)
                self._shutdown.fail(error)
            else:
                if isinstance(ticket.item, Result):
                    ticket.deliver()

    async def _write(self, ticket: Ticket) -> None:
        assert ticket.item is not None
        if self._sink.blocks:
            await self._time.run(partial(self._sink.write, ticket.item), Stage.SINK)
        else:
            self._sink.write(ticket.item)
