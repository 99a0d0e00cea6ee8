"""A load on the machine beside a run: what is asked for, and the processes that make it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import UsageError
from streamer.load_workers import Told, Took, burn, hold, write
from streamer.machine import usable_cores
from streamer.processes import Child, ChildLost
from streamer.sizes import parse_size

EXAMPLE = "cpu=1.5,mem=2G,io=50M/s,nice=5"
ANSWERS_WITHIN_S = 2.0
READY_WITHIN_S = 60.0
"""Gigabytes have to be written before they are held."""
LEAST_BYTES = 1_000
FALLS_SHORT = 0.9
"""A load that came to less than this share of what was asked is doubted."""


@dataclass(frozen=True, slots=True)
class Load:
    """Busy processes worth so many ``cores``, memory held, bytes written a second, at a niceness."""

    cores: float = 0.0
    memory_bytes: int = 0
    io_bytes_s: int = 0
    nice: int = 0


def parse_load(texts: Sequence[str]) -> Load | None:
    """A load such as cpu=1.5,mem=2G,io=50M/s,nice=5, in one text or several; None for no text. Raises UsageError."""
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
    return _size(entry, value, "mem=2G")


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
    if not re.fullmatch(r"\d+", value) or not 0 < int(value) <= 19:
        raise UsageError(f"--load {entry}: give a niceness of 1 to 19, as in nice=5")
    return int(value)


_KEYS = {
    "cpu": ("cores", _cores),
    "mem": ("memory_bytes", _memory),
    "io": ("io_bytes_s", _io),
    "nice": ("nice", _nice),
}


class LoadProcesses:
    """The processes of a load, started: they end with this one, however that ends.

    ``beside`` is a directory on the disk that is to be written to; what is written has no name there, and nothing is
    left of it.
    """

    def __init__(self, load: Load, beside: Path) -> None:
        self.load = load
        self.took: Took | None = None
        self.lost: list[str] = []
        busy = [1.0] * math.floor(load.cores) + ([load.cores % 1] if load.cores % 1 else [])
        self._children = [Child(burn, share, load.nice) for share in busy]
        if load.memory_bytes:
            self._children.append(Child(hold, load.memory_bytes, load.nice))
        if load.io_bytes_s:
            self._children.append(Child(write, load.io_bytes_s, str(beside), load.nice))

    def wait_ready(self) -> None:
        """Returns when all are at work. Blocks."""
        self._ask(None, READY_WITHIN_S)

    def begin(self) -> None:
        """What they take is counted from now on."""
        for child in self._children:
            try:
                child.tell(Told.BEGIN)
            except ChildLost as error:
                self._lose(child, error)

    def finish(self) -> None:
        """Ends them; ``took`` says what they have taken since the beginning."""
        found = self._ask(Told.END, ANSWERS_WITHIN_S)
        self.took = Took(
            sum(took.cpu_s for took in found),
            max((took.wall_s for took in found), default=0.0),
            sum(took.resident_mb for took in found),
            sum(took.written for took in found),
        )
        for child in self._children:
            child.end()
        self._children = []

    def kill(self) -> None:
        """Ends them at once; may be called again."""
        for child in self._children:
            child.kill()
        self._children = []

    def _ask(self, question: Told | None, within_s: float) -> list[Took]:
        found = []
        for child in list(self._children):
            try:
                if question is not None:
                    child.tell(question)
                found.append(child.hear(within_s))
            except ChildLost as error:
                self._lose(child, error)
        return found

    def _lose(self, child: Child, error: ChildLost) -> None:
        child.kill()
        self._children.remove(child)
        self.lost.append(str(error))

    def part(self) -> dict[str, Any]:
        """As the manifest holds it; ``took`` is null until the end."""
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
                "cpu_cores": round(took.cpu_s / took.wall_s, 3) if took.wall_s else 0.0,
                "memory_mb": round(took.resident_mb, 3),
                "io_mb_s": round(took.written / 1e6 / took.wall_s, 3) if took.wall_s else 0.0,
            },
            "lost": self.lost,
        }

    def doubts(self) -> list[str]:
        """What it could not do as it was asked to."""
        part = self.part()
        found = [f"a process of the load did not come to the end: {why}" for why in self.lost]
        for name, unit in (("cpu_cores", "cores"), ("memory_mb", "MB"), ("io_mb_s", "MB a second")):
            asked, took = part["asked"][name], (part["took"] or part["asked"])[name]
            if took < FALLS_SHORT * asked:
                found.append(f"the load fell short: {took:g} of {asked:g} {unit}")
        return found
