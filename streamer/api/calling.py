"""Calls of the library's functions: beside the caller's event loop, and ended in good order by Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from streamer.api.notebook_bar import observing
from streamer.api.progress import Observer, Progress
from streamer.errors import UsageError
from streamer.settings.library_words import in_library_words
from streamer.workers.own_thread import OwnThread
from streamer.workers.stopping import Interrupted, Stop, current_stop

T = TypeVar("T")

CTRL_C = "SIGINT"
OBSERVER = "an error of the observer"


def called(work: Callable[[Stop, Observer | None], T], observer: Observer | None = None) -> T:
    """The result of ``work``, run on a thread of its own: the caller's may have an event loop.

    ``work`` is given the `Stop` that ends it, and the observer of its progress: ``observer``, or a bar in a notebook.

    KeyboardInterrupt, which is raised in the main thread only, asks ``work`` to stop, and its result is returned;
    without a result KeyboardInterrupt is raised again. A second one is raised at once. An awaited call has a thread
    already, and its caller stops it by `current_stop`. An error of the observer stops the call too, and is always
    raised. Raises what ``work`` raises, in the words of the library.
    """
    if observer is not None and not callable(observer):
        raise UsageError(f"observer is of type {type(observer).__name__}: give a function that takes a Progress")
    with in_library_words(), observing(observer) as shown:
        awaited = current_stop.get()
        if awaited is not None:
            current_stop.set(None)  # a call by the observer is a call of its own
            return _heard(work, awaited, shown)
        stop = Stop()
        call = OwnThread(partial(_heard, work, stop, shown), stop)
        try:
            call.start()
            call.wait()
        except KeyboardInterrupt:
            stop.ask(CTRL_C)
            call.start()  # again: the interrupt may have come before there was a thread
            call.wait()
        try:
            return call.outcome()
        except Interrupted:
            raise KeyboardInterrupt from None


def _heard(work: Callable[[Stop, Observer | None], T], stop: Stop, observer: Observer | None) -> T:
    """The result of ``work``. Raises the observer's error if that has ended it: it is no failure of the run."""
    if observer is None:
        return work(stop, None)
    listening = _Listening(observer, stop)
    try:
        done = work(stop, listening)
    except BaseException:
        if listening.error is None:
            raise
    else:
        if listening.error is None:
            return done
    raise listening.error


class _Listening:
    """The caller's observer, until it raises an error: that is kept in ``error``, and stops the call."""

    def __init__(self, observer: Observer, stop: Stop) -> None:
        self._observer = observer
        self._stop = stop
        self.error: BaseException | None = None

    def __call__(self, progress: Progress) -> None:
        if self.error is not None:
            return
        try:
            self._observer(progress)
        except BaseException as error:
            self.error = error
            self._stop.ask(OBSERVER)
