"""A load: what may be asked for, what it takes, and that it ends with the run, however that ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from multiprocessing import active_children
from pathlib import Path

import pytest

import streamer
from streamer.errors import UsageError
from streamer.load import Load, LoadProcesses, parse_load
from streamer.settings import Settings, Video
from streamer.verify import verify
from tests.runs import environment
from tests.videos import write_video


def test_entries_in_one_text_and_in_several_come_to_the_same() -> None:
    expected = Load(1.5, 2_000_000_000, 50_000_000, 5)
    assert parse_load(["cpu=1.5,mem=2G,io=50M/s,nice=5"]) == expected
    assert parse_load(["nice=5", "io=50M/s,mem=2G", "cpu=1.5"]) == expected
    assert parse_load([]) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cpu=0", "give cores above 0"),
        ("cpu=1000", "give cores above 0"),
        ("cpu", "give cores above 0"),
        ("mem=much", "give a size of 1K or more, as in mem=2G"),
        ("io=5", "give a size of 1K or more, as in io=50M/s"),
        ("nice=5", "there is nothing to be nice"),
        ("cpu=1,nice=40", "give a niceness of 1 to 19"),
        ("gpu=1", "give cpu, mem, io, nice"),
        ("cpu=1,cpu=2", "cpu is given twice"),
        ("", "give cpu, mem, io, nice"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_mend(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Settings(load=(text,))


def test_its_processes_take_what_is_asked_and_leave_no_file(tmp_path: Path) -> None:
    processes = LoadProcesses(Load(0.5, 50_000_000, 2_000_000, 3), tmp_path)
    processes.wait_ready()
    assert len(active_children()) == 3
    processes.begin()
    assert list(tmp_path.iterdir()) == []
    processes.finish()
    assert active_children() == []
    assert processes.took is not None
    assert processes.took.resident_mb == 50
    assert processes.lost == []


def test_one_that_is_killed_is_told_as_a_doubt() -> None:
    processes = LoadProcesses(Load(cores=1.5), Path())
    processes.wait_ready()
    for child in active_children():
        child.kill()
        child.join()
    processes.begin()
    processes.finish()
    assert len(processes.lost) == 2
    assert "killed by SIGKILL" in processes.doubts()[0]
    assert "fell short: 0 of 1.5 cores" in processes.doubts()[-1]


def test_a_run_says_what_its_load_took_and_is_verified(tmp_path: Path) -> None:
    clip, out = write_video(tmp_path / "clip.mp4", 30), tmp_path / "run"
    settings = Settings(engine="null", fps=100, load=("cpu=0.2,mem=20M",), video=Video.NONE, out=out)
    load = streamer.replay(clip, settings).manifest["load"]
    assert load["asked"] == {"cpu_cores": 0.2, "memory_mb": 20.0, "io_mb_s": 0.0, "nice": 0}
    assert load["took"]["memory_mb"] == 20
    assert load["lost"] == []
    assert active_children() == []
    assert verify(out).reasons == []


def test_a_run_that_cannot_begin_leaves_no_process_behind(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 3)
    with pytest.raises(UsageError):
        streamer.replay(clip, Settings(engine="null", load=("cpu=1",), out=clip))
    assert active_children() == []


CODE = """
import sys
from pathlib import Path
from streamer.load import Load, LoadProcesses
from multiprocessing import active_children
if __name__ == "__main__":
    processes = LoadProcesses(Load(1.5, 10_000_000, 1_000_000), Path())
    processes.wait_ready()
    print(*(child.pid for child in active_children()), flush=True)
    sys.stdin.read()
"""


def test_when_streamer_is_killed_its_load_ends_too(tmp_path: Path) -> None:
    script = tmp_path / "loaded.py"
    script.write_text(CODE)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, script], cwd=tmp_path, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stdout is not None
        children = [int(pid) for pid in process.stdout.readline().split()]
        assert len(children) == 4
        process.send_signal(signal.SIGKILL)
        # Its standard error is theirs as well: it is closed when the last of them has ended.
        assert process.stderr is not None
        process.stderr.read()
    assert not any(_alive(pid) for pid in children)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return json.dumps(Path(f"/proc/{pid}/stat").read_text()).split(") ")[1][0] != "Z"
