"""Functions of the library as tests call them, and the processes that they start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import streamer
from tests.runs import environment


def children() -> set[int]:
    """The processes that this one has started; multiprocessing's own, which stays, aside."""
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # one that has ended is none
            if not any("resource_tracker" in part for part in child.cmdline()):
                found.add(child.pid)
    return found


def kill_in_round(progress: streamer.Progress) -> None:
    """An observer that kills all children as soon as a round has begun."""
    if "round" in progress.doing:
        for child in children():
            os.kill(child, signal.SIGKILL)


def interrupted(function: str, source: Path, options: Mapping[str, Any], when: str, *, cwd: Path) -> dict[str, Any]:
    """The document that `tests.api.interrupted` prints of a call that it interrupts; nothing else is printed."""
    command = [sys.executable, "-m", "tests.api.interrupted", function, str(source), json.dumps(options), when]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    return document
