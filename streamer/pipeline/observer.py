"""Who wants to know how a run gets on, and who keeps watch over one that lasts for hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Protocol

from streamer.detection.detections import Detections
from streamer.ledger.ledger import Watcher
from streamer.pipeline.housekeeping import Progress


class Observer(Protocol):
    """Who wants to know how a run gets on. Each call must be short."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        """The pipeline is about to run; ``stop`` ends it, with the reason."""

    def progress(self, progress: Progress) -> None:
        """About twice a second, between frames."""

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        """A frame is due in so many seconds only: there is a gap in the times of its file."""


class Silent:
    """An observer that does not look."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        pass

    def waits(self, stream: int, frame: int, for_s: float) -> None:
        pass


class Watch(Protocol):
    """Follows the ledger, ends a window each ``window_us``, and sees what is found in a golden frame.

    ``canary_every_us`` is how often that is looked at.
    """

    canary_every_us: int
    window_us: int

    def begins(self, *, closed_loop: bool, ticks_us: Sequence[Fraction | None]) -> Watcher:
        """The run begins; what is returned follows its ledger. ``ticks_us`` as in `Tally`."""
        ...

    def look(self, now_us: int) -> None:
        """On a thread, right before ``between``: what takes long is read here."""
        ...

    def between(self, now_us: int) -> None:
        """Between frames, when a window ends; ``now_us`` is of the run. It must be short."""
        ...

    def ends(self, end_us: int) -> None:
        """The pipeline has ended, at ``end_us`` of the run."""
        ...

    def found(self, detections: Detections) -> None:
        """What is in the golden frame: before the run for the first time, then again and again."""
        ...
