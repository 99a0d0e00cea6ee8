"""The onlooker of a study while it runs: a terminal, or an observer of the library's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from streamer.studies.interleave import Lane, Watch

Advance = Callable[[], None]
"""Called for each frame that has been scored."""


class Onlooker(Protocol):
    """Receives the notes and the progress of a study. An error that it raises ends the study."""

    def notes(self, notes: Sequence[str]) -> None:
        """Receives the notes before anything runs."""
        ...

    def progress(self, lanes: Sequence[Lane], to_score: int = 0) -> AbstractContextManager[tuple[Watch, Advance]]:
        """A context with the `Watch` of these lanes, and the `Advance` of ``to_score`` frames scored afterwards."""
        ...
