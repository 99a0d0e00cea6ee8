"""Faults with real processes, threads, signals and disks: how a run ends, what it says, and that it is verified."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

import streamer
from benchmarks.chaos import Entry, as_toml, case_of, run
from streamer.errors import SinkError, UsageError
from streamer.faults.disk import FullDisk
from streamer.faults.plan import plan_of
from streamer.faults.process import ProcessFault
from streamer.faults.trigger import Trigger
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.verification import verify
from streamer.video.writer import VideoWriter
from tests import children, runs
from tests.runs import Finished, environment, manifest, playable_times, rows, video_times
from tests.videos import write_video

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to stop a process with"),
    pytest.mark.timing,
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 frames."""
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 100)


class Replay(Protocol):
    """Runs the clip with faults, into the directory ``run``."""

    def __call__(self, faults: list[Entry], *more: str) -> Finished: ...


def usual(model: Path) -> tuple[str, ...]:
    """The options of every replay here."""
    run = ("--engine", "null", "--model", str(model), "--fps", "50", "--quiet")
    return *run, "--faults", "plan.toml", "--out", "run"


@pytest.fixture
def replay(clip: Path, tiny_model: Path, tmp_path: Path) -> Replay:
    def replay(faults: list[Entry], *more: str) -> Finished:
        (tmp_path / "plan.toml").write_text(as_toml(faults))
        return runs.process("replay", clip, *usual(tiny_model), "--warmup", "0", "--no-chart", *more, cwd=tmp_path)

    return replay


def outcomes(directory: Path, outcome: str) -> list[int]:
    """The frames with this outcome."""
    return [int(row["frame"]) for row in rows(directory / "frames.csv") if row["outcome"] == outcome]


def check_failed(directory: Path, done: Finished, says: str) -> dict[str, Any]:
    """The run failed with one line, is verified, and its video plays; returns its manifest."""
    assert says in done.error
    assert done.code == 1
    assert verify(directory).reasons == []
    document = manifest(directory)
    assert document["verdict"] == "FAILED"
    assert document["error"] == done.error
    assert "faults were injected on purpose, by plan.toml" in " ".join(document["doubts"])
    return document


def test_an_engine_that_hangs_is_named_with_its_stack_and_the_run_is_whole(replay: Replay, tmp_path: Path) -> None:
    done = replay([{"kind": "engine-hang", "frame": 20}], "--stall", "0.5s", "--policy", "wait")
    document = check_failed(tmp_path / "run", done, "the engine is stuck in hang: nothing came back within 0.5 s")
    (stall,) = document["stalls"]
    assert stall["stage"] == "engine"
    assert "streamer/faults/engine.py" in " ".join(stall["stack"])
    assert stall["stack"][-1].endswith(" hang")
    assert outcomes(tmp_path / "run", "engine_error") == [20]
    assert len(video_times(tmp_path / "run" / "annotated.mp4")) == 20
    (fault,) = document["faults"]
    assert (fault["kind"], fault["began_frame"], fault["befallen"]) == ("engine-hang", 20, 1)


@pytest.mark.parametrize(
    ("kind", "why"), [("engine-hang", "no sign of life for 0.5 s"), ("engine-kill", "killed by SIGKILL")]
)
def test_an_engine_that_is_lost_in_a_process_of_its_own_is_replaced(
    kind: str, why: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "run"
    plan.write_text(as_toml([{"kind": kind, "frame": 20}]))
    settings = Settings(engine="null", model=str(tiny_model), fps=50, chart=False, out=out, video=Video.NONE)
    done = streamer.replay(clip, replace(settings, faults=str(plan), respawn=1, stall_s=0.5))
    assert done.failure is None
    assert done.manifest["verdict"] == "VALID"
    (replacement,) = done.manifest["replacements"]
    assert why in replacement["why"]
    assert outcomes(out, "engine_error") == [20]
    assert done.manifest["stalls"] == []
    assert verify(out).reasons == []


def test_a_sink_that_hangs_is_named_and_the_run_is_whole(replay: Replay, tmp_path: Path) -> None:
    done = replay([{"kind": "sink-slow", "frame": 20, "ms": 600_000}], "--stall", "0.5s", "--policy", "wait")
    document = check_failed(tmp_path / "run", done, "the sink is stuck in write")
    (stall,) = document["stalls"]
    assert stall["stage"] == "sink"
    assert "streamer/faults/sink.py" in stall["stack"][-1]
    assert outcomes(tmp_path / "run", "sink_error") == [20]
    assert playable_times(tmp_path / "run" / "annotated.mp4")[1]


def test_a_disk_that_is_full_all_of_a_sudden_ends_the_run_and_loses_no_row(replay: Replay, tmp_path: Path) -> None:
    done = replay([{"kind": "disk-full", "frame": 70}], "--policy", "wait")
    check_failed(tmp_path / "run", done, "disk full while writing run/detections.csv: free some space")
    assert outcomes(tmp_path / "run", "delivered") == list(range(70))
    assert outcomes(tmp_path / "run", "sink_error") == [70]
    shown, _ = playable_times(tmp_path / "run" / "annotated.mp4")
    assert shown[-1] >= Fraction(69, 50) - 1, "more than a second is lost"
    assert not list((tmp_path / "run").glob(".reserve*"))


def test_a_video_on_a_disk_that_is_full_fails_once_and_plays_up_to_there(tmp_path: Path) -> None:
    disk = FullDisk()
    rate = Fraction(5)
    writer = VideoWriter(tmp_path / "out.mp4", 64, 48, rate, 1 / rate, open_file=disk.open)
    for number in range(20):
        writer.write(np.full((48, 64, 3), 9 * number, np.uint8), number / rate)
    disk.full = True

    def write_on() -> None:
        for number in range(20, 40):
            writer.write(np.full((48, 64, 3), number, np.uint8), number / rate)

    with pytest.raises(SinkError, match=r"disk full while writing .*: free some space"):
        write_on()
    writer.close()
    assert 14 <= len(playable_times(tmp_path / "out.mp4")[0]) <= 20


def test_a_process_that_is_stopped_goes_on_late_and_nothing_is_mistaken_for_stuck(
    replay: Replay, tmp_path: Path
) -> None:
    stop = {"kind": "stop", "at": "500ms", "for": "900ms"}
    # The engine is nearly always at a frame, also when the process is stopped.
    engine = ("--engine", "null,delay_ms=18")
    done = replay([stop], *engine, "--stall", "0.5s", "--policy", "wait", "--video", "none")
    assert done == Finished(0, "", "")
    document = manifest(tmp_path / "run")
    assert document["stalls"] == []
    assert document["verdict"] == "VALID"
    captured = [float(row["captured_ms"]) for row in rows(tmp_path / "run" / "frames.csv")]
    longest = max(later - earlier for earlier, later in pairwise(captured))
    assert longest >= 850
    assert outcomes(tmp_path / "run", "delivered") == list(range(100))
    assert verify(tmp_path / "run").reasons == []
    suspensions = document["resources"]["suspensions"]
    assert suspensions["count"] == 1
    assert suspensions["total_s"] == pytest.approx(0.9, abs=0.12)
    assert suspensions["each"][0]["at_ms"] == pytest.approx(500, abs=200)
    assert any(said.startswith("the process did not run for ") for said in document["doubts"])
    assert not any("too busy, or too slow" in said for said in document["doubts"])


def taken_s(fault: dict[str, Any], *, begin: bool) -> float:
    """CPU seconds that the child of a fault took, in all."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = ProcessFault(Trigger(plan_of("plan.toml", [fault]).faults[0]))
    process.wait_ready()
    if begin:
        process.begin(0)
        for child in children.there():
            children.wait(child)
    process.kill()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime


def test_a_hog_takes_cores_for_a_while_and_ends() -> None:
    hog = {"kind": "hog", "frame": 1, "for": "1s", "cores": 1.5}
    assert taken_s(hog, begin=True) - taken_s(hog, begin=False) > 0.4
    assert children.there() == []


def test_a_run_with_a_hog_leaves_no_process_behind(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(as_toml([{"kind": "hog", "at": "200ms", "for": "1h", "cores": 0.5}]))
    settings = Settings(
        engine="null", model=str(tiny_model), faults=str(plan), chart=False, out=tmp_path / "run", frames=30
    )
    document = streamer.replay(clip, settings).manifest
    assert document["verdict"] == "VALID"
    assert document["faults"] is not None
    assert document["faults"][0]["befallen"] == 1
    assert children.there() == []


def test_without_a_plan_the_manifest_says_null(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    settings = Settings(engine="null", model=str(tiny_model), chart=False, out=tmp_path / "run", frames=3)
    document = streamer.replay(clip, settings).manifest
    assert document["faults"] is None
    assert not [doubt for doubt in document["doubts"] if "fault" in doubt]


@pytest.mark.parametrize(
    ("fault", "more", "says"),
    [
        ({"kind": "engine-kill", "frame": 1}, {}, "add respawn 1"),
        ({"kind": "black", "frame": 1, "stream": 2}, {"streams": 2}, "there is no stream 2; give one from 0 to 1"),
        ({"kind": "burst", "frame": 1, "frames": 2}, {"fps": "max"}, "with fps max nothing is due"),
        ({"kind": "jitter", "frame": 1, "frames": 2, "ms": 1}, {"fps": "max"}, "leave jitter out"),
    ],
)
def test_what_cannot_hit_this_run_is_refused_before_anything_is_written(
    fault: Entry, more: dict[str, Any], says: str, clip: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(as_toml([fault]))
    with pytest.raises(UsageError, match=says) as refused:
        streamer.replay(clip, Settings(engine="null", faults=str(plan), out=tmp_path / "run", **more))
    assert str(refused.value).startswith(f"fault 1 of {plan}: ")
    assert not (tmp_path / "run").exists()


def test_a_plan_that_cannot_be_used_is_one_line_and_exit_code_2(replay: Replay, tmp_path: Path) -> None:
    done = replay([{"kind": "explode", "frame": 1}])
    assert done.code == 2
    assert "fault 1 of plan.toml: kind is 'explode'; give one of stall, burst" in done.error
    assert not (tmp_path / "run").exists()


def test_an_interrupt_in_the_middle_of_a_stall_ends_the_run_well(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_text(as_toml([{"kind": "stall", "frame": 20, "for": "1h"}]))
    command = [sys.executable, "-m", "streamer", "replay", str(clip), *usual(tiny_model), "--stall", "1h"]
    table = tmp_path / "run" / "frames.csv"
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        for _ in range(3000):
            # Frame 16 is the last before the stall: four are decoded ahead.
            if table.is_file() and table.read_bytes().count(b"\n") > 16:
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.02)
                pytest.fail("the process ended")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "")
    assert manifest(tmp_path / "run")["verdict"] == "INTERRUPTED"
    assert verify(tmp_path / "run").reasons == []


@pytest.mark.parametrize("seed", [1000, 1005, 1006])
def test_random_plans_end_as_they_should_with_every_frame_accounted_for(seed: int, tmp_path: Path) -> None:
    if not runs.BUNDLED_MODEL.is_file():
        pytest.skip("the bundled model is not trained yet")
    case = case_of(seed)
    ended = run(case, tmp_path, tmp_path / "run")
    assert (ended.code, ended.reasons) == (case.code, []), ended.printed
