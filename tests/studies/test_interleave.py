"""Runs in turns: one at a time, in a reversing order, each in a process of its own; a failure affects one alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from streamer.errors import SourceError, UsageError
from streamer.pipeline.housekeeping import Progress
from streamer.settings.settings import Settings
from streamer.studies.interleave import Interleaved, Lane
from streamer.verification import verify
from tests.runs import check_conserved, manifest, rows
from tests.videos import write_video

pytestmark = pytest.mark.timing

ROUNDS = 4
IN_A_ROUND = 10


@dataclass
class Seen:
    """The turns and the progress that a study reported; ``act`` is called at each turn."""

    act: Callable[[Lane, int], None] = lambda lane, number: None
    turns: list[tuple[str, int]] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)

    def __call__(self, lane: Lane, number: int, at: Progress | None) -> None:
        if at is not None:
            self.progress.append(at)
        elif self.turns[-1:] != [(lane.name, number)]:  # a turn is reported again while the run sends nothing
            self.turns.append((lane.name, number))
            self.act(lane, number)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mkv", ROUNDS * IN_A_ROUND, size=(64, 48))


@pytest.fixture
def lane(tmp_path: Path, tiny_model: Path) -> Callable[..., Lane]:
    def make(name: str, engine: str = "null,delay_ms=1", **more: object) -> Lane:
        usual = {"engine": engine, "model": str(tiny_model), "warmup": 0, "chart": False, "fps": Fraction(200)}
        settings = Settings(**{**usual, "out": tmp_path / name, **more})  # type: ignore[arg-type]
        return Lane(name, settings, tuple(range(0, ROUNDS * IN_A_ROUND, IN_A_ROUND)))

    return make


Make = Callable[..., Lane]


def test_runs_take_turns_in_an_order_that_is_reversed_each_round(clip: Path, lane: Make) -> None:
    seen, lanes = Seen(), [lane("a"), lane("b"), lane("c")]
    Interleaved(str(clip), lanes, 0.1, seen).run()
    opened, turns = seen.turns[:3], seen.turns[3:]
    assert opened == [("a", -1), ("b", -1), ("c", -1)]
    order = "".join(name for name, _ in turns)
    assert order == "abc" + "cba" + "abc" + "cba"
    assert [number for _, number in turns] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_each_run_has_the_same_frames_and_verifies(clip: Path, lane: Make) -> None:
    lanes = [lane("a"), lane("b", engine="null,delay_ms=2")]
    Interleaved(str(clip), lanes, 0.1, Seen()).run()
    for one in lanes:
        assert one.why is None
        assert one.rounds == ROUNDS
        assert one.directory is not None
        assert check_conserved(one.directory).total() == ROUNDS * IN_A_ROUND
        assert [start["frame"] for start in manifest(one.directory)["run"]["rounds"]] == list(one.starts)
        assert verify(one.directory).valid, verify(one.directory).reasons


def test_only_one_run_is_active_at_a_time(clip: Path, lane: Make) -> None:
    # Each round of a run is over, on the clock of all, before the next one's begins: no run sees another in its time.
    lanes = [lane("a", engine="null,delay_ms=4"), lane("b", engine="null,delay_ms=4")]
    seen = Seen()
    Interleaved(str(clip), lanes, 0.1, seen).run()
    for one in lanes:
        assert one.directory is not None
        ledger = rows(one.directory / "frames.csv")
        starts = [start["start_ms"] for start in manifest(one.directory)["run"]["rounds"]]
        for before, start in zip(range(IN_A_ROUND - 1, len(ledger), IN_A_ROUND), starts[1:], strict=False):
            # The time of others is not in it: the next round follows right after the last frame was done.
            assert 0 <= start - float(ledger[before]["written_ms"]) < 100


def test_a_run_that_cannot_begin_says_why_and_the_others_go_on(clip: Path, lane: Make) -> None:
    lanes = [lane("a"), lane("gpu", engine="ir-gpu"), lane("b")]
    Interleaved(str(clip), lanes, 0.1, Seen()).run()
    assert lanes[1].directory is None
    assert "needs device GPU" in (lanes[1].why or "")
    assert [lanes[0].rounds, lanes[2].rounds] == [ROUNDS, ROUNDS]


def test_a_run_that_is_killed_is_lost_and_the_others_go_on(clip: Path, lane: Make) -> None:
    def kill(one: Lane, number: int) -> None:
        if (one.name, number) == ("a", 2):
            assert one.child is not None
            os.kill(one.child._process.pid, signal.SIGKILL)
            one.child._process.wait()

    lanes = [lane("a"), lane("b")]
    Interleaved(str(clip), lanes, 0.1, Seen(kill)).run()
    assert lanes[0].directory is None
    assert "SIGKILL" in (lanes[0].why or "")
    assert lanes[1].rounds == ROUNDS
    assert lanes[1].directory is not None


class Interrupt(BaseException):
    """Stands for a signal."""


def test_an_interrupted_study_keeps_what_was_done_as_whole_runs(clip: Path, lane: Make) -> None:
    def interrupt(one: Lane, number: int) -> None:
        if (one.name, number) == ("a", 1):
            raise Interrupt

    lanes = [lane("a"), lane("b")]
    with pytest.raises(Interrupt):
        Interleaved(str(clip), lanes, 0.1, Seen(interrupt)).run()
    # Round 1 goes b, a: b had its turn, a had not.
    assert [one.rounds for one in lanes] == [1, 2]
    for one in lanes:
        assert one.child is None
        assert one.directory is not None
        assert manifest(one.directory)["verdict"] == "INTERRUPTED"
        assert check_conserved(one.directory).total() == one.rounds * IN_A_ROUND
        assert verify(one.directory).valid, verify(one.directory).reasons


def test_a_round_that_is_interrupted_ends_in_the_middle(tmp_path: Path, lane: Make) -> None:
    class AtProgress(Seen):
        def __call__(self, one: Lane, number: int, at: Progress | None) -> None:
            super().__call__(one, number, at)
            if at is not None:
                raise Interrupt

    # Two rounds of 20 s: waiting for the end of one would take far longer than the interruption.
    long = write_video(tmp_path / "long.mkv", 40, size=(64, 48))
    one = lane("a", fps=Fraction(1), loop=True, frames=40)
    one.starts = (0, 20)
    with pytest.raises(Interrupt):
        Interleaved(str(long), [one], 20, AtProgress()).run()
    assert one.directory is not None
    assert manifest(one.directory)["verdict"] == "INTERRUPTED"
    assert manifest(one.directory)["frames"]["scheduled"] < 20
    assert verify(one.directory).valid


def test_an_engine_with_a_nonsensical_property_leaves_nothing_of_the_study(
    clip: Path, lane: Make, tmp_path: Path
) -> None:
    lanes = [lane("a"), lane("b", engine="ir,INFERENCE_PRECISION_HINT=f99")]
    with pytest.raises(UsageError, match="f99"):
        Interleaved(str(clip), lanes, 0.1, Seen()).run()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mkv"]


def test_a_source_that_cannot_be_read_ends_the_study(tmp_path: Path, lane: Make) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all" * 100)
    with pytest.raises(SourceError):
        Interleaved(str(broken), [lane("a")], 0.1, Seen()).run()
