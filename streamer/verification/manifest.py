"""``run.json``, read field by field: a field that is missing or of another kind is a reason, not a crash."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamer.verification.reasons import Unreadable

NAME = "run.json"
MOST = 10**15
"""The largest number that is accepted: 31 years in microseconds. Sums of such numbers fit into 64 bits."""
MOST_FRAMES = 10**9
"""The most frames that the tables can hold."""
HASHED_FROM, NEWEST = 2, 2
"""The first ``schema_version`` with a hash of the document and all fields that are checked; and the newest one."""


class Document:
    """A manifest. Fields are named by their path, as in ``get("run", "fps")``.

    Raises Unreadable when the file cannot be read, and when a field is missing or of another kind than requested.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._root = json.loads(
                path.read_text(encoding="utf-8"), parse_constant=_refuse, object_pairs_hook=_without_repeats
            )
            absurd = _absurd(self._root)
        except FileNotFoundError:
            raise Unreadable(f"no {NAME}: the run did not finish") from None
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{self.name}: is no JSON document: {error}") from error
        if not isinstance(self._root, dict):
            raise Unreadable(f"{self.name}: is no JSON object")
        if absurd is not None:
            raise Unreadable(f"{self.name} {absurd}")

    @property
    def root(self) -> dict[str, Any]:
        """The whole document."""
        return dict(self._root)

    @property
    def all_declared(self) -> bool:
        """Whether the document is from a streamer that writes a hash. An older one has fewer fields to check."""
        version = self._root.get("schema_version")
        return not isinstance(version, int) or version >= HASHED_FROM

    def has(self, *path: str) -> bool:
        """Whether the field is there and not null."""
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
        try:
            return frames_per_second(self.get(*path))
        except ValueError:
            raise self._other(path, self.get(*path), "frames per second") from None

    def _other(self, path: tuple[str, ...], found: object, expected: str) -> Unreadable:
        return Unreadable(f"{self.name} {'.'.join(path)}: found {json.dumps(found)[:60]}, expected {expected}")


def fraction(found: object) -> Fraction:
    """A fraction as it stands in the document, 0 or more. Raises ValueError."""
    # Fraction itself would take 1e999999999 as well, and hours to do so.
    if not isinstance(found, str) or not re.fullmatch(r"[0-9]{1,18}(/0*[1-9][0-9]{0,17})?", found):
        raise ValueError
    return Fraction(found)


def frames_per_second(found: object) -> Fraction:
    """A rate as it stands in the document. Raises ValueError."""
    if not (rate := fraction(found)):
        raise ValueError
    return rate


def count(found: object) -> int:
    """A whole number, 0 or more. Raises ValueError."""
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise ValueError
    return found


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a name is there twice: {[name for name, _ in pairs]}"[:200])
    return found


def _absurd(found: Any, path: tuple[str, ...] = ()) -> str | None:
    """Names the first number of a document that no field can have, for messages; None where there is none."""
    if isinstance(found, int | float) and not abs(found) <= MOST:
        return f"{'.'.join(path)}: found {str(found)[:40]}, expected a number up to {MOST:.0e}"
    parts = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return next((text for name, part in parts if (text := _absurd(part, (*path, str(name)))) is not None), None)


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream: the size of its pictures, its source's nominal rate, whether that is live, and its phase.

    The phase is the delay of its first frame after the origin. The size is None for a camera that was away all the
    time. With ``own_sizes``, pictures may have different sizes, and the size is that of the first.

    ``frames`` is how many were scheduled and how many of these delivered, None in a manifest without them.
    ``gaps`` are those in its source's times: the frame after each, its length, and how much of it was skipped, in
    microseconds. The source starts again after ``loops_after`` frames, None where that is not known.
    """

    width: int | None
    height: int | None
    source_rate: Fraction
    live: bool
    phase_us: int
    frames: tuple[int, int] | None
    gaps: tuple[tuple[int, int, int], ...] = ()
    loops_after: int | None = None
    own_sizes: bool = True


class RunFacts:
    """The parameters of a run that the checks need: how its frames were due, and what was requested.

    The run was ``killed`` when it has no ``run.json``, or a repaired one: the frames in its encoders were lost.

    Raises Unreadable.
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
        self.confidence = document.number("run", "confidence")
        self.video = document.text("run", "video")
        if self.video not in ("delivered", "all", "none"):
            raise Unreadable(f"{document.name} run.video: found {self.video!r}, expected delivered, all or none")

    def rate(self, stream: int) -> Fraction:
        """The nominal number of frames of a stream that are due in a second."""
        return self._rate or self.streams[stream].source_rate


def _rounds(document: Document) -> list[tuple[int, int]]:
    """The first frame of each round, and when it was due in microseconds; empty for a run without rounds."""
    found = document.get("run", "rounds") if document.has("run", "rounds") else []
    try:
        rounds = [(count(one["frame"]), _microseconds(one["start_ms"])) for one in found]
    except (TypeError, KeyError, ValueError):
        rounds = [(-1, 0)]
    if rounds and ([frame for frame, _ in rounds] != sorted({frame for frame, _ in rounds}) or rounds[0][0] != 0):
        raise Unreadable(
            f"{document.name} run.rounds: found {json.dumps(found)[:60]}, expected rounds from frame 0 on"
        )
    return rounds


def _gaps(found: list[dict[str, Any]]) -> tuple[tuple[int, int, int], ...]:
    """The gaps in a source's times. Raises ValueError when they are out of order or shorter than what was skipped."""
    gaps = []
    for one in found:
        frame, length, skipped = count(one["frame"]), _microseconds(one["ms"]), _microseconds(one["skipped_ms"])
        if not (0 < frame < MOST_FRAMES and 0 <= skipped < length):
            raise ValueError
        gaps.append((frame, length, skipped))
    frames = [frame for frame, _, _ in gaps]
    if frames != sorted(set(frames)):
        raise ValueError
    return tuple(gaps)


def _microseconds(found: Any) -> int:
    """Milliseconds as microseconds. Raises ValueError."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError
    return round(Fraction(found) * 1000)


def _loops_after(found: Any) -> int | None:
    """The frames in one loop of the source. Raises ValueError when it is no number of frames."""
    if found is not None and not 0 < count(found) < MOST_FRAMES:
        raise ValueError
    return None if found is None else count(found)


def _streams(document: Document) -> list[StreamFacts]:
    """The streams in the order of their numbers; a manifest without ``streams`` has one, that of ``source``."""
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
                None if one["width"] is None else count(one["width"]),
                None if one["height"] is None else count(one["height"]),
                frames_per_second(one["fps"]),
                one.get("live", live) is True,
                _microseconds(one["phase_ms"]),
                (count(one["scheduled"]), count(one["delivered"])),
                _gaps(one.get("gaps", [])),
                _loops_after(one.get("loops_after")),
                one.get("own_sizes") is not False,
            )
            for one in found
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise Unreadable(
            f"{document.name} streams: found {json.dumps(found)[:60]}, expected the facts of each"
        ) from None
