"""``run.json``, read field by field: what is missing or of another kind is a reason, not a crash."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamer.verify.reasons import Unreadable

NAME = "run.json"
MOST_FRAMES, MOST_MS = 10**9, 1e12
"""What the tables can hold; with 64 bits for microseconds nothing overflows."""


class Document:
    """A manifest. Fields are named by their path, as in ``get("run", "fps")``.

    Raises Unreadable when the file cannot be read, and wherever a field is not what was asked for.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._root = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Unreadable(f"no {NAME}: the run did not finish") from None
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{self.name}: is no JSON document: {error}") from error
        if not isinstance(self._root, dict):
            raise Unreadable(f"{self.name}: is no JSON object")

    def has(self, *path: str) -> bool:
        """The field is there and not null."""
        try:
            return self.get(*path) is not None
        except Unreadable:
            return False

    def get(self, *path: str) -> Any:
        """A field of any kind."""
        found = self._root
        for name in path:
            if not isinstance(found, dict) or name not in found:
                raise Unreadable(f"{self.name} {'.'.join(path)}: is missing")
            found = found[name]
        return found

    def group(self, *path: str) -> dict[str, Any]:
        """A field that holds others."""
        found = self.get(*path)
        if not isinstance(found, dict):
            raise self._other(path, found, "an object")
        return found

    def many(self, *path: str) -> list[Any]:
        """A field that holds a list."""
        found = self.get(*path)
        if not isinstance(found, list):
            raise self._other(path, found, "a list")
        return found

    def text(self, *path: str) -> str:
        """A string."""
        found = self.get(*path)
        if not isinstance(found, str):
            raise self._other(path, found, "a string")
        return found

    def number(self, *path: str) -> Fraction:
        """A finite number, exactly as it stands in the file's double precision."""
        found = self.get(*path)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise self._other(path, found, "a number")
        return Fraction(found)

    def whole(self, *path: str) -> int:
        """A whole number, 0 or more."""
        found = self.get(*path)
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise self._other(path, found, "a whole number")
        return found

    def rate(self, *path: str) -> Fraction:
        """Frames per second, a string as in "30000/1001"."""
        found = self.text(*path)
        try:
            rate = Fraction(found)
        except (ValueError, ZeroDivisionError):
            rate = Fraction(0)
        if rate <= 0:
            raise self._other(path, found, "frames per second")
        return rate

    def _other(self, path: tuple[str, ...], found: object, expected: str) -> Unreadable:
        return Unreadable(f"{self.name} {'.'.join(path)}: found {json.dumps(found)[:60]}, expected {expected}")


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream: the size of its pictures, its source's nominal rate, whether that is live, and its phase.

    The phase is how much later than the origin it begins.

    ``frames`` is how many were scheduled and how many of these delivered, None in a manifest that does not say.
    ``gaps`` are those of its source's times: the frame after each, its length, and how much of it was skipped, in
    microseconds. The source starts again after ``loops_after`` frames, None where that is not told.
    """

    width: int
    height: int
    source_rate: Fraction
    live: bool
    phase_us: int
    frames: tuple[int, int] | None
    gaps: tuple[tuple[int, int, int], ...] = ()
    loops_after: int | None = None


class RunFacts:
    """What the checks need to know about a run: how its frames were due, and what was asked of it.

    It was ``killed`` when ``run.json`` is not its own, or missing: what was in the encoders then is lost.
    """

    def __init__(self, document: Document) -> None:
        self.schedule = document.text("run", "schedule")
        if self.schedule not in ("fps", "source", "max"):
            raise Unreadable(f"{document.name} run.schedule: found {self.schedule!r}, expected fps, source or max")
        self.closed_loop = self.schedule == "max"
        self.waits = document.text("run", "policy") == "wait"
        self.streams = _streams(document)
        self._rate = None if self.schedule != "fps" else document.rate("run", "fps")
        self.nominal = not self.closed_loop and not document.has("run", "arrivals")
        self.deadline_us = (
            round(document.number("run", "deadline_ms") * 1000) if document.has("run", "deadline_ms") else None
        )
        self.duration_us = round(document.number("run", "duration_s") * 1_000_000)
        self.rounds = _rounds(document)
        self.killed = document.name != NAME or document.has("repaired")
        self.video = document.text("run", "video")
        if self.video not in ("delivered", "all", "none"):
            raise Unreadable(f"{document.name} run.video: found {self.video!r}, expected delivered, all or none")

    def rate(self, stream: int) -> Fraction:
        """How many frames of a stream are due a second, nominally."""
        return self._rate or self.streams[stream].source_rate


def _rounds(document: Document) -> list[tuple[int, int]]:
    """Of a run in rounds: the first frame of each, and when it was due in microseconds; else none."""
    found = document.get("run", "rounds") if document.has("run", "rounds") else []
    try:
        rounds = [(int(one["frame"]), round(Fraction(one["start_ms"]) * 1000)) for one in found]
    except (TypeError, KeyError, ValueError):
        rounds = [(-1, 0)]
    if rounds and ([frame for frame, _ in rounds] != sorted({frame for frame, _ in rounds}) or rounds[0][0] != 0):
        raise Unreadable(
            f"{document.name} run.rounds: found {json.dumps(found)[:60]}, expected rounds from frame 0 on"
        )
    return rounds


def _gaps(found: list[dict[str, Any]]) -> tuple[tuple[int, int, int], ...]:
    """Raises ValueError for gaps that are out of order, or of which more was skipped than there is."""
    gaps = []
    for one in found:
        frame, length_ms, skipped_ms = int(one["frame"]), float(one["ms"]), float(one["skipped_ms"])
        if not (0 < frame < MOST_FRAMES and 0 <= skipped_ms < length_ms < MOST_MS):
            raise ValueError
        gaps.append((frame, round(Fraction(length_ms) * 1000), round(Fraction(skipped_ms) * 1000)))
    frames = [frame for frame, _, _ in gaps]
    if frames != sorted(set(frames)):
        raise ValueError
    return tuple(gaps)


def _loops_after(found: Any) -> int | None:
    """Raises ValueError for what is no number of frames."""
    if found is not None and not 0 < int(found) < MOST_FRAMES:
        raise ValueError
    return None if found is None else int(found)


def _streams(document: Document) -> list[StreamFacts]:
    """The streams in the order of their numbers; a manifest that has none is of one, that of ``source``."""
    live = document.has("source", "live") and document.get("source", "live") is True
    if not document.has("streams"):
        width, height = document.whole("source", "width"), document.whole("source", "height")
        return [StreamFacts(width, height, document.rate("source", "fps"), live, 0, None)]
    found = document.get("streams")
    try:
        if not found:
            raise ValueError
        return [
            StreamFacts(
                int(one["width"]),
                int(one["height"]),
                Fraction(one["fps"]),
                one.get("live", live) is True,
                round(Fraction(one["phase_ms"]) * 1000),
                (int(one["scheduled"]), int(one["delivered"])),
                _gaps(one.get("gaps", [])),
                _loops_after(one.get("loops_after")),
            )
            for one in found
        ]
    except (TypeError, KeyError, ValueError, ZeroDivisionError):
        raise Unreadable(
            f"{document.name} streams: found {json.dumps(found)[:60]}, expected the facts of each"
        ) from None
