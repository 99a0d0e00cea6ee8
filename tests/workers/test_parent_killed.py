"""When a program that uses the library is killed, each process that it has started ends too, without a word."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import environment
from tests.videos import write_video

pytestmark = pytest.mark.slow

ENGINE = """
from streamer.engines.isolated import IsolatedEngine
from streamer.engines.spec_parser import parse_spec
from streamer.workers.threads import beside
from tests.rig import TINY
engine = IsolatedEngine(parse_spec("null,delay_ms=600000"), TINY, 600)
engine.read()
engine.compile()
beside(engine.infer)  # hangs in it
"""
COMPRESSOR = """
from streamer.rundir.compressor import Compressor
compressor = Compressor()
compressor.start()
"""
FAULTS = """
from streamer.faults.plan import plan_of
from streamer.faults.process import ProcessFault
from streamer.faults.trigger import Trigger
tables = [
    {"kind": "hog", "frame": 1, "for": "1h", "cores": 1.5},
    {"kind": "stop", "frame": 1, "for": "1s"},
]
faults = [ProcessFault(Trigger(fault)) for fault in plan_of("plan.toml", tables).faults]
for fault in faults:
    fault.wait_ready()
faults[0].begin(0)
"""
STUDY = """
from pathlib import Path
from streamer import Settings, Video
from streamer.studies.arm_process import Waiting, serve
from streamer.workers.processes import Child
settings = Settings(engine="null", video=Video.NONE, chart=False, fps=20, loop=True, duration=600, out=Path("run"))
child = Child(serve, "clip.mp4", settings, "a study", frozenset([0, 20]))
while not isinstance(child.hear(60), Waiting):
    pass
"""
END = """
import sys
from tests import children
print(*children.there(), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no pidfd_open")
@pytest.mark.parametrize(
    ("program", "count"),
    [(ENGINE, 1), (COMPRESSOR, 1), (FAULTS, 3), (STUDY, 1)],
    ids=["engine", "compressor", "faults", "study"],
)
def test_its_processes_end(program: str, count: int, tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 30)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", program + END], cwd=tmp_path, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe
    ) as parent:
        assert parent.stdout is not None
        started = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(started) == count
        parent.kill()
        for child in started:
            assert select.select([child], [], [], 60)[0], "it is still there"
            os.close(child)
        assert parent.stderr is not None
        assert parent.stderr.read() == b""
