"""Who keeps watch over a run that lasts for hours: what a soak adds to one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

from streamer.detection.detections import Detections
from streamer.ledger.ledger import Watcher


class Vigil(Protocol):
    """Follows the ledger, is told the time, and sees what is found in a golden frame.

    ``golden_every_us`` is how often that is looked at.
    """

    golden_every_us: int

    def begins(self, *, closed_loop: bool, ticks_us: Sequence[Fraction | None]) -> Watcher:
        """The run begins; what is returned follows its ledger. ``ticks_us`` as in `Tally`."""
        ...

    def between(self, now_us: int) -> None:
        """A few times a second, between frames; ``now_us`` is of the run. It must be short."""
        ...

    def ends(self, end_us: int) -> None:
        """The pipeline has ended, at ``end_us`` of the run."""
        ...

    def found(self, detections: Detections) -> None:
        """What is in the golden frame: before the run for the first time, then again and again."""
        ...
