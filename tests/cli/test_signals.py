"""SIGINT, SIGTERM and SIGHUP: one rule for every command; SIGINT also if ignored at first, as in a script."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from streamer.cli import models
from streamer.cli.main import COMMANDS
from streamer.cli.signals import TWICE_S
from tests.runs import environment, manifest
from tests.videos import write_video

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to end a process with")

EVERY = [*((name,) for name in COMMANDS if name != "models"), *(("models", name) for name in models.COMMANDS)]
"""The words of every command."""

SET_UP = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from streamer.cli.main import group, main
from streamer.files.scratch import scratch_directory

def command_of(words):
    command = group
    for word in words:
        command = command.get_command(None, word)
    command.params = []
    return command

def goes_on():  # for ever: only what a signal raises ends it
    while True:
        signal.pause()
"""

ONE_AFTER_ANOTHER = """
import json, tempfile

def stands_still():
    with scratch_directory():
        os.write(2, b"at work\\n")
        goes_on()

endings = []
for words in json.loads(sys.argv[1]):
    command_of(words).callback = stands_still
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        tempfile.tempdir, (here, there) = tempfile.mkdtemp(), os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(there, 2)
            os.close(there)
            sys.argv[1:] = words
            main()
        os.close(there)
        text = os.read(here, 1000)
        os.kill(child, number)
        _, status = os.waitpid(child, 0)
        text += os.read(here, 1000)
        ending = [os.waitstatus_to_exitcode(status), text.decode(), os.listdir(tempfile.tempdir)]
        endings.append([words, number, ending])
print(json.dumps(endings))
"""
"""Every command with work that goes on for ever, ended by a signal: the exit code, standard error, files left."""

HANGS = """
import ctypes
from streamer.workers.stopping import Interrupted

def hangs():  # in code that no signal reaches: a mutex that is locked twice
    library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(256)
    library.pthread_mutex_lock(mutex)
    with scratch_directory():
        try:
            print("at work", flush=True)
            library.pthread_mutex_lock(mutex)
        except Interrupted:  # the signal came before the lock
            if not stays:
                raise
            library.pthread_mutex_lock(mutex)

command_of(["bench"]).callback = hangs
stays = False
"""

PUTS_AWAY_FOR_LONG = """
def puts_away_for_long():
    with scratch_directory():
        try:
            print("at work", flush=True)
            goes_on()
        finally:
            print("putting away", flush=True)
            goes_on()

command_of(["bench"]).callback = puts_away_for_long
"""


@pytest.fixture(scope="module")
def endings(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], dict[int, list[Any]]]:
    """How each command ended, by its words and by the signal. One process imports them all, and forks for each."""
    scratch = tmp_path_factory.mktemp("scratch")
    done = subprocess.run(
        [sys.executable, "-c", SET_UP + ONE_AFTER_ANOTHER, json.dumps(EVERY)],
        env=environment({"TMPDIR": str(scratch)}), capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    found: dict[tuple[str, ...], dict[int, list[Any]]] = {words: {} for words in EVERY}
    for words, number, ending in json.loads(done.stdout):
        found[tuple(words)][number] = ending
    return found


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_the_first_signal_ends_every_command_without_a_word_and_nothing_is_left(
    words: tuple[str, ...], endings: dict[tuple[str, ...], dict[int, list[Any]]]
) -> None:
    codes = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
    assert endings[words] == {number: [code, "at work\n", []] for number, code in codes.items()}


@contextmanager
def bench(at_work: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs ``streamer bench`` with other work, which has begun; its scratch is in ``tmp_path``."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{SET_UP}{at_work}main()", "bench"],
        env=environment({"TMPDIR": str(tmp_path)}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "at work\n"
            yield process
        finally:
            process.kill()


def patience(seconds: float) -> str:
    """Code after which the first signal waits so long for the main thread."""
    return f"import streamer.cli.signals\nstreamer.cli.signals.PATIENCE_S = {seconds}\n"


def insist(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Sends a second signal, and again if it came so soon that it counted as the first."""
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=2 * TWICE_S)
        process.send_signal(number)


def ends(process: subprocess.Popen[str], code: int, tmp_path: Path) -> None:
    """It ends with the exit code and without another word, and leaves nothing behind."""
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == code
    assert not list(tmp_path.iterdir())


def test_the_first_signal_ends_a_command_that_is_in_a_runtimes_own_code(tmp_path: Path) -> None:
    with bench(HANGS + patience(0.2), tmp_path) as process:
        process.send_signal(signal.SIGINT)
        ends(process, 130, tmp_path)


def test_a_second_signal_ends_a_command_at_once_in_a_runtimes_own_code(tmp_path: Path) -> None:
    with bench(f"{HANGS}stays = True\n{patience(600)}", tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        insist(process, signal.SIGINT)
        ends(process, 130, tmp_path)


def test_a_second_signal_ends_a_command_at_once_that_is_putting_away(tmp_path: Path) -> None:
    with bench(PUTS_AWAY_FOR_LONG, tmp_path) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "putting away\n"
        insist(process, signal.SIGTERM)
        ends(process, 143, tmp_path)


def test_sigint_ends_a_run_well_that_was_started_with_it_ignored(tiny_model: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 100)
    ignoring = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nfrom streamer.cli.main import main\n"
    )
    options = [
        "--model",
        str(tiny_model),
        "--engine",
        "null",
        "--fps",
        "200",
        "--loop",
        "--warmup",
        "0",
        "--out",
        "run",
    ]
    with subprocess.Popen(
        [sys.executable, "-c", f"{ignoring}main()", "replay", str(clip), *options],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        frames = tmp_path / "run" / "frames.csv"
        while not (frames.exists() and frames.read_bytes().count(b"\n") > 5):
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it ended with {process.wait(timeout=0.02)}")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert manifest(tmp_path / "run")["verdict"] == "INTERRUPTED"
