"""Processes beside this one: the only file that starts any.

A child is started afresh, not forked: it shares no thread, no lock and no runtime with its parent, and its memory is
its own. It ends when its parent does, however that ends, because nobody speaks to it any more.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from typing import Any
from weakref import WeakSet

from streamer.errors import EngineError

FRESH = get_context("spawn")
ENDS_WITHIN_S = 5.0
"""How long a child may take to end by itself once nobody speaks to it any more."""
MEANWHILE_S = 0.5
"""How often who waits for a program hears of it."""
OF_ALL = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
"""Signals that a terminal, `timeout` or systemd sends to the whole group."""


class ChildLost(Exception):
    """The child has ended, or was silent for too long; the message says which, for the end of a sentence."""


class Child:
    """A process of its own that runs ``work(link, *arguments)``, where ``link`` is its end of a line to here.

    What is sent must be fit to be pickled. A signal that is meant for all is left to this process, which ends its
    children in good order.
    """

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        self._link, there = FRESH.Pipe()
        self._process = FRESH.Process(target=_begin, args=(work, there, arguments), daemon=True)
        with _signals_held():
            self._process.start()
        _children.add(self)
        there.close()

    def tell(self, message: Any) -> None:
        """Sends a message. Raises ChildLost."""
        try:
            send(self._link, message)
        except OSError as error:
            raise self._lost() from error

    def hear(self, within_s: float | None = None) -> Any:
        """The child's next message; a StreamerError when its work failed, then the last one.

        Raises ChildLost, also when none comes ``within_s``.
        """
        try:
            if not self._link.poll(within_s):
                raise ChildLost(f"it gave no sign of life for {within_s:g} s")
            return self._link.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error

    @property
    def speaks(self) -> bool:
        """There is something to be heard, if only that it has gone."""
        return self._link.poll()

    def end(self) -> None:
        """Lets the child end by itself, and kills it when it does not; may be called again."""
        self._link.close()
        self._process.join(ENDS_WITHIN_S)
        if self._process.exitcode is None:
            self.kill()

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        if self._process.pid is not None and self._process.exitcode is None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Ends the child at once."""
        self._link.close()
        self._process.kill()
        self._process.join()

    def _lost(self) -> ChildLost:
        self._process.join(ENDS_WITHIN_S)
        code = self._process.exitcode
        if code is not None and code < 0:
            return ChildLost(f"its process was killed by {signal.Signals(-code).name}")
        return ChildLost("its process hung up" if code is None else f"its process ended with exit code {code}")


_children: WeakSet[Child] = WeakSet()


@atexit.register
def _kill_all() -> None:
    """Before multiprocessing asks them to end by a SIGTERM, which they do not hear, and waits for that."""
    for child in list(_children):
        child.kill()


@contextmanager
def _signals_held() -> Iterator[None]:
    """A process that is started meanwhile hears none of the signals that are for all, until it says so."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OF_ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def send(link: Connection, message: Any) -> None:
    """Sends what is fit to be pickled. Raises OSError when nobody is there any more.

    Not ``link.send``: it pickles into a buffer of which a view is open when it fails, and Python complains of that
    buffer on standard error when both are collected.
    """
    link.send_bytes(bytes(ForkingPickler.dumps(message)))


def _begin(work: Callable[..., None], link: Connection, arguments: Sequence[Any]) -> None:
    for number in OF_ALL:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, OF_ALL)
    with link, suppress(ConnectionError, EOFError):  # the parent has gone: there is nobody left to work for
        try:
            work(link, *arguments)
        except (ConnectionError, EOFError):
            raise
        except Exception as error:
            from streamer.workers.defects import as_streamer_error  # a child is light as long as it can be

            send(link, as_streamer_error(error))


def end_with_parent() -> None:
    """In a child: waits until its parent has ended, and ends this process, also from work that never comes back.

    Blocks, and so belongs on a thread.
    """
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    time.sleep(ENDS_WITHIN_S)  # work that hears of it by itself ends in good order
    os._exit(1)


def run_to_end(command: Sequence[str], meanwhile: Callable[[], object] = lambda: None) -> str:
    """What a program prints on standard output. Raises EngineError when it is not here or fails.

    ``meanwhile`` is called about twice a second; the program is killed when that raises.
    """
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)
    except OSError as error:
        raise EngineError(f"{command[0]} cannot be run: {error.strerror}") from error
    with process:
        try:
            out, err = _said(process, meanwhile)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        last = (err.strip() or out.strip() or "without a word").splitlines()[-1]
        raise EngineError(f"{command[0]} failed: {last}")
    return out


def _said(process: subprocess.Popen[str], meanwhile: Callable[[], object]) -> tuple[str, str]:
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=MEANWHILE_S)
        meanwhile()
