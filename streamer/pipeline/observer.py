"""Observers of a run's progress, and the watch over a run that lasts for hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol

from streamer.detection.detections import Detections
from streamer.ledger.ledger import Watcher
from streamer.pipeline.housekeeping import Progress


class Observer(Protocol):
    """Observes the progress of a run. Each call must be short."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        """Called when the pipeline is about to run; ``stop`` ends it, and takes the reason."""

    def progress(self, progress: Progress) -> None:
        """Called about twice a second, between frames."""

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        """Called when a ``frame`` is due in ``for_s`` seconds only: there is a gap in the times of its file."""


class Silent:
    """An observer that does nothing."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        pass


class Watch(Protocol):
    """Follows the ledger, ends a window every ``window_us``, and gets the detections in the canary frame.

    The canary is inferred every ``canary_every_us``.
    """

    canary_every_us: int
    window_us: int

    def begins(self, *, closed_loop: bool, ticks_us: Sequence[Fraction | None]) -> Watcher:
        """Begins with the run; returns what follows its ledger. ``ticks_us`` as in `Tally`."""
        ...

    def look(self, now_us: int) -> None:
        """Called on a thread, right before ``between``: readings that take long belong here."""
        ...

    def between(self, now_us: int) -> None:
        """Called between frames when a window ends, at ``now_us`` of the run. It must be short."""
        ...

    def ends(self, end_us: int) -> None:
        """Called when the pipeline has ended, at ``end_us`` of the run."""
        ...

    def found(self, detections: Detections) -> None:
        """Takes the detections in the canary frame: first before the run, then again and again."""
        ...
