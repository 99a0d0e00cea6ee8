"""Who looks on while a study runs: a terminal, or an observer of the library's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from streamer.studies.interleave import Lane, Watch

Advance = Callable[[], None]
"""Is called for each frame that has been judged."""


class Onlooker(Protocol):
    """What a study tells while it runs. Whatever is raised here ends the study."""

    def notes(self, notes: Sequence[str]) -> None:
        """What is to be known before anything runs."""
        ...

    def progress(self, lanes: Sequence[Lane], to_score: int = 0) -> AbstractContextManager[tuple[Watch, Advance]]:
        """What is told how far these lanes are, and what is called for each frame that is judged afterwards."""
        ...
