"""The processes of a load, each of which does one thing until it is told to end, or its parent has gone.

Imported by a process that is started afresh: nothing heavy belongs here.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing.connection import Connection

SLICE_S = 0.01
"""A busy process looks up so often; a share of it is spent working."""
CHUNK = 1 << 20
FILE_CHUNKS = 64
"""Written over and over, so that the disk does not fill up."""
PAGE = 4096


class Told(Enum):
    """What a process of a load is told."""

    BEGIN = "count from now"
    END = "say what you took, and end"


@dataclass(frozen=True, slots=True)
class Took:
    """CPU seconds and seconds since the beginning, memory held in MB, bytes written."""

    cpu_s: float
    wall_s: float
    resident_mb: float
    written: int


class _Work:
    """The line to the parent, and what was taken since it said so."""

    def __init__(self, link: Connection, nice: int) -> None:
        self._link = link
        self.resident_mb = 0.0
        self.written = 0
        with suppress(AttributeError, OSError):
            os.nice(nice)
        self._begin()

    def _begin(self) -> None:
        self._cpu_s, self._wall_s, self._before = time.process_time(), time.monotonic(), self.written

    def took(self) -> Took:
        """Since the beginning."""
        return Took(
            time.process_time() - self._cpu_s,
            time.monotonic() - self._wall_s,
            self.resident_mb,
            self.written - self._before,
        )

    def goes_on(self, within_s: float) -> bool:
        """Hears what it is told, waiting for it for so long at most; False when it is to end.

        Raises EOFError when the parent has gone.
        """
        while self._link.poll(within_s):
            told = self._link.recv()
            if told is Told.END:
                self._link.send(self.took())
                return False
            self._begin()
            within_s = 0
        return True

    def loop(self, step: Callable[[], float]) -> None:
        """Does the step again and again; it returns how long to pause behind it."""
        self._link.send(self.took())
        pause_s = 0.0
        while self.goes_on(pause_s):
            pause_s = step()


def burn(link: Connection, share: float, nice: int) -> None:
    """Keeps a core busy for a ``share`` of the time."""

    def step() -> float:
        begin = time.perf_counter()
        while time.perf_counter() - begin < share * SLICE_S:
            pass
        return (1 - share) * SLICE_S

    _Work(link, nice).loop(step)


def hold(link: Connection, size: int, nice: int) -> None:
    """Holds so many bytes, and touches them once a second so that they stay in memory."""
    work = _Work(link, nice)
    held = bytearray(size)

    def step() -> float:
        for at in range(0, size, PAGE):
            held[at] = (held[at] + 1) % 256
        work.resident_mb = size / 1e6
        return 1.0

    step()
    work.loop(step)


def write(link: Connection, bytes_s: int, directory: str, nice: int) -> None:
    """Writes so many bytes a second to the disk of ``directory``, into a file that has no name."""
    work = _Work(link, nice)
    chunk, begun = os.urandom(min(CHUNK, bytes_s)), time.monotonic()
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:

        def step() -> float:
            if work.written // len(chunk) % FILE_CHUNKS == 0:
                file.seek(0)
            work.written += file.write(chunk) or 0
            os.fsync(file.fileno())
            return max(0.0, begun + work.written / bytes_s - time.monotonic())

        work.loop(step)
