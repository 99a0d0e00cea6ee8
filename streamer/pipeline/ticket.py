"""A ticket per frame: what it holds on its way through the pipeline, and gives back with its outcome in one act.

From when it is due, a frame holds the gate, behind which nothing is decoded, a slot in the reorder buffer, and a
record in the ledger.
"""

from __future__ import annotations

from streamer.detection.detections import Detections
from streamer.errors import SinkError
from streamer.frame import Frame
from streamer.ledger.ledger import Ledger
from streamer.ledger.record import AFTER_DAMAGE, FrameRecord, Outcome
from streamer.pipeline.decode_ahead import Gate
from streamer.pipeline.drop_policy import FreshnessCheck
from streamer.pipeline.reorder import ReorderBuffer
from streamer.pipeline.shutdown import Shutdown
from streamer.sink.sink import Dropped, Result

SINK_LINK = 2
"""Results that may wait for the sink: a slow encoder then holds the engine back, and memory does not grow."""


class Ticket:
    """One frame on its way, and its record. ``item`` is what the sink is to have of it, as soon as there is any.

    Made by `Tickets.issue`. Each method that gives the frame its outcome may be called once, and none after it.
    """

    __slots__ = ("_holds_gate", "_tickets", "frame", "item", "record")

    def __init__(self, frame: Frame, record: FrameRecord, tickets: Tickets) -> None:
        self.frame = frame
        self.record = record
        self.item: Result | Dropped | None = None
        self._tickets = tickets
        self._holds_gate = True
        tickets.gate.enter()

    @property
    def due_us(self) -> int:
        """When the frame was due."""
        return self.record.scheduled

    def drop(self, reason: str) -> None:
        """The frame is not detected: its outcome is ``dropped``. Its picture may still go into the video."""
        self._leave_gate()
        if self._tickets.has_room_for(self.frame):
            self.item = Dropped(self.frame, self.record)
            self._tickets.slots.put_now(self.frame.index, self)
        else:
            self._tickets.slots.skip(self.frame.index)
        self._tickets.close(self.record, Outcome.DROPPED, reason)

    async def detected(self, detections: Detections) -> None:
        """The boxes are usable. Waits until the sink has room for the result."""
        self._leave_gate()
        self._tickets.detected(self.record)
        self.item = Result(self.frame, self.record, detections)
        await self._tickets.slots.put(self.frame.index, self)

    def fail(self, outcome: Outcome) -> None:
        """The engine or the sink failed at the frame, or it is abandoned: that is its outcome."""
        self._leave_gate()
        if self.item is None:
            self._tickets.slots.skip(self.frame.index)
        self._tickets.close(self.record, outcome)

    def deliver(self) -> None:
        """The sink has written the result: its outcome is ``delivered``."""
        self._tickets.close(self.record, Outcome.DELIVERED, AFTER_DAMAGE if self.frame.after_damage else "")

    def _leave_gate(self) -> None:
        if self._holds_gate:
            self._holds_gate = False
            self._tickets.gate.leave()


class Tickets:
    """The tickets of one stream. ``slots`` has what is to be written, in the order of the frames.

    Pictures of dropped frames wait for those before them in ``room_bytes`` at most; with 0 none does. ``undrawn``
    counts those that could not. ``settled`` is open while each frame that was scheduled has its outcome.
    """

    def __init__(
        self,
        ledger: Ledger,
        gate: Gate,
        freshness: FreshnessCheck,
        shutdown: Shutdown,
        *,
        shows_dropped: bool,
        room_bytes: int,
    ) -> None:
        self.gate = gate
        self.settled = Gate()
        self.slots: ReorderBuffer[Ticket] = ReorderBuffer(SINK_LINK)
        self.undrawn = 0
        self._ledger = ledger
        self._judge = freshness
        self._shutdown = shutdown
        self._shows_dropped = shows_dropped
        self._room_bytes = room_bytes

    def issue(self, frame: Frame, record: FrameRecord) -> Ticket:
        """The ticket of a frame that is due now."""
        self.open(record)
        return Ticket(frame, record, self)

    def lose(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        """A frame that is due now has no picture: it could not be decoded, or never came."""
        self.open(record)
        self.slots.skip(record.frame)
        self.close(record, outcome, reason)

    def open(self, record: FrameRecord) -> None:
        """A frame has been scheduled."""
        self._ledger.open(record)
        self.settled.enter()

    def detected(self, record: FrameRecord) -> None:
        """A frame's boxes are usable."""
        self._ledger.detected(record)
        self._judge.served(record.service or 0)

    def close(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        """A frame has its outcome. An error in writing its row ends the run."""
        try:
            self._ledger.close(record, outcome, reason)
        except SinkError as error:
            self._shutdown.fail(error)
        self.settled.leave()

    def has_room_for(self, frame: Frame) -> bool:
        """The picture of a dropped frame is wanted, and may wait for its place in the video."""
        room = self._shows_dropped and len(self.slots) * frame.image.nbytes < self._room_bytes
        self.undrawn += self._shows_dropped and not room
        return room
