"""The reasons why a record is not valid: what was found, what was expected, and where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

MOST = 20
"""Reasons kept; the others are counted."""
MOST_OF_A_KIND = 3
"""Reasons kept from one check, so that one wrong column does not hide everything else."""


class Unreadable(Exception):
    """Something that a check needs cannot be read; the message is a reason."""


class Reasons:
    """Collects reasons, a line each. ``kept`` holds the first ones; ``more`` counts the rest.

    ``unseen`` is the error of the first file that could not be looked at, which is no reason. ``meanwhile`` is called
    between the checks.
    """

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile
        self.kept: list[str] = []
        self.more = 0
        self.unseen: OSError | None = None

    @property
    def total(self) -> int:
        """The number of all reasons found."""
        return len(self.kept) + self.more

    def add(self, reason: str) -> None:
        """Adds a reason."""
        if len(self.kept) < MOST:
            self.kept.append(" ".join(reason.split()))
        else:
            self.more += 1

    def add_each(self, wrong: npt.NDArray[np.bool_], say: Callable[[int], str]) -> None:
        """Adds a reason for each place where ``wrong``, (rows,), is true; ``say`` gives the text for a place."""
        places = np.flatnonzero(wrong)
        for place in places[:MOST_OF_A_KIND]:
            self.add(say(int(place)))
        self.more += len(places[MOST_OF_A_KIND:])
