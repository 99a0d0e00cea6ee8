"""Processes beside this one: the only file that starts any.

A child is started anew, not forked: it shares no thread, lock, runtime or memory with its parent. It runs child.py,
and does not import its parent's script: that may be a notebook, or have a body that is not to run twice. It ends when
its parent does, however that ends, because its line is closed then.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from multiprocessing.spawn import get_executable
from pathlib import Path
from typing import Any
from weakref import finalize

from streamer.errors import EngineError, StreamerError
from streamer.workers.shared_memory import SharedMemory

if sys.platform != "win32":
    from streamer.workers.shared_memory import above_standard

PROGRAM = Path(__file__).with_name("child.py").absolute()
"""The program of a child."""
ENDS_WITHIN_S = 5.0
"""How long a child may take to end by itself once its line is closed."""
MEANWHILE_S = 0.5
"""The period in which ``meanwhile`` is called while a program runs."""
OF_ALL = {getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)}
"""Signals that a terminal, `timeout` or systemd sends to the whole group."""


class ChildLost(Exception):
    """The child has ended, or was silent for too long; the message says which, as the end of a sentence."""


class Child:
    """A child process that runs ``work(link, *arguments)``, where ``link`` is its end of a line to this process.

    Messages and arguments are pickled; for an argument that is a `SharedMemory` the work gets its bytes. The child
    ignores the signals to the whole group: this process ends its children in good order. Raises StreamerError when no
    process can be started.
    """

    def __init__(self, work: Callable[..., None], *arguments: Any) -> None:
        given = bytes(ForkingPickler.dumps((work, arguments)))
        numbers = [number for one in arguments if isinstance(one, SharedMemory) for number in one.numbers]
        python = interpreter()
        try:
            self._link, there = Pipe()
            with there, _signals_held():
                self._process = _start(python, there, numbers)
        except OSError as error:
            raise StreamerError(f"cannot start a process with {python}: {error.strerror}") from error
        self._release = finalize(self, _end_at_once, self._process)
        with suppress(OSError):  # it has ended already: `hear` raises how
            # Only strings in the path are of use to an import.
            send(self._link, ([place for place in sys.path if isinstance(place, str)], given))

    def tell(self, message: Any) -> None:
        """Sends a message to the child. Raises ChildLost."""
        try:
            send(self._link, message)
        except OSError as error:
            raise self._lost() from error

    def hear(self, within_s: float | None = None) -> Any:
        """The child's next message; a StreamerError, the last message, when its work failed.

        Raises ChildLost, also when no message comes ``within_s``.
        """
        try:
            if not self._link.poll(within_s):
                raise ChildLost(f"it gave no sign of life for {within_s:g} s")
            return self._link.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error

    @property
    def speaks(self) -> bool:
        """Whether a message, or the end of the line, can be read at once."""
        return self._link.poll()

    def end(self) -> None:
        """Lets the child end by itself, and kills it when it does not; may be called again."""
        self._link.close()
        self._ended(ENDS_WITHIN_S)
        self.kill()

    def signal(self, number: int) -> None:
        """Sends the child a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Ends the child at once; so does the deletion of this object, and the end of this process."""
        self._link.close()
        self._release()

    def _ended(self, within_s: float) -> int | None:
        """The exit code, negative for a signal; None when the child has not ended ``within_s``."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(within_s)
        return None

    def _lost(self) -> ChildLost:
        code = self._ended(ENDS_WITHIN_S)
        if code is not None and code < 0:
            return ChildLost(f"its process was killed by {signal.Signals(-code).name}")
        return ChildLost("its process hung up" if code is None else f"its process ended with exit code {code}")


def _end_at_once(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdin is not None
    process.stdin.close()


def interpreter() -> str:
    """The Python that starts processes: this one, or the one given to ``multiprocessing.set_executable``.

    Raises StreamerError when there is none, as in a program with an embedded or frozen Python.
    """
    path = os.fsdecode(get_executable() or "")
    if not path or (getattr(sys, "frozen", False) and path == sys.executable):
        raise StreamerError(
            "there is no Python here to start a process with: name one with multiprocessing.set_executable"
        )
    return path


def _start(python: str, there: Connection, numbers: Sequence[int]) -> subprocess.Popen[bytes]:
    """Starts a child at the other end of a line, which has the files of these numbers open as well.

    Its standard input is a pipe from here, which ends when this process does (`end_with_parent`).
    """
    # The flags of this Python, as multiprocessing passes them on too. -P: nothing is imported from this folder.
    command = [python, *subprocess._args_from_interpreter_flags(), "-P", str(PROGRAM)]  # type: ignore[attr-defined]
    if sys.platform == "win32":
        handle = there.fileno()
        os.set_handle_inheritable(handle, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        return subprocess.Popen([*command, str(handle)], stdin=subprocess.PIPE, bufsize=0, startupinfo=startup)
    line = above_standard(there.fileno())
    try:
        return subprocess.Popen([*command, str(line)], stdin=subprocess.PIPE, bufsize=0, pass_fds=(line, *numbers))
    finally:
        os.close(line)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Blocks the signals to the whole group in processes that are started meanwhile, until they unblock them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OF_ALL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def send(link: Connection, message: Any) -> None:
    """Pickles and sends a message. Raises OSError when the other end has gone.

    Not by ``link.send``: it pickles into a buffer of which a view is open when it fails, and Python warns of that
    buffer on standard error when both are collected.
    """
    link.send_bytes(bytes(ForkingPickler.dumps(message)))


_lifeline: int | None = None
"""In a child: the number of the pipe that ends when the parent has."""


def begin(link: Connection, lifeline: int, given: bytes) -> None:
    """Does the work that is ``given``, pickled, with its arguments. Called by the program of a child."""
    global _lifeline
    _lifeline = lifeline
    for number in OF_ALL:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, OF_ALL)
    with link, suppress(ConnectionError, EOFError):  # the parent has gone: nobody waits for the work
        try:
            work, arguments = pickle.loads(given)
            work(link, *arguments)
        except (ConnectionError, EOFError):
            raise
        except Exception as error:
            from streamer.workers.defects import as_streamer_error  # here, so that a child imports little

            send(link, as_streamer_error(error))


def end_with_parent() -> None:
    """Waits in a child until its parent has ended, and ends this process, also when its work never returns.

    Blocks, and so belongs on a thread.
    """
    assert _lifeline is not None
    os.read(_lifeline, 1)  # nothing is ever written there
    time.sleep(ENDS_WITHIN_S)  # work that notices it ends in good order
    os._exit(1)


def run_to_end(command: Sequence[str], meanwhile: Callable[[], object] = lambda: None) -> str:
    """Runs a program, and returns its standard output. Raises EngineError when it is not there or fails.

    ``meanwhile`` is called about twice a second; the program is killed when that raises.
    """
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)
    except OSError as error:
        raise EngineError(f"{command[0]} cannot be run: {error.strerror}") from error
    with process:
        try:
            out, err = _output(process, meanwhile)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        last = (err.strip() or out.strip() or "without a word").splitlines()[-1]
        raise EngineError(f"{command[0]} failed: {last}")
    return out


def _output(process: subprocess.Popen[str], meanwhile: Callable[[], object]) -> tuple[str, str]:
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=MEANWHILE_S)
        meanwhile()
