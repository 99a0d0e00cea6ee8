"""One stream of a run: what it plays, when, where its results go, and what stands between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamer.frame import Frame
from streamer.pipeline.decode_ahead import Gate, LookAhead
from streamer.pipeline.drop_policy import Judge
from streamer.pipeline.feed import Job
from streamer.pipeline.link import PolicyLink
from streamer.pipeline.reorder import ReorderBuffer
from streamer.schedule.schedule import Schedule
from streamer.sink.sink import Dropped, Result, Sink
from streamer.sources.base import Source, Unreadable
from streamer.workers.run_clock import RunTime

SINK_LINK = 2
"""Results that may wait for the sink: a slow encoder then holds the engine back, and memory does not grow."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream is made of. ``first`` is what its source gave first."""

    source: Source
    first: Frame | Unreadable | None
    schedule: Schedule
    judge: Judge
    sink: Sink


class Line:
    """A stream under way: its frames decoded ahead, its link to the engine, and its results in their order.

    ``undrawn`` counts dropped frames whose picture could not wait for its place in the video.
    """

    def __init__(
        self, stream: Stream, link: PolicyLink[Job], gate: Gate, time: RunTime, decoded: Callable[[int, int], None]
    ) -> None:
        self.stream = stream
        self.link = link
        self.buffer: ReorderBuffer[Result | Dropped] = ReorderBuffer(SINK_LINK)
        self.ahead = LookAhead(stream.source, stream.first, time, gate, decoded)
        self.undrawn = 0
