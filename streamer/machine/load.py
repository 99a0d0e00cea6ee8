"""A load on the machine beside a run: the requested load, and the processes that make it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from streamer.errors import StreamerError, UsageError
from streamer.machine.info import memory_mb, usable_cores
from streamer.machine.load_workers import Command, Took, burn, hold, write
from streamer.units import parse_size
from streamer.workers.processes import Child, ChildLost

EXAMPLE = "cpu=1.5,mem=2G,io=50M/s,nice=5"
ANSWERS_WITHIN_S = 2.0
READY_WITHIN_S = 60.0
"""Long, since gigabytes have to be written before they are held."""
LEAST_BYTES = 1_000
FALLS_SHORT = 0.9
"""A load below this share of the request raises a doubt."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load: busy ``cores``, bytes of memory held, bytes written a second, and the niceness of its processes."""

    cores: float = 0.0
    memory_bytes: int = 0
    io_bytes_s: int = 0
    nice: int = 0


def parse_load(texts: Sequence[str]) -> Load | None:
    """The load in texts such as cpu=1.5,mem=2G,io=50M/s,nice=5; None for no text. Raises UsageError."""
    entries = [entry.strip() for text in texts for entry in text.split(",")]
    found: dict[str, Any] = {}
    for entry in entries:
        key, _, value = entry.partition("=")
        if key not in _KEYS:
            raise UsageError(f"--load {entry}: give {', '.join(_KEYS)}, as in {EXAMPLE}")
        name, read = _KEYS[key]
        if name in found:
            raise UsageError(f"--load {entry}: {key} is given twice; give it once")
        found[name] = read(entry, value)
    if found and found.keys() <= {"nice"}:
        raise UsageError("--load nice: there is nothing to be nice; add cpu, mem or io")
    return Load(**found) if found else None


def _cores(entry: str, value: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", value) or not 0 < float(value) <= 4 * usable_cores():
        raise UsageError(f"--load {entry}: give cores above 0 and up to {4 * usable_cores()}, as in cpu=1.5")
    return float(value)


def _memory(entry: str, value: str) -> int:
    size, there_mb = _size(entry, value, "mem=2G"), memory_mb()
    if there_mb is not None and size > there_mb * 1024 * 1024:
        raise UsageError(f"--load {entry}: this machine has {there_mb} MB of memory; give less, as in mem=2G")
    return size


def _io(entry: str, value: str) -> int:
    return _size(entry, value.removesuffix("/s"), "io=50M/s")


def _size(entry: str, value: str, example: str) -> int:
    try:
        size = parse_size(value)
    except UsageError:
        size = 0
    if size < LEAST_BYTES:
        raise UsageError(f"--load {entry}: give a size of 1K or more, as in {example}")
    return size


def _nice(entry: str, value: str) -> int:
    if not hasattr(os, "nice"):
        raise UsageError(f"--load {entry}: this system has no niceness; leave it out")
    if not re.fullmatch(r"\d+", value) or not 0 < int(value) <= 19:
        raise UsageError(f"--load {entry}: give a niceness of 1 to 19, as in nice=5")
    return int(value)


_KEYS = {
    "cpu": ("cores", _cores),
    "mem": ("memory_bytes", _memory),
    "io": ("io_bytes_s", _io),
    "nice": ("nice", _nice),
}


def shares(cores: float) -> list[float]:
    """The share of a core that each process keeps busy, for ``cores`` in all."""
    return [1.0] * math.floor(cores) + ([cores % 1] if cores % 1 else [])


class LoadFigures(TypedDict):
    """A load: as it was requested, or as it was measured."""

    cpu_cores: float
    """CPU in cores: CPU seconds per second."""
    memory_mb: float
    """Memory."""
    io_mb_s: float
    """Megabytes written to the disk per second."""
    nice: int | None
    """The niceness of its processes. Null when the system has none."""


class LoadPart(TypedDict):
    """The ``load`` of the manifest."""

    asked: LoadFigures
    """The load that ``--load`` requested."""
    took: LoadFigures | None
    """What its processes used during the run. Null in a repaired run."""
    lost: list[str]
    """Why processes of the load did not come to the end, in words. Empty when all did."""


class LoadProcesses:
    """The processes of a load, started. They end with this one, however that ends.

    ``beside`` is a directory on the disk to write to. The file has no name there, and nothing is left of it. Raises
    StreamerError when a process cannot be started.
    """

    def __init__(self, load: Load, beside: Path) -> None:
        self.load = load
        self.took: Took | None = None
        self.lost: list[str] = []
        self._children = [Child(burn, share, load.nice) for share in shares(load.cores)]
        if load.memory_bytes:
            self._children.append(Child(hold, load.memory_bytes, load.nice))
        if load.io_bytes_s:
            self._children.append(Child(write, load.io_bytes_s, str(beside), load.nice))

    def wait_ready(self) -> None:
        """Waits until all are at work. Blocks. Raises StreamerError when one cannot begin."""
        self._hear(READY_WITHIN_S)
        if self.lost:
            raise StreamerError(f"the load cannot be made: {self.lost[0]}; ask for less with --load")

    def begin(self) -> None:
        """Counts what they use from now on."""
        self._tell(Command.BEGIN)

    def finish(self) -> None:
        """Ends them; ``took`` is what they have used since `begin`. Blocks."""
        self._tell(Command.END)
        found = self._hear(ANSWERS_WITHIN_S)
        self.took = Took(
            sum(took.cpu_s for took in found),
            max((took.wall_s for took in found), default=0.0),
            sum(took.resident for took in found),
            sum(took.written for took in found),
            found[0].nice if found else None,
        )
        for child in self._children:
            child.end()
        self._children = []

    def kill(self) -> None:
        """Ends them at once; may be called again."""
        for child in self._children:
            child.kill()
        self._children = []

    def _tell(self, command: Command) -> None:
        for child in self._children:
            with suppress(ChildLost):  # its messages say why it has gone: they are read at the end
                child.tell(command)

    def _hear(self, within_s: float) -> list[Took]:
        """What each child used; removes the children that are lost or report a failure."""
        found = []
        for child in list(self._children):
            try:
                answer = child.hear(within_s)
            except ChildLost as error:
                answer = str(error)
            if isinstance(answer, Took):
                found.append(answer)
                continue
            child.kill()
            self._children.remove(child)
            self.lost.append(str(answer))
        return found

    @property
    def cores_used(self) -> float:
        """The CPU that they used, in cores; 0 until the end."""
        return 0.0 if self.took is None else self.took.cores

    def part(self) -> LoadPart:
        """The load's part of the manifest; ``took`` is null until the end."""
        load, took = self.load, self.took
        return {
            "asked": {
                "cpu_cores": load.cores,
                "memory_mb": round(load.memory_bytes / 1e6, 3),
                "io_mb_s": round(load.io_bytes_s / 1e6, 3),
                "nice": load.nice,
            },
            "took": None
            if took is None
            else {
                "cpu_cores": round(took.cores, 3),
                "memory_mb": round(took.resident / 1e6, 3),
                "io_mb_s": round(took.written_s / 1e6, 3),
                "nice": took.nice,
            },
            "lost": self.lost,
        }

    def doubts(self) -> list[str]:
        """The doubts: processes that were lost, and a load below the request."""
        part = self.part()
        requested, took = part["asked"], part["took"] or part["asked"]
        found = [f"a process of the load did not come to the end: {why}" for why in self.lost]
        for wanted, got, unit in (
            (requested["cpu_cores"], took["cpu_cores"], "cores"),
            (requested["memory_mb"], took["memory_mb"], "MB"),
            (requested["io_mb_s"], took["io_mb_s"], "MB a second"),
        ):
            if got < FALLS_SHORT * wanted:
                found.append(f"the load fell short: {got:g} of {wanted:g} {unit}")
        return found
