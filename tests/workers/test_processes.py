"""Processes of our own: they talk, they are told apart from lost ones, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from streamer.errors import EngineError
from streamer.workers.processes import OF_ALL, Child, ChildLost, end_with_parent, run_to_end
from streamer.workers.threads import beside
from tests.runs import environment


def echo(link: Connection, prefix: str) -> None:
    while True:
        link.send(f"{prefix} {link.recv()}")


def say_and_end(link: Connection) -> None:
    link.send("one word")


def fail(link: Connection) -> None:
    raise SystemExit(7)


def say_nothing(link: Connection) -> None:
    link.recv()


def test_a_child_hears_and_answers() -> None:
    child = Child(echo, "heard")
    for word in ("one", "two"):
        child.tell(word)
        assert child.hear() == f"heard {word}"
    child.end()


def test_what_a_child_said_before_it_ended_is_not_lost() -> None:
    child = Child(say_and_end)
    assert child.hear() == "one word"
    with pytest.raises(ChildLost, match="ended with exit code 0"):
        child.hear()


def test_a_child_that_failed_says_how() -> None:
    child = Child(fail)
    with pytest.raises(ChildLost, match="exit code 7"):
        child.hear()


def test_a_child_that_was_killed_says_by_what() -> None:
    child = Child(echo, "")
    child.tell("pid?")
    child.hear()
    assert child._process.pid
    os.kill(child._process.pid, signal.SIGKILL)
    with pytest.raises(ChildLost, match="SIGKILL"):
        child.hear()


def test_a_child_that_says_nothing_is_lost_in_time() -> None:
    child = Child(say_nothing)
    with pytest.raises(ChildLost, match=r"no sign of life for 0\.01 s"):
        child.hear(0.01)
    child.kill()
    child.kill()


@pytest.mark.parametrize("number", OF_ALL)
def test_a_signal_for_the_whole_group_does_not_end_a_child(number: signal.Signals) -> None:
    child = Child(echo, "heard")
    child.signal(number)  # while Python is being started in it
    child.tell("first")
    assert child.hear() == "heard first"
    child.signal(number)
    child.tell("second")
    assert child.hear() == "heard second"
    child.end()


def test_a_child_that_nobody_has_ended_does_not_hold_up_the_end_of_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.replace("    sys.stdin.read()\n", ""))
    done = subprocess.run([sys.executable, script], env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def spin(link: Connection, _: str) -> None:
    """Hangs: it never listens again."""
    beside(end_with_parent)
    link.recv()
    link.send(None)
    while True:
        pass


PARENT = """
import sys
from streamer.workers.processes import Child
from tests.workers.test_processes import echo
if __name__ == "__main__":
    child = Child(echo, "")
    child.tell("there?")
    child.hear()
    print(child._process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("work", ["echo", "spin"])
def test_a_child_ends_when_its_parent_is_killed(work: str, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.replace("echo", work))
    parent = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    ended = os.pidfd_open(pid)
    parent.kill()
    parent.communicate()
    import select

    assert select.select([ended], [], [], 60)[0], "the child is still there"
    os.close(ended)


def test_a_program_is_run_to_its_end() -> None:
    assert run_to_end([sys.executable, "-c", "print('done')"]) == "done\n"


def test_a_program_that_fails_or_is_missing_is_an_error_of_one_line() -> None:
    with pytest.raises(EngineError, match="failed: ValueError: no"):
        run_to_end([sys.executable, "-c", "raise ValueError('no')"])
    with pytest.raises(EngineError, match="cannot be run: No such file"):
        run_to_end(["/nowhere/program"])


def test_a_program_is_killed_when_who_waits_for_it_has_heard_enough() -> None:
    told: list[None] = []

    def meanwhile() -> None:
        told.append(None)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_to_end([sys.executable, "-c", "import time; time.sleep(1000)"], meanwhile)
