"""Who wants to know how a run gets on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streamer.pipeline.housekeeping import Progress


class Observer(Protocol):
    """Who wants to know how a run gets on. Each call must be short."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        """The pipeline is about to run; ``stop`` ends it, with the reason."""

    def progress(self, progress: Progress) -> None:
        """About twice a second, between frames."""


class Silent:
    """An observer that does not look."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass
