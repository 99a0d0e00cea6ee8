"""A call on a thread of its own, for who waits for it in a thread that hears Ctrl-C, or has an event loop."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable
from contextvars import Context
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

from streamer.workers.stopping import Stop

T = TypeVar("T")

WAKES_S = 0.5
"""How often who waits looks whether it was interrupted."""
END_OF_PROGRAM = "the end of the program"
ENDS_S = 10.0
"""What a call may take to end in good order when the program does: a thread killed in a runtime aborts it."""
_under_way: set[OwnThread[Any]] = set()


class OwnThread(Generic[T]):
    """``work`` on a thread of its own, once started; ``ended`` is called on it at the end, ``stop`` ends it before.

    It has no context variables of who began it, by one of which anyio knows the loop that runs there. At the end of
    the process it is asked to end, and waited for: not for long.
    """

    def __init__(self, work: Callable[[], T], stop: Stop, ended: Callable[[], object] = lambda: None) -> None:
        self._stop = stop
        self._work = work
        self._told = ended
        # Locks, not events: KeyboardInterrupt in the middle of Event.wait may leave an event locked for ever.
        self._mine = Lock()
        self._running = Lock()
        self._running.acquire()
        self._ended = False
        self._results: list[T] = []
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begins it, once: where KeyboardInterrupt came up here, nobody knows whether, and it can be called again."""
        Thread(target=Context().run, args=(self._run,), name="streamer", daemon=True).start()

    def _run(self) -> None:
        if not self._mine.acquire(blocking=False):
            return
        _under_way.add(self)
        try:
            self._results.append(self._work())
        except BaseException as error:
            self._error = error
        finally:
            _under_way.discard(self)
            self._ended = True
            self._running.release()
            self._told()

    def wait(self, for_s: float = float("inf")) -> None:
        """Returns when it has ended, or after so long. KeyboardInterrupt comes up here, and leaves it going on."""
        # Not for ever at once: a signal that another thread was given wakes nobody, and on Windows none does.
        until_s = time.monotonic() + for_s
        while not self._ended and time.monotonic() < until_s:
            self._running.acquire(timeout=WAKES_S)

    def outcome(self) -> T:
        """Its result, or raises its error; once it has ended."""
        if self._error is not None:
            raise self._error
        return self._results[0]


def _end_all() -> None:
    calls = list(_under_way)
    for call in calls:
        call._stop.ask(END_OF_PROGRAM)
    for call in calls:
        call.wait(ENDS_S)


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):  # Windows has no forks
    os.register_at_fork(after_in_child=_under_way.clear)
