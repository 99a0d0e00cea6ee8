"""Faults of the process: small children stop it for a while, or take its cores.

The children are imported by processes that are started afresh: nothing heavy belongs here.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from streamer.errors import SourceError
from streamer.faults.kinds import Kind
from streamer.faults.trigger import Trigger
from streamer.machine.load import shares
from streamer.machine.load_workers import busy
from streamer.workers.processes import Child, ChildLost, send

READY_WITHIN_S = 60.0


class ProcessFault:
    """A fault of the process and its children, which wait for it to begin; they end with this process."""

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self._children: list[Child] = []
        match trigger.fault.kind:
            case Kind.STOP:
                self._children = [Child(stop, os.getpid())]
            case Kind.HOG:
                self._children = [Child(hog, share) for share in shares(trigger.fault.cores)]

    def wait_ready(self) -> None:
        """Returns when they wait. Blocks. Raises SourceError."""
        for child in self._children:
            try:
                child.hear(READY_WITHIN_S)
            except ChildLost as error:
                raise self._lost(error) from error

    def begin(self, delay_us: int) -> None:
        """Begins so much later. Raises SourceError."""
        for child in self._children:
            try:
                child.tell((delay_us / 1_000_000, self.trigger.fault.for_us / 1_000_000))
            except ChildLost as error:
                raise self._lost(error) from error

    def kill(self) -> None:
        """Ends it at once; may be called again."""
        for child in self._children:
            child.kill()
        self._children = []

    def _lost(self, error: ChildLost) -> SourceError:
        return SourceError(f"{self.trigger.fault.name} could not be made: {error}")


def stop(link: Connection, process: int) -> None:
    """In a child: stops the process when it is told to, and lets it go on."""
    send(link, None)
    delay_s, for_s = link.recv()
    if link.poll(delay_s):
        return  # it has gone
    os.kill(process, signal.SIGSTOP)
    try:
        link.poll(for_s)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def hog(link: Connection, share: float) -> None:
    """In a child: keeps a core busy for a ``share`` of the time, when it is told to and for as long."""
    send(link, None)
    delay_s, for_s = link.recv()
    if link.poll(delay_s):
        return
    end = time.monotonic() + for_s
    while time.monotonic() < end and not link.poll(busy(share)):
        pass
