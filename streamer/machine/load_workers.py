"""The processes of a load: each does one thing until it gets the command to end, or its parent has gone.

A new process imports this file: nothing heavy belongs here.
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
"""The period of a busy process; it works for a share of each."""
CHUNK = 1 << 20
LEAST_RATE = 10
"""The least number of writes a second, so that a short run has the rate as well."""
FILE_CHUNKS = 64
"""The size of the file, which is written over and over, so that the disk does not fill up."""
PAGE = 4096


class Command(Enum):
    """The commands to a process of a load."""

    BEGIN = "count from now"
    END = "say what you took, and end"


@dataclass(frozen=True, slots=True)
class Took:
    """What a process used since the beginning: CPU seconds, seconds, the most bytes held, and bytes written.

    ``nice`` is its effective niceness, None where it is unknown.
    """

    cpu_s: float
    wall_s: float
    resident: int
    written: int
    nice: int | None

    @property
    def cores(self) -> float:
        """The CPU used, in cores."""
        return self.cpu_s / self.wall_s if self.wall_s else 0.0

    @property
    def written_s(self) -> float:
        """Bytes written a second."""
        return self.written / self.wall_s if self.wall_s else 0.0


class _Work:
    """The line to the parent, and what was used since its command to begin."""

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
        """What was used since the beginning."""
        return Took(
            time.process_time() - self._cpu_s,
            time.monotonic() - self._wall_s,
            self.resident,
            self.written - self._before,
            os.nice(0) if hasattr(os, "nice") else None,
        )

    def goes_on(self, within_s: float) -> bool:
        """Obeys the parent's commands, waiting ``within_s`` at most; returns False when it is to end.

        Raises EOFError when the parent has gone.
        """
        while self._link.poll(within_s):
            if self._link.recv() is Command.END:
                send(self._link, self.took())
                return False
            self._begin()
            within_s = 0
        return True

    def loop(self, step: Callable[[], float]) -> None:
        """Repeats the step, which returns how many seconds to pause after it."""
        send(self._link, self.took())
        pause_s = 0.0
        while self.goes_on(pause_s):
            pause_s = step()


@contextmanager
def _failure_reported(link: Connection) -> Iterator[None]:
    """Sends a failure to the parent, as a text, in place of a `Took`."""
    try:
        yield
    except MemoryError:
        send(link, "there is not so much memory")
    except OSError as error:  # also when the parent has gone: then sending raises BrokenPipeError
        send(link, f"it cannot write: {error.strerror}")


def burn(link: Connection, share: float, nice: int) -> None:
    """Keeps a core busy for a ``share`` of the time."""
    _Work(link, nice).loop(partial(busy, share))


def busy(share: float) -> float:
    """Is busy for a ``share`` of a slice; returns how many seconds to pause after it."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < share * SLICE_S:
        pass
    return (1 - share) * SLICE_S


def hold(link: Connection, size: int, nice: int) -> None:
    """Holds ``size`` bytes, and touches them once a second so that they stay in memory."""
    from streamer.machine.usage import resident_bytes  # here, so that a load's other processes need not import it

    work, before = _Work(link, nice), resident_bytes()
    with _failure_reported(link):
        held, marks = bytearray(size), b"\1" * len(range(0, size, PAGE))

        def step() -> float:
            held[::PAGE] = marks
            work.resident = max(work.resident, resident_bytes() - before)
            return 1.0

        step()
        work.loop(step)


def write(link: Connection, bytes_s: int, directory: str, nice: int) -> None:
    """Writes ``bytes_s`` bytes a second to the disk of ``directory``, into a file without a name."""
    work = _Work(link, nice)
    chunk, begun = os.urandom(min(CHUNK, bytes_s // LEAST_RATE)), time.monotonic()
    with _failure_reported(link), tempfile.TemporaryFile(dir=directory, buffering=0) as file:

        def step() -> float:
            if work.written // len(chunk) % FILE_CHUNKS == 0:
                file.seek(0)
            work.written += file.write(chunk) or 0
            os.fsync(file.fileno())
            return max(0.0, begun + work.written / bytes_s - time.monotonic())

        work.loop(step)
