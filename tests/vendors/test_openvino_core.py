"""The Core of OpenVINO: the stack for signals that it gives the main thread is there for as long as the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import environment

PROGRAM = """
import ctypes, gc, sys
import numpy as np
import streamer

class Stack(ctypes.Structure):
    _fields_ = [("begin", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def is_there():
    stack = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
    ranges = [line.split()[0].split("-") for line in open("/proc/self/maps")]
    here = any(int(first, 16) <= (stack.begin or 0) < int(last, 16) for first, last in ranges)
    return here or stack.begin is None

image = np.zeros((64, 64, 3), np.uint8)
first = streamer.Detector(engine="ir", model=sys.argv[1])
second = streamer.Detector(engine="ir", model=sys.argv[1])
first(image), second(image)
del first
gc.collect()
del second
gc.collect()
print(is_there())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc/self/maps")
def test_signals_still_have_their_stack_when_engines_have_gone_in_any_order(tiny_model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tiny_model)]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
