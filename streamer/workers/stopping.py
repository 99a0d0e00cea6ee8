"""The end of a long call on request: requested from any thread, obeyed where it is safe to end."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar


class Interrupted(BaseException):
    """Raised where a long call is to end; ``reason`` is what ends it, as in SIGINT."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stop:
    """A request to end a call, made once, from any thread; ``reason`` says by what, None before."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._ends: Callable[[str], None] | None = None

    def ask(self, reason: str) -> None:
        """Requests the end of the call, in good order. The first ``reason`` stays."""
        self.reason = self.reason or reason
        if self._ends is not None:
            self._ends(self.reason)

    def calls(self, ends: Callable[[str], None]) -> None:
        """Calls ``ends`` with the reason of a request, at once when there has been one already."""
        self._ends = ends
        if self.reason is not None:
            ends(self.reason)

    def check(self) -> None:
        """Raises Interrupted when the end has been requested."""
        if self.reason is not None:
            raise Interrupted(self.reason)


current_stop: ContextVar[Stop | None] = ContextVar("current_stop", default=None)
"""The `Stop` of the running call, for functions of the library that it calls."""
