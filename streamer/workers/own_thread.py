"""A call on a thread of its own, for a caller whose thread receives Ctrl-C or has an event loop."""

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
"""The period in which the waiting thread looks whether it was interrupted."""
END_OF_PROGRAM = "the end of the program"
ENDS_S = 10.0
"""The time in which a call may end in good order with the program: a thread killed in a runtime aborts it."""
_under_way: set[OwnThread[Any]] = set()


class OwnThread(Generic[T]):
    """Runs ``work`` on a thread of its own, once started. ``ended`` is called there at the end; ``stop`` ends it.

    The thread does not inherit the caller's context variables: by one of them anyio knows the loop that runs there.
    At the end of the process the call is requested to end, and waited for up to ENDS_S.
    """

    def __init__(self, work: Callable[[], T], stop: Stop, ended: Callable[[], object] = lambda: None) -> None:
        self._stop = stop
        self._work = work
        self._on_end = ended
        # Locks, not events: KeyboardInterrupt in the middle of Event.wait may leave an event locked for ever.
        self._mine = Lock()
        self._running = Lock()
        self._running.acquire()
        self._ended = False
        self._results: list[T] = []
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begins the call, once. It may be called again after a KeyboardInterrupt in here, begun or not."""
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
            self._on_end()

    def wait(self, for_s: float = float("inf")) -> None:
        """Returns when the call has ended, or after ``for_s``. A KeyboardInterrupt here does not end the call."""
        # In short waits: a signal that another thread was given wakes no thread, and on Windows none does.
        until_s = time.monotonic() + for_s
        while not self._ended and time.monotonic() < until_s:
            self._running.acquire(timeout=WAKES_S)

    def outcome(self) -> T:
        """The call's result, once it has ended; raises its error."""
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
