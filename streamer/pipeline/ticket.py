"""A ticket per frame: it holds the frame's resources in the pipeline, and releases them with its outcome in one act.

From its due instant a frame holds the gate, behind which nothing is decoded, a slot in the reorder buffer, and a
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
"""The results that may wait for the sink: a slow encoder holds the engine back, and memory does not grow."""


class Ticket:
    """One frame in the pipeline, and its record. ``item`` is its result for the sink, None before there is one.

    Made by `Tickets.issue`. Only one of the methods that give the frame its outcome may be called, and only once.
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
        """Closes the frame as ``dropped``. Its picture may still go into the video."""
        self._leave_gate()
        if self._tickets.has_room_for(self.frame):
            self.item = Dropped(self.frame, self.record)
            self._tickets.slots.put_now(self.frame.index, self)
        else:
            self._tickets.slots.skip(self.frame.index)
        self._tickets.close(self.record, Outcome.DROPPED, reason)

    async def detected(self, detections: Detections) -> None:
        """Notes that the boxes are usable. Waits until the sink has room for the result."""
        self._leave_gate()
        self._tickets.detected(self.record)
        self.item = Result(self.frame, self.record, detections)
        await self._tickets.slots.put(self.frame.index, self)

    def fail(self, outcome: Outcome) -> None:
        """Closes the frame with ``outcome``: the engine or the sink failed at it, or it is abandoned."""
        self._leave_gate()
        if self.item is None:
            self._tickets.slots.skip(self.frame.index)
        self._tickets.close(self.record, outcome)

    def deliver(self) -> None:
        """Closes the frame as ``delivered``: the sink has written its result."""
        self._tickets.close(self.record, Outcome.DELIVERED, AFTER_DAMAGE if self.frame.after_damage else "")

    def _leave_gate(self) -> None:
        if self._holds_gate:
            self._holds_gate = False
            self._tickets.gate.leave()


class Tickets:
    """The tickets of one stream. ``slots`` has the tickets to be written, in the order of the frames.

    Pictures of dropped frames that wait for those before them have ``room_bytes`` of memory. ``undrawn`` counts those
    that found no room. ``settled`` is open while every scheduled frame has its outcome.
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
        self._freshness = freshness
        self._shutdown = shutdown
        self._shows_dropped = shows_dropped
        self._room_bytes = room_bytes

    def issue(self, frame: Frame, record: FrameRecord) -> Ticket:
        """Opens the record of a frame that is due now, and returns its ticket."""
        self.open(record)
        return Ticket(frame, record, self)

    def lose(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        """Closes a frame that is due now and has no picture: it could not be decoded, or never came."""
        self.open(record)
        self.slots.skip(record.frame)
        self.close(record, outcome, reason)

    def open(self, record: FrameRecord) -> None:
        """Opens the record of a frame that has been scheduled."""
        self._ledger.open(record)
        self.settled.enter()

    def detected(self, record: FrameRecord) -> None:
        """Notes that a frame's boxes are usable."""
        self._ledger.detected(record)
        self._freshness.served(record.service or 0)

    def close(self, record: FrameRecord, outcome: Outcome, reason: str = "") -> None:
        """Closes a frame's record with its outcome. An error in writing its row ends the run."""
        try:
            self._ledger.close(record, outcome, reason)
        except SinkError as error:
            self._shutdown.fail(error)
        self.settled.leave()

    def has_room_for(self, frame: Frame) -> bool:
        """Whether the picture of a dropped frame is wanted, and has room to wait for its place in the video."""
        room = self._shows_dropped and len(self.slots) * frame.image.nbytes < self._room_bytes
        self.undrawn += self._shows_dropped and not room
        return room
