"""An engine that was lost in mid-run, and the one that took its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamer.errors import EngineError, StreamerError


@dataclass(frozen=True, slots=True)
class Replacement:
    """``why`` the engine was lost, ``at_us`` of the run; the next one was ready at ``back_us``."""

    why: str
    at_us: int
    back_us: int


class Replacing:
    """Makes the engine ready anew, ``times`` at most; ``done`` has what happened.

    ``renew`` starts another one and warms it up, ``stamp`` reads the run's time.
    """

    def __init__(self, times: int, renew: Callable[[], None], stamp: Callable[[], int]) -> None:
        self.times = times
        self._renew = renew
        self._stamp = stamp
        self.done: list[Replacement] = []

    @property
    def possible(self) -> bool:
        """There is one left."""
        return len(self.done) < self.times

    def replace(self, lost: StreamerError) -> None:
        """Replaces the engine. Blocks. Raises EngineError when that fails."""
        at_us = self._stamp()
        try:
            self._renew()
        except StreamerError as error:
            raise EngineError(f"{lost}; it could not be replaced: {error}", frame=lost.frame) from error
        self.done.append(Replacement(str(lost), at_us, self._stamp()))
