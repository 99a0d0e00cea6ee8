"""The processes of a load, each of which does one thing until it is told to end, or its parent has gone.

Imported by a process that is started afresh: nothing heavy belongs here.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from multiprocessing.connection import Connection

from streamer.workers.processes import send

SLICE_S = 0.01
"""A busy process looks up so often; a share of it is spent working."""
CHUNK = 1 << 20
LEAST_RATE = 10
"""So often a second is written at least: a short run has the rate as well."""
FILE_CHUNKS = 64
"""Written over and over, so that the disk does not fill up."""
PAGE = 4096


class Command(Enum):
    """What a process of a load is told."""

    BEGIN = "count from now"
    END = "say what you took, and end"


@dataclass(frozen=True, slots=True)
class Took:
    """Since the beginning: CPU seconds, seconds, bytes held at the most, bytes written; and the niceness in force."""

    cpu_s: float
    wall_s: float
    resident: int
    written: int
    nice: int | None

    @property
    def cores(self) -> float:
        """CPU seconds a second."""
        return self.cpu_s / self.wall_s if self.wall_s else 0.0

    @property
    def written_s(self) -> float:
        """Bytes written a second."""
        return self.written / self.wall_s if self.wall_s else 0.0


class _Work:
    """The line to the parent, and what was taken since it said so."""

    def __init__(self, link: Connection, nice: int) -> None:
        self._link = link
        self.resident = 0
        self.written = 0
        if nice:
            os.nice(nice)
        self._begin()

    def _begin(self) -> None:
        self._cpu_s, self._wall_s, self._before = time.process_time(), time.monotonic(), self.written

    def took(self) -> Took:
        """Since the beginning."""
        return Took(
            time.process_time() - self._cpu_s,
            time.monotonic() - self._wall_s,
            self.resident,
            self.written - self._before,
            os.nice(0) if hasattr(os, "nice") else None,
        )

    def goes_on(self, within_s: float) -> bool:
        """Hears what it is told, waiting for it for so long at most; False when it is to end.

        Raises EOFError when the parent has gone.
        """
        while self._link.poll(within_s):
            told = self._link.recv()
            if told is Command.END:
                send(self._link, self.took())
                return False
            self._begin()
            within_s = 0
        return True

    def loop(self, step: Callable[[], float]) -> None:
        """Does the step again and again; it returns how long to pause behind it."""
        send(self._link, self.took())
        pause_s = 0.0
        while self.goes_on(pause_s):
            pause_s = step()


@contextmanager
def _telling(link: Connection) -> Iterator[None]:
    """What fails is said to the parent, as a text, in place of what was taken."""
    try:
        yield
    except MemoryError:
        send(link, "there is not so much memory")
    except OSError as error:  # of a parent that has gone as well: then saying it raises BrokenPipeError
        send(link, f"it cannot write: {error.strerror}")


def burn(link: Connection, share: float, nice: int) -> None:
    """Keeps a core busy for a ``share`` of the time."""
    _Work(link, nice).loop(partial(busy, share))


def busy(share: float) -> float:
    """Is busy for a ``share`` of a slice; returns how long to pause behind it."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < share * SLICE_S:
        pass
    return (1 - share) * SLICE_S


def hold(link: Connection, size: int, nice: int) -> None:
    """Holds so many bytes, and touches them once a second so that they stay in memory."""
    from streamer.machine.usage import resident_bytes  # what the other processes of a load need not import

    work, before = _Work(link, nice), resident_bytes()
    with _telling(link):
        held, marks = bytearray(size), b"\1" * len(range(0, size, PAGE))

        def step() -> float:
            held[::PAGE] = marks
            work.resident = max(work.resident, resident_bytes() - before)
            return 1.0

        step()
        work.loop(step)


def write(link: Connection, bytes_s: int, directory: str, nice: int) -> None:
    """Writes so many bytes a second to the disk of ``directory``, into a file that has no name."""
    work = _Work(link, nice)
    chunk, begun = os.urandom(min(CHUNK, bytes_s // LEAST_RATE)), time.monotonic()
    with _telling(link), tempfile.TemporaryFile(dir=directory, buffering=0) as file:

        def step() -> float:
            if work.written // len(chunk) % FILE_CHUNKS == 0:
                file.seek(0)
            work.written += file.write(chunk) or 0
            os.fsync(file.fileno())
            return max(0.0, begun + work.written / bytes_s - time.monotonic())

        work.loop(step)
