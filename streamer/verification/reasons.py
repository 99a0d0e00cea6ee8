"""Why a record is not valid: what was found, what was expected, and where."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

MOST = 20
"""Reasons kept; the others are counted."""
MOST_OF_A_KIND = 3
"""Reasons kept of one check, so that a column gone wrong does not hide everything else."""


class Unreadable(Exception):
    """Something that a check needs cannot be read; the message is a reason."""


class Reasons:
    """Collects reasons, a line each. ``more`` counts those beyond the ones kept in ``kept``.

    ``unseen`` is the first thing that could not be looked at, which is no reason. ``meanwhile`` is called
    between the checks.
    """

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile
        self.kept: list[str] = []
        self.more = 0
        self.unseen: OSError | None = None

    @property
    def total(self) -> int:
        """All that were found."""
        return len(self.kept) + self.more

    def add(self, reason: str) -> None:
        """One more reason."""
        if len(self.kept) < MOST:
            self.kept.append(" ".join(reason.split()))
        else:
            self.more += 1

    def add_each(self, wrong: npt.NDArray[np.bool_], say: Callable[[int], str]) -> None:
        """A reason for each place where ``wrong`` is true; ``say`` puts it into words."""
        places = np.flatnonzero(wrong)
        for place in places[:MOST_OF_A_KIND]:
            self.add(say(int(place)))
        self.more += len(places[MOST_OF_A_KIND:])
