"""The C library keeps its memory in few arenas, however many threads there are."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streamer.machine.malloc import ARENAS
from tests.runs import environment

THREADS = 16
COUNT = f"""
import ctypes, threading
{{limit}}
together = threading.Barrier({THREADS})
def hold():
    held = [bytearray(5_000) for _ in range(100)]
    together.wait()
threads = [threading.Thread(target=hold) for _ in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
library = ctypes.CDLL(None)
library.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(library.fdopen(1, b"w"))
library.malloc_info(0, out)
library.fflush(out)
"""


def arenas(limit: str) -> int:
    """How many there are in a process of its own, whose threads all hold some memory."""
    program = COUNT.format(limit=limit)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=False
    )
    if "<heap" not in done.stdout:
        pytest.skip("this C library does not tell its arenas")
    return done.stdout.count("<heap nr=")


def test_there_are_no_more_than_so_many() -> None:
    if arenas("") <= ARENAS:
        pytest.skip("this C library makes no more by itself")
    assert arenas("from streamer.machine.malloc import limit_arenas; limit_arenas()") <= ARENAS
