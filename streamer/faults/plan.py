"""The plan of faults on purpose: their kinds, and the frame or the time of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from streamer.errors import UsageError
from streamer.faults.kinds import KINDS, Kind
from streamer.machine.info import usable_cores
from streamer.units import parse_duration

EXAMPLE = 'kind = "stall", frame = 100, for = "2s"'
LONGEST_SIDE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of a ``stream``, from a ``frame`` on or from ``at_us`` of the run; one of the two is None.

    It is injected at so many ``frames``; None: at all from there on. ``for_us`` is how long it lasts in microseconds,
    ``size`` width and height in pixels. ``requested`` has the keys and values of the plan, ``name`` is what messages
    call it.
    """

    name: str
    kind: Kind
    frame: int | None
    at_us: int | None
    stream: int
    frames: int | None
    for_us: int
    ms: float
    kb: float
    cores: float
    size: tuple[int, int]
    requested: Mapping[str, Any] = field(compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """The faults of a run; ``path`` is where they were read from."""

    path: str
    faults: tuple[Fault, ...]


class _PlanFile(msgspec.Struct, forbid_unknown_fields=True):
    fault: list[dict[str, Any]]


def parse_plan(path: str) -> Plan:
    """Reads a plan from a TOML file. Raises UsageError, which names the file, the fault and how to mend it."""
    try:
        entries = msgspec.toml.decode(Path(path).read_bytes(), type=_PlanFile).fault
    except FileNotFoundError:
        raise UsageError(f"--faults {path}: no such file") from None
    except OSError as error:
        raise UsageError(f"--faults {path}: cannot be read ({error.strerror})") from error
    except msgspec.ValidationError:
        raise UsageError(f"--faults {path}: give [[fault]] tables and nothing else, as in {EXAMPLE}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--faults {path}: is no TOML ({error}); give [[fault]] tables, as in {EXAMPLE}") from error
    return plan_of(path, entries)


def plan_of(path: str, entries: Sequence[Mapping[str, Any]]) -> Plan:
    """The plan with these faults, each a mapping of its keys in TOML. Raises UsageError."""
    return Plan(path, tuple(_fault(path, number, entry) for number, entry in enumerate(entries, 1)))


def _fault(path: str, number: int, entry: Mapping[str, Any]) -> Fault:
    name = f"fault {number} of {path}"
    try:
        kind = Kind(entry.get("kind", ""))
    except ValueError:
        raise UsageError(f"{name}: kind is {entry.get('kind')!r}; give one of {', '.join(Kind)}") from None
    row = KINDS[kind]
    needed = row.needs
    known = {"kind", "frame", "at", "stream", *needed, *row.takes}
    for key in entry:
        if key not in known:
            raise UsageError(f"{name}: {kind} takes {', '.join(sorted(known - {'kind'}))}, not {key!r}")
    for key in needed:
        if key not in entry:
            raise UsageError(f"{name}: {kind} needs {key}, as in {_EXAMPLES[key]}")
    if ("frame" in entry) == ("at" in entry):
        raise UsageError(f'{name}: say once when it is to happen, as in frame = 100 or at = "3.2s"')
    read = {key: _READ[key](name, entry[key]) for key in known & entry.keys() & _READ.keys()}
    return Fault(
        name=name,
        kind=kind,
        frame=read.get("frame"),
        at_us=read.get("at"),
        stream=read.get("stream", 0),
        frames=read.get("frames", row.frames),
        for_us=read.get("for", 0),
        ms=read.get("ms", 0.0),
        kb=read.get("kb", 0.0),
        cores=read.get("cores", 0.0),
        size=read.get("size", (0, 0)),
        requested=dict(entry),
    )


Read = Callable[[str, object], Any]
"""Reads a value of the fault of this name. Raises UsageError."""


def _whole(key: str, least: int) -> Read:
    def read(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise UsageError(
                f"{name}: {key} is {value!r}; give a whole number from {least} on, as in {_EXAMPLES[key]}"
            )
        return value

    return read


def _number(key: str, most: float) -> Read:
    def read(name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
            raise UsageError(
                f"{name}: {key} is {value!r}; give a number above 0 and up to {most:g}, as in {_EXAMPLES[key]}"
            )
        return float(value)

    return read


def _time(key: str) -> Read:
    def read(name: str, value: object) -> int:
        try:
            return round(parse_duration(value if isinstance(value, str) else "") * 1_000_000)
        except UsageError:
            raise UsageError(f"{name}: {key} is {value!r}; give a time, as in {_EXAMPLES[key]}") from None

    return read


def _size(name: str, value: object) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value if isinstance(value, str) else "")
    if match is None or max(int(match[1]), int(match[2])) > LONGEST_SIDE:
        raise UsageError(f"{name}: size is {value!r}; give width and height, as in {_EXAMPLES['size']}")
    return int(match[1]), int(match[2])


_READ: dict[str, Read] = {
    # The first frame is read before the run begins.
    "frame": _whole("frame", 1),
    "at": _time("at"),
    "stream": _whole("stream", 0),
    "frames": _whole("frames", 1),
    "for": _time("for"),
    "ms": _number("ms", 3_600_000),
    "kb": _number("kb", 1_000_000),
    "cores": _number("cores", 4 * usable_cores()),
    "size": _size,
}
_EXAMPLES = {
    "frame": "frame = 100",
    "at": 'at = "3.2s"',
    "stream": "stream = 0",
    "frames": "frames = 5",
    "for": 'for = "2s"',
    "ms": "ms = 40",
    "kb": "kb = 1.5",
    "cores": "cores = 1.5",
    "size": 'size = "320x240"',
}
