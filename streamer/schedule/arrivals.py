"""Simulated arrivals, later than the camera captured the frames: recorded, or in a network camera's bursts."""

from __future__ import annotations

import csv
import os
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamer.errors import UsageError

COLUMN = "arrival_ms"


class Arrivals(Protocol):
    """A model of arrivals. ``text`` is the value of ``--arrivals`` for it."""

    @property
    def text(self) -> str: ...

    def due_us(self, index: int, nominal_us: int) -> int | None:
        """When frame ``index`` arrives, captured at ``nominal_us``, in microseconds; None when no more arrive."""
        ...


@dataclass(frozen=True, slots=True)
class Bursty:
    """A network camera that falls silent before each large key frame, and then delivers the backlog at once.

    For the last ``pause_us`` of every ``every_us`` nothing arrives.
    """

    pause_us: int = 450_000
    every_us: int = 2_000_000

    @property
    def text(self) -> str:
        return f"bursty,pause_ms={self.pause_us / 1e3:g},every_s={self.every_us / 1e6:g}"

    def due_us(self, index: int, nominal_us: int) -> int:
        periods, phase = divmod(nominal_us, self.every_us)
        return (periods + 1) * self.every_us if phase >= self.every_us - self.pause_us else nominal_us


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recorded arrival times in microseconds since the first."""

    text: str
    instants_us: array[int]

    def due_us(self, index: int, nominal_us: int) -> int | None:
        return self.instants_us[index] if index < len(self.instants_us) else None


def parse_arrivals(text: str) -> Arrivals:
    """The arrivals of ``--arrivals``: ``bursty`` with its refinements, or a CSV file with a column ``arrival_ms``.

    Raises UsageError for anything else, and for times that go back.
    """
    name, *refinements = text.split(",")
    if name != "bursty":
        return _recorded(text)
    values = {"pause_ms": 450.0, "every_s": 2.0}
    for refinement in refinements:
        key, _, value = refinement.partition("=")
        if key not in values:
            raise UsageError(f"--arrivals {text}: bursty takes pause_ms and every_s, not {key!r}")
        try:
            values[key] = float(value)
        except ValueError:
            raise UsageError(f"--arrivals {text}: {key} takes a number, not {value!r}") from None
    pause_us, every_us = round(values["pause_ms"] * 1e3), round(values["every_s"] * 1e6)
    if not 0 < pause_us < every_us:
        raise UsageError(f"--arrivals {text}: the pause must be longer than 0 and shorter than every_s")
    return Bursty(pause_us, every_us)


def _recorded(text: str) -> Recorded:
    path = Path(text)
    if not os.path.exists(path):
        raise UsageError(f"--arrivals {text}: no such file; give a CSV with a column {COLUMN}, or bursty")
    instants: array[int] = array("q")
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if COLUMN not in (rows.fieldnames or ()):
                raise UsageError(f"--arrivals {text}: has no column {COLUMN}")
            for row in rows:
                us = _microseconds(row[COLUMN])
                if us is None:
                    raise UsageError(f"--arrivals {text}: line {rows.line_num}: {row[COLUMN]!r} is no time")
                if instants and us < instants[-1]:
                    raise UsageError(
                        f"--arrivals {text}: line {rows.line_num}: the time goes back to {row[COLUMN]} ms"
                    )
                instants.append(us)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"--arrivals {text}: cannot be read: {error}") from error
    if not instants:
        raise UsageError(f"--arrivals {text}: holds no times")
    return Recorded(text, array("q", [us - instants[0] for us in instants]))


def _microseconds(ms: str | None) -> int | None:
    try:
        return round(float(ms or "") * 1000)
    except (ValueError, OverflowError):
        return None
