"""Faults of a sink: writes that are slow or fail, and a disk that is full."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamer.errors import SinkError
from streamer.faults.disk import FullDisk
from streamer.faults.kinds import Kind
from streamer.faults.trigger import Trigger
from streamer.sink.sink import Dropped, Result, Sink


class FaultySink:
    """A sink with faults; ``block`` blocks for a number of seconds, ``stamp`` reads the run's time."""

    blocks = True

    def __init__(
        self,
        sink: Sink,
        faults: Sequence[Trigger],
        disk: FullDisk,
        stamp: Callable[[], int],
        block: Callable[[float], None],
    ) -> None:
        self._sink = sink
        self._faults = faults
        self._disk = disk
        self._stamp = stamp
        self._block = block
        self.shows_dropped = sink.shows_dropped

    def write(self, item: Result | Dropped) -> None:
        index, begun_us = item.frame.index, self._stamp()
        injected = [trigger.fault for trigger in self._faults if trigger.fires(index, begun_us)]
        if injected and isinstance(item, Result):
            item.record.sink_start = begun_us
        for fault in injected:
            match fault.kind:
                case Kind.SINK_FAIL:
                    raise SinkError(f"the sink failed at frame {index}: {fault.name}", frame=index)
                case Kind.DISK_FULL:
                    self._disk.full = True
                case Kind.SINK_SLOW:
                    self._block(fault.ms / 1000)
        self._sink.write(item)
        if injected and isinstance(item, Result):
            item.record.sink_start = begun_us  # the time that was lost is the sink's
