"""An engine in a process of its own: its answers, and a run in which it is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import numpy as np
import pytest

from streamer.engines.isolated import IsolatedEngine
from streamer.engines.null import NullEngine
from streamer.engines.spec_parser import parse_spec
from streamer.errors import EngineError, EngineLost, UsageError
from streamer.ledger.record import Outcome
from streamer.pipeline.housekeeping import Progress
from streamer.pipeline.observer import Silent
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.verification import verify
from tests import children
from tests.rig import TINY, Rig
from tests.videos import write_video


def test_an_engine_that_is_lost_is_replaced_its_frame_fails_and_those_due_meanwhile_are_rows() -> None:
    rig = Rig(services_s=(0.01,), engine_lost_at=frozenset({10}), respawns=1, respawn_s=0.5, frames=100).run()
    assert rig.pipeline.failure is None
    assert [record.frame for record in rig.records if record.outcome is Outcome.ENGINE_ERROR] == [10]
    # Frames 11 to 22 fall due in half a second; the last of them waits for the new engine.
    assert [record.frame for record in rig.records if record.outcome is Outcome.DROPPED] == list(range(11, 22))
    assert rig.ledger.outcomes[Outcome.DELIVERED] == 88
    assert rig.ledger.conserved
    (replacement,) = rig.replacing.done
    assert replacement.back_us - replacement.at_us == 500_000
    assert "frame 10" in replacement.why


def test_an_engine_that_is_lost_once_more_than_it_may_be_replaced_ends_the_run() -> None:
    rig = Rig(services_s=(0.01,), engine_lost_at=frozenset({10, 20, 30}), respawns=2, frames=100).run()
    assert isinstance(rig.pipeline.failure, EngineLost)
    assert rig.ledger.outcomes[Outcome.ENGINE_ERROR] == 3
    assert len(rig.replacing.done) == 2
    assert rig.ledger.conserved


def test_an_engine_that_raises_an_error_is_not_replaced() -> None:
    rig = Rig(services_s=(0.01,), engine_fails_at=10, respawns=5, frames=100).run()
    assert isinstance(rig.pipeline.failure, EngineError)
    assert rig.replacing.done == []


@pytest.fixture
def isolated() -> Iterator[Callable[[str, float], IsolatedEngine]]:
    """Makes engines in processes of their own, read and compiled, and closes them."""
    made: list[IsolatedEngine] = []

    def make(spec: str, within_s: float) -> IsolatedEngine:
        engine = IsolatedEngine(parse_spec(spec), TINY, within_s)
        made.append(engine)
        engine.read()
        engine.compile()
        return engine

    yield make
    for engine in made:
        engine.close()


def test_it_answers_as_the_engine_itself_does(isolated: Callable[[str, float], IsolatedEngine]) -> None:
    engine, itself = isolated("null", 60), NullEngine(parse_spec("null"), TINY)
    itself.compile()
    (request,), (its,) = engine.requests, itself.requests
    assert request.input.shape == its.input.shape
    assert request.input.dtype == its.input.dtype
    assert np.array_equal(request.input, its.input)
    assert np.array_equal(request.infer(), its.infer())
    assert engine.execution_devices == itself.execution_devices
    assert engine.config_in_force == itself.config_in_force


def test_it_counts_the_cpu_time_of_its_processes(isolated: Callable[[str, float], IsolatedEngine]) -> None:
    engine = isolated("null", 60)
    at_first = engine.cpu_s
    assert at_first > 0
    for _ in range(2000):
        engine.requests[0].infer()
    in_all = engine.cpu_s
    assert in_all > at_first
    engine.replace()
    engine.requests[0].infer()
    assert engine.cpu_s > in_all


def test_when_its_process_is_killed_the_error_says_so_and_another_one_answers(
    isolated: Callable[[str, float], IsolatedEngine],
) -> None:
    engine = isolated("null", 60)
    (child,) = children.there()
    children.kill(child)
    with pytest.raises(EngineLost, match="its process was killed by SIGKILL"):
        engine.infer()
    engine.replace()
    assert engine.infer()[0].shape == TINY.signature.outputs[0].shape


def test_when_it_does_not_answer_in_time_it_is_lost_and_its_process_can_be_ended(
    isolated: Callable[[str, float], IsolatedEngine],
) -> None:
    engine = isolated("null,delay_ms=600000", 0.2)
    with pytest.raises(EngineLost, match="no sign of life"):
        engine.infer()
    (child,) = children.there()
    engine.replace()
    assert child not in children.there()


class KillsTheEngine(Silent):
    """An observer that kills the engine's process at the first report of progress."""

    def __init__(self) -> None:
        self.killed = 0

    def progress(self, progress: Progress) -> None:
        if not self.killed:
            for child in children.there():
                children.kill(child)
                self.killed += 1


@pytest.mark.timing
def test_a_run_whose_engine_is_killed_goes_on_and_is_verified(tmp_path: Path) -> None:
    clip, out = write_video(tmp_path / "clip.mp4", 60), tmp_path / "run"
    settings = Settings(engine="null,delay_ms=5", respawn=2, loop=True, duration=6, chart=False, out=out)
    observer = KillsTheEngine()
    done = anyio.run(run, [str(clip)], settings, observer)
    assert observer.killed == 1
    assert done.failure is None
    assert done.manifest["verdict"] == "VALID"
    assert done.manifest["frames"]["engine_error"] == 1
    (replacement,) = done.manifest["replacements"]
    assert "killed by SIGKILL" in replacement["why"]
    assert [record.outcome for record in done.ledger][-1] is Outcome.DELIVERED
    assert any("the engine was replaced" in doubt for doubt in done.manifest["doubts"])
    assert verify(out).reasons == []


def test_more_requests_than_one_and_priming_are_refused(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 3)
    for engine in ("null,requests=2", "null,prime=on"):
        with pytest.raises(UsageError, match="--respawn with"):
            anyio.run(run, [str(clip)], Settings(engine=engine, respawn=1))


def test_nothing_grows_over_engines_one_after_another() -> None:
    def open_files() -> int:
        return len(os.listdir("/dev/fd"))

    for number in range(4):
        engine = IsolatedEngine(parse_spec("null"), TINY, 60)
        engine.read()
        engine.compile()
        engine.infer()
        engine.replace()
        engine.infer()
        engine.close()
        del engine
        if number == 0:
            before = open_files()
    assert open_files() == before
    assert children.there() == []
