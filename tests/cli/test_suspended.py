"""Ctrl-Z while a live line is shown: the shell gets its cursor, and ``fg`` goes on."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import environment, manifest, read_until
from tests.videos import write_video

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Ctrl-Z")

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def test_after_ctrl_z_the_cursor_is_there_and_after_fg_the_line_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 25)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "streamer", "replay", str(clip), "--model", str(tiny_model), "--out", "run"]
    more = ["--engine", "null", "--fps", "50", "--loop", "--duration", "1h", "--video", "none", "--no-chart"]
    with subprocess.Popen(
        [*command, *more],
        cwd=tmp_path,
        env=environment({"TERM": "xterm"}),
        stdout=subprocess.PIPE,
        stderr=theirs,
        process_group=0,  # as a shell does: what has no shell above it cannot be stopped by Ctrl-Z
    ) as process:
        os.close(theirs)
        shown = read_until(ours, b" frames  ")
        process.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        shown += read_until(ours, SHOW)
        assert shown.rindex(SHOW) > shown.rindex(HIDE)
        process.send_signal(signal.SIGCONT)
        gone_on = read_until(ours, b" frames  ")
        assert HIDE in gone_on
        process.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), "a second Ctrl-Z stops it, too"
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        gone_on += read_until(ours, None)
        os.close(ours)
    assert process.returncode == 143
    assert gone_on.rindex(SHOW) > gone_on.rindex(HIDE)
    assert not re.search(rb"Traceback", shown + gone_on)
    assert manifest(tmp_path / "run")["verdict"] == "INTERRUPTED"
