"""Standard output that cannot be written, and a terminal that is lost: one line at most, and the run is whole."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from streamer.cli.streams import Watched
from streamer.verification import verify
from tests.cli.test_signals import EVERY, SET_UP
from tests.runs import environment, manifest, read_until
from tests.videos import write_video

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")

NOT_WHOLE = "the text there is incomplete, the files are complete"
FULL, BROKEN, CLOSED = (
    f"streamer: cannot write to standard output: {why}; {NOT_WHOLE}\n"
    for why in ("No space left on device", "Broken pipe", "Bad file descriptor")
)

HELP_OF_EACH = """
import json

endings = []
for words in json.loads(sys.argv[1]):
    command_of(words)
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        os.dup2(there, 2)
        sys.argv[1:] = [*words, "--help"]
        main()
    os.close(there)
    with open(here) as errors:
        text = errors.read()
    endings.append([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text])
print(json.dumps(endings))
"""


def options(model: Path, *more: str) -> list[str]:
    """The options of every run here."""
    return ["--engine", "null", "--model", str(model), "--fps", "200", "--warmup", "0", "--out", "run", *more]


def test_a_full_standard_output_is_one_line_and_exit_code_1_of_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SET_UP + HELP_OF_EACH, json.dumps(EVERY)],
        env=environment(), capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    assert dict(zip(EVERY, json.loads(done.stdout), strict=True)) == {words: [1, FULL] for words in EVERY}


def to(output: str, arguments: list[str], cwd: Path) -> tuple[int, str]:
    """``streamer`` in a shell that sends its standard output there: its exit code and standard error."""
    command = f'"$0" -m streamer "$@" {output}'
    done = subprocess.run(
        ["bash", "-c", f"{command}; echo $? > code", sys.executable, *arguments],
        cwd=cwd, env=environment(), stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    return int((cwd / "code").read_text()), done.stderr


@pytest.mark.parametrize(
    ("output", "error", "more"),
    [(">/dev/full", FULL, ()), (">/dev/full", FULL, ("--json",)), (">&-", CLOSED, ())],
    ids=["full", "full-json", "closed"],
)
def test_a_run_is_complete_when_its_report_cannot_be_written(
    output: str, error: str, more: tuple[str, ...], tiny_model: Path, tmp_path: Path
) -> None:
    write_video(tmp_path / "clip.mp4", 20)
    arguments = ["replay", "clip.mp4", *options(tiny_model, "--no-chart", *more)]
    assert to(output, arguments, tmp_path) == (1, error)
    assert manifest(tmp_path / "run")["verdict"] == "VALID"
    assert verify(tmp_path / "run").valid


def test_a_study_whose_reader_has_gone_comes_to_its_end(tiny_model: Path, tmp_path: Path) -> None:
    arguments = ["bench", "--engine", "null", "--model", str(tiny_model), "--number", "50", "--out", "bench"]
    here, there = os.pipe()
    os.close(here)
    done = subprocess.run(
        [sys.executable, "-m", "streamer", *arguments],
        cwd=tmp_path, env=environment(), stdout=there, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(there)
    assert (done.returncode, done.stderr) == (1, BROKEN)
    assert {path.name for path in (tmp_path / "bench").iterdir()} == {"bench.csv", "bench.json", "bench.png"}


def test_the_exit_code_of_a_verdict_stays_when_the_report_cannot_be_written(tiny_model: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 20)
    missed = options(tiny_model, "--no-chart", "--slo", "latency.p50<0.000001ms")
    assert to(">/dev/full", ["replay", "clip.mp4", *missed], tmp_path) == (3, FULL)


def test_an_error_has_its_exit_code_when_standard_error_is_full(tmp_path: Path) -> None:
    assert to("2>/dev/full", ["replay", "none.mp4"], tmp_path) == (2, "")
    assert to("2>&-", ["replay", "none.mp4"], tmp_path) == (2, "")


def test_text_that_cannot_be_written_is_discarded_and_later_text_is_written(tmp_path: Path) -> None:
    path = tmp_path / "text"
    with path.open("w") as file, Watched(file) as watched, open("/dev/full", "w") as full:
        kept = os.dup(file.fileno())
        watched.write("one\n")
        watched.flush()
        os.dup2(full.fileno(), watched.fileno())
        watched.write("two\n")
        watched.flush()
        os.close(kept)
        watched.write("three\n")
        watched.flush()
        assert watched.failure == "No space left on device"
    assert path.read_text() == "one\nthree\n"


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["report", "json"])
def test_a_run_whose_terminal_is_lost_ends_as_by_a_signal(
    more: tuple[str, ...], tiny_model: Path, tmp_path: Path
) -> None:
    write_video(tmp_path / "clip.mp4", 30)
    arguments = ["replay", "clip.mp4", *options(tiny_model, "--loop", *more)]
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.chdir(tmp_path)
        environ = environment({"TERM": "xterm"})
        os.execve(sys.executable, [sys.executable, "-m", "streamer", *arguments], environ)
    read_until(terminal, b" dropped")
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert manifest(tmp_path / "run")["verdict"] == "INTERRUPTED"
    assert (tmp_path / "run" / "latency.png").is_file()
    assert verify(tmp_path / "run").valid


def test_a_run_under_nohup_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 30)
    arguments = ["replay", "clip.mp4", *options(tiny_model, "--loop", "--frames", "200", "--no-chart")]
    with subprocess.Popen(
        ["nohup", sys.executable, "-m", "streamer", *arguments],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        frames = tmp_path / "run" / "frames.csv"
        while not (frames.exists() and frames.read_bytes().count(b"\n") > 5):
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it ended with {running.wait(timeout=0.02)}")
        running.send_signal(signal.SIGHUP)
        running.communicate(timeout=60)
    assert running.returncode == 0
    assert manifest(tmp_path / "run")["frames"]["scheduled"] == 200
