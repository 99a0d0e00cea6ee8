"""Decode errors: how many frames could not be decoded for each reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

MOST_REASONS = 20
"""The most reasons that are counted one by one: memory must not grow with the messages of a source."""
MOST_LETTERS = 200
"""The longest reason, in letters: it is a cell of the ledger."""


class ReasonPart(TypedDict):
    """A reason for which frames could not be decoded."""

    reason: str
    """Why, in words. Empty when it is not known."""
    frames: int
    """How many frames could not be decoded for this reason."""
    stream: int
    """The stream of the first such frame, from 0."""
    frame: int
    """The number of the first such frame, from 0."""


class DecodeErrorsPart(TypedDict):
    """The ``decode_errors``: the reasons for which frames could not be decoded."""

    reasons: list[ReasonPart]
    """The first 20 different reasons, the most frequent first. Empty without decode errors."""
    others: int
    """Frames that could not be decoded for any other reason."""


class DecodeErrors:
    """Counts frames by the reason for which they could not be decoded."""

    def __init__(self) -> None:
        self._reasons: dict[str, ReasonPart] = {}
        self._others = 0

    def count(self, stream: int, frame: int, reason: str) -> None:
        """Counts a frame that could not be decoded."""
        if reason in self._reasons:
            self._reasons[reason]["frames"] += 1
        elif len(self._reasons) < MOST_REASONS:
            self._reasons[reason] = {"reason": reason, "frames": 1, "stream": stream, "frame": frame}
        else:
            self._others += 1

    def part(self) -> DecodeErrorsPart:
        """The counts as the manifest holds them."""
        listed = sorted(self._reasons.values(), key=lambda one: -one["frames"])
        return {"reasons": [one.copy() for one in listed], "others": self._others}


def one_line(reason: str) -> str:
    """A reason as the ledger holds it: one line of printable letters, `MOST_LETTERS` at most."""
    shown = "".join(letter if letter.isprintable() else " " for letter in reason)
    return " ".join(shown.split())[:MOST_LETTERS].rstrip()


def decode_errors_text(parts: Sequence[DecodeErrorsPart]) -> str:
    """The reasons of several parts in words, each with its frames: ``2 "its data is damaged"``."""
    frames: dict[str, int] = {}
    for one in (reason for part in parts for reason in part["reasons"]):
        frames[one["reason"]] = frames.get(one["reason"], 0) + one["frames"]
    formatted = [
        f'{count:,} "{reason}"' if reason else f"{count:,} for a reason not known" for reason, count in frames.items()
    ]
    if others := sum(part["others"] for part in parts):
        formatted.append(f"{others:,} for other reasons")
    return ", ".join(formatted)
