"""A call on a thread of its own, for who waits for it in a thread that hears Ctrl-C, or has an event loop."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from threading import Event, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

WAKES_S = 0.5
"""How often who waits looks whether it was interrupted."""


class OwnThread(Generic[T]):
    """``work`` on a thread of its own, begun; ``ended`` is called on it at the end.

    It has no context variables of who began it, by one of which anyio knows the loop that runs there. The thread does
    not keep the process from ending.
    """

    def __init__(self, work: Callable[[], T], ended: Callable[[], object] = lambda: None) -> None:
        self._work = work
        self._told = ended
        self._ended = Event()
        self._results: list[T] = []
        self._error: BaseException | None = None
        Thread(target=Context().run, args=(self._run,), name="streamer", daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
            self._told()

    def wait(self) -> None:
        """Returns when it has ended. KeyboardInterrupt comes up here, and leaves it going on."""
        # Not for ever at once: a signal that another thread was given wakes nobody, and on Windows none does.
        while not self._ended.wait(WAKES_S):
            pass

    def outcome(self) -> T:
        """Its result, or raises its error; once it has ended."""
        if self._error is not None:
            raise self._error
        return self._results[0]
