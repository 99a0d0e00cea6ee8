"""Child processes: they exchange messages, lost ones are recognized, and none outlives its parent."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from streamer.errors import Defect, EngineError, StreamerError
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


def test_what_a_child_stated_before_it_ended_is_not_lost() -> None:
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
    script.write_text(PARENT.replace("sys.stdin.read()\n", ""))
    done = subprocess.run([sys.executable, script], env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def files(link: Connection) -> None:
    """Says what it has open."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the listing itself
            found[number] = os.readlink(f"/proc/self/fd/{number}")
    link.send(found)
    link.recv()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not tell what a process has open")
def test_a_child_has_nothing_open_of_what_its_parent_or_another_one_has(tmp_path: Path) -> None:
    with open(tmp_path / "parents.txt", "w") as parents:
        os.set_inheritable(parents.fileno(), True)  # as a library may do
        others = [Child(echo, ""), Child(say_nothing)]
        child = Child(files)
        found = {number: what for number, what in child.hear().items() if int(number) > 2}
    assert len(found) == 2, found
    assert sorted(what.partition(":")[0] for what in found.values()) == ["pipe", "socket"]
    for one in (child, *others):
        one.end()


def ask_for_input(link: Connection) -> None:
    try:
        input()
    except EOFError:
        link.send("there was none")
    link.send(run_to_end([sys.executable, "-c", "import os; print(os.read(0, 1))"]))


def test_who_asks_for_input_in_a_child_gets_none() -> None:
    child = Child(ask_for_input)
    assert child.hear() == "there was none"
    assert child.hear() == "b''\n"
    child.end()


def test_no_file_number_is_left_of_a_child() -> None:
    before = sorted(os.listdir("/dev/fd"))
    for end in (Child.end, Child.kill):
        child = Child(echo, "heard")
        child.tell("a word")
        child.hear()
        end(child)
    assert sorted(os.listdir("/dev/fd")) == before


OF_THE_PARENT = """
def say(link):
    link.send(__file__)
"""


def test_a_child_looks_for_modules_where_its_parent_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_the_parent.py").write_text(OF_THE_PARENT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path / "no string"])
    child = Child(import_module("of_the_parent").say)
    assert child.hear() == str(tmp_path / "of_the_parent.py")
    child.end()


def refuse_to_be_read() -> None:
    raise ValueError("not here")


class Unreadable:
    """Is pickled well, and read badly."""

    def __reduce__(self) -> tuple[object, ...]:
        return refuse_to_be_read, ()


def test_what_cannot_be_read_in_a_child_is_an_error_that_says_so() -> None:
    child = Child(echo, Unreadable())
    assert isinstance(answer := child.hear(), Defect)
    assert str(answer).startswith("ValueError: not here")
    with pytest.raises(ChildLost, match="exit code 0"):
        child.hear()
    child.kill()


def test_a_python_that_ends_at_once_is_a_child_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with_python(monkeypatch, "/bin/false")
    child = Child(echo, "x" * 1_000_000)
    with pytest.raises(ChildLost, match="exit code 1"):
        child.hear()
    child.end()


def with_python(monkeypatch: pytest.MonkeyPatch, path: str | None) -> None:
    """Until the end of the test that is the Python that processes are started with."""
    monkeypatch.setattr(multiprocessing.spawn, "_python_exe", multiprocessing.spawn.get_executable())
    multiprocessing.set_executable(path)  # type: ignore[arg-type]


def test_where_there_is_no_python_it_says_so_and_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with_python(monkeypatch, None)
    with pytest.raises(StreamerError, match=r"no Python here .*: name one with multiprocessing.set_executable"):
        Child(echo, "")
    with_python(monkeypatch, "/nowhere/python")
    before = sorted(os.listdir("/dev/fd"))
    with pytest.raises(StreamerError, match="cannot start a process with /nowhere/python: No such file"):
        Child(echo, "")
    assert sorted(os.listdir("/dev/fd")) == before


def test_a_frozen_program_is_not_mistaken_for_a_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(StreamerError, match=r"name one with multiprocessing.set_executable"):
        Child(echo, "")
    with_python(
        monkeypatch, str(Path(sys.executable).parent / "." / ".." / Path(sys.executable).parent.name / "python")
    )
    child = Child(echo, "heard")
    child.tell("this")
    assert child.hear() == "heard this"
    child.end()


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
    assert select.select([ended], [], [], 60)[0], "the child is still there"
    os.close(ended)


def test_a_program_is_run_to_its_end() -> None:
    assert run_to_end([sys.executable, "-c", "print('done')"]) == "done\n"


def test_a_program_that_fails_or_is_missing_is_an_error_of_one_line() -> None:
    with pytest.raises(EngineError, match="failed: ValueError: no"):
        run_to_end([sys.executable, "-c", "raise ValueError('no')"])
    with pytest.raises(EngineError, match="cannot be run: No such file"):
        run_to_end(["/nowhere/program"])


def test_a_program_is_killed_when_its_waiting_caller_is_interrupted() -> None:
    calls: list[None] = []

    def meanwhile() -> None:
        calls.append(None)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_to_end([sys.executable, "-c", "import threading; threading.Event().wait()"], meanwhile)
