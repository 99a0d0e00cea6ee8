"""A load: the requests it accepts, what it uses, and that it ends with the run, however that ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import streamer
from streamer.charts.captions import load_texts
from streamer.cli.replay_report import print_report
from streamer.errors import StreamerError, UsageError
from streamer.machine.contention import ContentionMeter, Reading
from streamer.machine.load import Load, LoadProcesses, parse_load
from streamer.run.doubts import doubts
from streamer.run.facts import Contention
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.verification import verify
from tests import children, runs
from tests.cli.test_errors import wait_for_rows
from tests.facts import observed
from tests.runs import environment
from tests.test_imports import loaded_by
from tests.videos import write_video

pytestmark = pytest.mark.timing


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
        ("mem=1000T", r"this machine has \d+ MB of memory; give less"),
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


@contextmanager
def at_work(load: Load, beside: Path) -> Iterator[LoadProcesses]:
    """The processes of a load, ready; none is left."""
    processes = LoadProcesses(load, beside)
    try:
        processes.wait_ready()
        yield processes
    finally:
        processes.kill()
    assert children.there() == []


def test_its_processes_use_what_is_requested_and_leave_no_file(tmp_path: Path) -> None:
    with at_work(Load(0.5, 50_000_000, 2_000_000, 3), tmp_path) as processes:
        assert len(children.there()) == 3
        processes.begin()
        assert list(tmp_path.iterdir()) == []
        processes.finish()
        assert children.there() == []
    took = processes.took
    assert took is not None
    assert 49_000_000 < took.resident < 60_000_000, "measured, so not exactly the request"
    assert took.nice == min(os.nice(0) + 3, 19)
    assert processes.lost == []


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system does not tell what a process writes")
def test_its_figures_are_those_of_the_system(tmp_path: Path) -> None:
    with at_work(Load(0.2, 0, 20_000_000), tmp_path) as processes:
        processes.begin()
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        written, cpu_s = 0, 0.0
        for child in children.there():
            counts = dict(line.split(": ") for line in Path(f"/proc/{child}/io").read_text().splitlines())
            written += int(counts["wchar"])
            user, system = Path(f"/proc/{child}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]
            cpu_s += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        processes.finish()
    took = processes.took
    assert took is not None
    # The system counts from their beginning, and a little later they may have written more.
    assert 0 < took.written < written + 8_000_000
    assert 0 < took.cpu_s < cpu_s + 0.5


def test_a_rate_that_no_disk_has_falls_short_and_is_doubted(tmp_path: Path) -> None:
    with at_work(Load(io_bytes_s=10**15), tmp_path) as processes:
        processes.begin()
        processes.finish()
    (line,) = processes.doubts()
    assert line.startswith("the load fell short: ")
    assert line.endswith(" of 1e+09 MB a second")


def test_a_load_that_cannot_be_made_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(StreamerError, match="load cannot be made: it cannot write: No such file or directory; ask"):
        with at_work(Load(0.1, io_bytes_s=1_000_000), tmp_path / "nowhere"):
            pytest.fail("it was made")
    with pytest.raises(StreamerError, match="load cannot be made: there is not so much memory; ask"):
        with at_work(Load(memory_bytes=1 << 60), tmp_path):
            pytest.fail("it was made")


def test_memory_that_is_not_to_be_had_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 3)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))\n"
        f"sys.argv = {['streamer', 'replay', 'clip.mp4', '--engine', 'null', '--load', 'mem=9G', '--out', 'run']!r}\n"
        "from streamer.cli.main import main\n"
        "if __name__ == '__main__':\n    main()\n"
    )
    (tmp_path / "limited.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "limited.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == (2 if "this machine has" in done.stderr else 1), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_its_processes_import_nothing_heavy() -> None:
    assert not loaded_by("import streamer.machine.load_workers, streamer.workers.processes") & {
        *("numpy", "openvino", "cv2", "av", "anyio", "click", "psutil", "matplotlib")
    }


def test_a_signal_to_the_whole_group_leaves_it_at_work_until_the_run_has_read_its_figures(tmp_path: Path) -> None:
    with at_work(Load(0.2), tmp_path) as processes:
        processes.begin()
        for child in children.there():
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(child, number)
        processes.finish()
    assert processes.lost == []


def test_the_load_is_not_doubted_as_other_processes() -> None:
    meter = ContentionMeter(Reading(0, 0, 0, 0, 0, 0))
    meter.sampled(10_000_000, Reading(10, 8, 8 + 15, 0, 0, 0))
    contention = Contention.seen_by(meter)
    (others,) = doubts(observed(contention=contention, load_cores=1.0))
    assert others.startswith("other processes took 0.50 of ")
    assert doubts(observed(contention=contention, load_cores=1.4)) == []


def test_one_that_is_killed_is_reported_as_a_doubt() -> None:
    with at_work(Load(cores=1.5), Path()) as processes:
        for child in children.there():
            children.kill(child)
        processes.begin()
        processes.finish()
    assert len(processes.lost) == 2
    assert "killed by SIGKILL" in processes.doubts()[0]
    assert "fell short: 0 of 1.5 cores" in processes.doubts()[-1]


def test_one_whose_disk_fails_says_so_in_its_doubt(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="this system has no limits")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        processes = LoadProcesses(Load(io_bytes_s=50_000_000), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    processes.wait_ready()
    for child in children.there():
        children.wait(child)
    processes.begin()
    processes.finish()
    assert processes.lost == ["it cannot write: File too large"]
    assert processes.doubts()[0] == "a process of the load did not come to the end: it cannot write: File too large"


def test_a_run_says_what_its_load_took_and_is_verified(tmp_path: Path) -> None:
    clip, out = write_video(tmp_path / "clip.mp4", 30), tmp_path / "run"
    settings = Settings(
        engine="null", fps=100, load=("cpu=0.2,mem=20M", "nice=1"), video=Video.NONE, chart=False, out=out
    )
    run = streamer.replay(clip, settings)
    load = run.manifest["load"]
    assert load is not None
    assert load["took"] is not None
    assert load["asked"] == {"cpu_cores": 0.2, "memory_mb": 20.0, "io_mb_s": 0.0, "nice": 1}
    assert load["took"].keys() == load["asked"].keys()
    assert load["took"]["memory_mb"] == pytest.approx(20, rel=0.2)
    assert load["lost"] == []
    assert children.there() == []
    assert verify(out).reasons == []
    terminal = StringIO()
    print_report(run, Console(file=terminal))
    (shown,) = [line for line in terminal.getvalue().splitlines() if line.startswith("load ")]
    assert (
        f" of 0.2 cores, memory {load['took']['memory_mb']:g} of 20 MB, niceness {min(os.nice(0) + 1, 19)}" in shown
    )
    assert load_texts(load) == ["under load: 0.2 cores busy, 20 MB held, nice 1"]


def test_a_run_that_cannot_begin_leaves_no_process_behind(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 3)
    with pytest.raises(UsageError):
        streamer.replay(clip, Settings(engine="null", load=("cpu=1",), out=clip))
    assert children.there() == []


def test_an_interrupted_run_tells_what_its_load_took_and_ends_it(tmp_path: Path, tiny_model: Path) -> None:
    write_video(tmp_path / "clip.mp4", 30)
    options = ["--engine", "null", "--model", str(tiny_model), "--fps", "100", "--loop", "--video", "none"]
    arguments = ["clip.mp4", *options, "--load", "cpu=0.2", "--out", "run"]
    with subprocess.Popen(
        [sys.executable, "-m", "streamer", "replay", *arguments], cwd=tmp_path, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        wait_for_rows(process, tmp_path / "run" / "frames.csv", 10)
        os.killpg(process.pid, signal.SIGTERM)
        # Its standard output is that of its children as well: it is closed when the last of them has ended.
        out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "load    CPU " in out
    assert err == ""
    load = runs.manifest(tmp_path / "run")["load"]
    assert load["took"]["cpu_cores"] > 0
    assert load["lost"] == []


CODE = """
import sys
from pathlib import Path
from streamer.machine.load import Load, LoadProcesses
from tests import children
if __name__ == "__main__":
    processes = LoadProcesses(Load(1.5, 10_000_000, 1_000_000), Path())
    if sys.argv[1] == "when it was heard":
        processes.wait_ready()
    else:
        assert all(child._link.poll(60) for child in processes._children)
    print(*children.there(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfd_open")
@pytest.mark.parametrize("when", ["when it was heard", "when it was not heard yet"])
def test_when_streamer_is_killed_its_load_ends_too_without_a_word(when: str, tmp_path: Path) -> None:
    script = tmp_path / "loaded.py"
    script.write_text(CODE)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, script, when],
        cwd=tmp_path, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        children = [os.pidfd_open(int(pid)) for pid in process.stdout.readline().split()]
        assert len(children) == 4
        process.send_signal(signal.SIGKILL)
        for child in children:
            assert select.select([child], [], [], 60)[0], "a process of the load is still there"
            os.close(child)
        assert process.stderr is not None
        assert process.stderr.read() == ""
