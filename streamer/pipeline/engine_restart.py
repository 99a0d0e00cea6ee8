"""An engine that was lost in mid-run, and its replacement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamer.errors import EngineError, StreamerError


@dataclass(frozen=True, slots=True)
class Replacement:
    """Why the engine was lost, and when: ``at_us`` of the run. The next one was ready at ``back_us``."""

    why: str
    at_us: int
    back_us: int


class Replacing:
    """Replaces the engine up to ``times`` times; ``done`` lists the replacements.

    ``renew`` starts another engine and warms it up, ``stamp`` reads the run's time in microseconds.
    """

    def __init__(self, times: int, renew: Callable[[], None], stamp: Callable[[], int]) -> None:
        self.times = times
        self._renew = renew
        self._stamp = stamp
        self.done: list[Replacement] = []

    @property
    def possible(self) -> bool:
        """Whether one more replacement is allowed."""
        return len(self.done) < self.times

    def replace(self, lost: StreamerError) -> None:
        """Replaces the engine that was ``lost``. Blocks. Raises EngineError when that fails."""
        at_us = self._stamp()
        try:
            self._renew()
        except StreamerError as error:
            raise EngineError(f"{lost}; it could not be replaced: {error}", frame=lost.frame) from error
        self.done.append(Replacement(str(lost), at_us, self._stamp()))
