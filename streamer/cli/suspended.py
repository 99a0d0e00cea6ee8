"""Ctrl-Z while a live line is on a terminal: the shell has the cursor until ``fg``."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread

from rich.console import Console
from rich.control import Control
from rich.segment import ControlType

SHOWN = str(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2), ControlType.SHOW_CURSOR)).encode()
HIDDEN = str(Control(ControlType.HIDE_CURSOR)).encode()


@contextmanager
def cursor_shown_while_stopped(console: Console) -> Iterator[None]:
    """Around a live line on ``console``: Ctrl-Z shows the cursor, and after ``fg`` the line is on a line of its own.

    Does nothing where that is no terminal, where the system has no Ctrl-Z or the process ignores it, and outside the
    main thread.
    """
    number = getattr(signal, "SIGTSTP", None)
    mine = console.is_terminal and current_thread() is main_thread()
    if number is None or not mine or signal.getsignal(number) != signal.SIG_DFL:
        yield
        return

    def stop(*_: object) -> None:
        _write(console, SHOWN)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)  # returns when the process goes on
        signal.signal(number, stop)
        _write(console, HIDDEN)

    signal.signal(number, stop)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL)


def _write(console: Console, control: bytes) -> None:
    """Writes without waiting for a print that may be under way."""
    with suppress(OSError, ValueError):
        os.write(console.file.fileno(), control)
