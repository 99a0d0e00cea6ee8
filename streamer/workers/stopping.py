"""How who has called for something long ends it: asked from any thread, heard where it is safe to end."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar


class Interrupted(BaseException):
    """What was under way is to end; ``reason`` is what ends it, as in SIGINT."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stop:
    """Is asked to end something, from any thread, once; ``reason`` says by what, None before."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._ends: Callable[[str], None] | None = None

    def ask(self, reason: str) -> None:
        """Ends what is under way in good order."""
        self.reason = self.reason or reason
        if self._ends is not None:
            self._ends(self.reason)

    def calls(self, ends: Callable[[str], None]) -> None:
        """From now on ``ends`` is called with the reason, at once when it has been asked for already."""
        self._ends = ends
        if self.reason is not None:
            ends(self.reason)

    def check(self) -> None:
        """Raises Interrupted when it has been asked to end."""
        if self.reason is not None:
            raise Interrupted(self.reason)


current_stop: ContextVar[Stop | None] = ContextVar("current_stop", default=None)
"""That of the call that is under way, for functions that are called by others of the library."""
