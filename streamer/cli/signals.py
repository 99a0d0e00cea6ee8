"""SIGINT, SIGTERM and SIGHUP, by one rule for every command: the first ends it in good order, the second at once.

The rule also holds where SIGINT was ignored at the start, as a script's background jobs inherit it. SIGHUP, which a
lost terminal sends, stays ignored where it was at the start: so nohup lets a command go on without a terminal.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from streamer.cli.exit_codes import EXIT_SIGNAL
from streamer.workers.stopping import Interrupted

HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
"""None on Windows."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, *([] if HANGUP is None else [HANGUP]))
TWICE_S = 0.1
"""A signal that comes again so soon is the same one: `timeout` sends it to the process, and to its group."""
PATIENCE_S = 5.0
"""How long the first signal waits for the main thread, which does not hear it inside a runtime's own code."""
SHOW_CURSOR = "\x1b[?25h"


def heeded() -> list[signal.Signals]:
    """The signals that end a command here."""
    return [number for number in SIGNALS if number != HANGUP or signal.getsignal(number) is not signal.SIG_IGN]


def end_at_once(number: int) -> None:
    """Ends the process as signal ``number`` does; only temporary files are removed, and the cursor is shown again."""
    from streamer.files.cache import remove_temporary  # not for --help
    from streamer.files.scratch import remove_scratch

    remove_scratch()
    remove_temporary()
    with suppress(OSError, ValueError):
        if sys.stderr.isatty():
            os.write(sys.stderr.fileno(), SHOW_CURSOR.encode())
    os._exit(EXIT_SIGNAL + number)


@contextmanager
def obeyed_signals() -> Iterator[None]:
    """Around a command, in the main thread: the first of these signals is raised there as Interrupted.

    The process ends at once by a second one, or when the main thread has not heard the first for PATIENCE_S.
    """
    first = _First()
    heard, tell = socket.socketpair()
    tell.setblocking(False)
    before = {number: signal.signal(number, first.interrupt) for number in heeded()}
    descriptor = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    listener = Thread(target=_listen, args=(heard, first.raised), name="signals", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        with tell:
            tell.shutdown(socket.SHUT_WR)  # heard even where a child that was forked has the other end open
            listener.join()  # it leaves no thread and no socket behind


class _First:
    """Sets ``raised`` and raises Interrupted at the main thread's first signal; a later one ends the process."""

    def __init__(self) -> None:
        self.raised = Event()
        self._at_s = 0.0

    def interrupt(self, number: int, _: object) -> None:
        if not self.raised.is_set():
            self.raised.set()
            self._at_s = time.monotonic()
            raise Interrupted(signal.Signals(number).name)
        # The listener has ended the process by now, unless an event loop receives the signals in its place.
        if time.monotonic() - self._at_s > TWICE_S:
            end_at_once(number)


def _listen(heard: socket.socket, raised: Event) -> None:
    """Hears the signals that Python notes, whatever the main thread is doing, until the other end is closed."""
    first: int | None = None
    at_s = 0.0
    with heard:
        while True:
            try:
                numbers = heard.recv(1)
            except TimeoutError:
                if not raised.is_set() and first is not None:
                    end_at_once(first)
                heard.settimeout(None)
                continue
            if not numbers:
                return
            if numbers[0] not in SIGNALS:
                continue
            if first is None:
                first, at_s = numbers[0], time.monotonic()
                heard.settimeout(PATIENCE_S)
            elif time.monotonic() - at_s > TWICE_S:
                end_at_once(numbers[0])
