"""How the library's functions are called: beside the caller's event loop, and ended in good order by Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from streamer.api.notebook_bar import observing
from streamer.api.progress import Observer
from streamer.settings.library_words import in_library_words
from streamer.workers.own_thread import OwnThread
from streamer.workers.stopping import Interrupted, Stop, current_stop

T = TypeVar("T")

CTRL_C = "SIGINT"


def called(work: Callable[[Stop, Observer | None], T], observer: Observer | None = None) -> T:
    """What ``work`` returns, run on a thread of its own: the caller's may have an event loop.

    ``work`` is given what stops it, and who is told how far it is: ``observer``, or a bar in a notebook.

    KeyboardInterrupt, which comes up in the main thread only, asks it to stop, and its result is returned; without a
    result it is raised again. A second one is raised at once. Who awaits the call stops it by `current_stop`, and has
    made a thread for it. Raises what ``work`` raises, in the words of the library.
    """
    with in_library_words(), observing(observer) as shown:
        awaited = current_stop.get()
        if awaited is not None:
            return work(awaited, shown)
        stop = Stop()
        call: OwnThread[T] | None = None
        try:
            call = OwnThread(partial(work, stop, shown))
            call.wait()
        except KeyboardInterrupt:
            stop.ask(CTRL_C)
            if call is None:
                raise
            call.wait()
        try:
            return call.outcome()
        except Interrupted:
            raise KeyboardInterrupt from None
