"""Faults of the process: small children stop it for a while, or use its cores.

Processes that are started afresh import this file: nothing heavy belongs here.
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
    """A fault of the process, and the children that cause it. They end with this process."""

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self._children: list[Child] = []
        match trigger.fault.kind:
            case Kind.STOP:
                self._children = [Child(stop, os.getpid())]
            case Kind.HOG:
                self._children = [Child(hog, share) for share in shares(trigger.fault.cores)]

    def wait_ready(self) -> None:
        """Blocks until the children are ready. Raises SourceError."""
        for child in self._children:
            try:
                child.hear(READY_WITHIN_S)
            except ChildLost as error:
                raise self._lost(error) from error

    def begin(self, delay_us: int) -> None:
        """Begins the fault after ``delay_us``; does not wait for it. Raises SourceError."""
        for child in self._children:
            try:
                child.tell((delay_us / 1_000_000, self.trigger.fault.for_us / 1_000_000))
            except ChildLost as error:
                raise self._lost(error) from error

    def kill(self) -> None:
        """Ends the children at once; may be called again."""
        for child in self._children:
            child.kill()
        self._children = []

    def _lost(self, error: ChildLost) -> SourceError:
        return SourceError(f"{self.trigger.fault.name} could not be made: {error}")


def stop(link: Connection, process: int) -> None:
    """In a child: on its command stops the process, and continues it in time."""
    send(link, None)
    delay_s, for_s = link.recv()
    if link.poll(delay_s):
        return  # the process has ended
    os.kill(process, signal.SIGSTOP)
    try:
        link.poll(for_s)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def hog(link: Connection, share: float) -> None:
    """In a child: on its command keeps a core busy for a ``share`` of the time, for as long as the command says."""
    send(link, None)
    delay_s, for_s = link.recv()
    if link.poll(delay_s):
        return
    end = time.monotonic() + for_s
    while time.monotonic() < end and not link.poll(busy(share)):
        pass
