"""A run in rounds: its time stands still between them, its frames are those of an ordinary run, and it verifies."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import partial
from pathlib import Path

import anyio
import pytest

from streamer.errors import StreamerError
from streamer.ledger.record import Outcome
from streamer.machine.contention import ContentionMeter, Reading
from streamer.pipeline.drop_policy import Policy
from streamer.run.finished import Run
from streamer.run.run import run
from streamer.rundir.frames_csv import frame_row
from streamer.settings.settings import Settings
from streamer.verification import verify
from tests.rig import Rig
from tests.runs import check_conserved, manifest, rows
from tests.videos import write_video

TICK = 40_000


def test_frames_of_a_round_are_due_a_period_after_each_other_and_rounds_follow_when_done() -> None:
    rig = Rig(frames=20, services_s=(0.030,), round_frames=5, held_s=3).run()
    scheduled = [record.scheduled for record in rig.records]
    firsts, starts = zip(*rig.intermission.started, strict=True)
    assert firsts == (0, 5, 10, 15)
    assert scheduled == [start + TICK * place for start in starts for place in range(5)]
    # The last frame of a round is done 30 ms after it was due, and the next one is due a period after that.
    assert [start - scheduled[first - 1] for first, start in rig.intermission.started[1:]] == [30_000 + TICK] * 3


@pytest.mark.parametrize("policy", list(Policy))
def test_the_time_that_others_have_is_in_no_figure(policy: Policy) -> None:
    # Too slow for the camera, so that queues are full when a round ends.
    def ledger_of(held_s: float) -> list[str]:
        rig = Rig(frames=40, policy=policy, services_s=(0.061,), write_s=0.002, round_frames=10, held_s=held_s)
        return [frame_row(record) for record in rig.run().records]

    assert ledger_of(0) == ledger_of(100)


def test_a_round_begins_with_nothing_left_of_the_one_before() -> None:
    rig = Rig(frames=20, services_s=(0.130,), write_s=0.050, queue=3, round_frames=5, held_s=1).run()
    for first, start in rig.intermission.started[1:]:
        before = [record for record in rig.records if record.frame < first]
        ends = [end for record in before for end in (record.scheduled, record.written) if end is not None]
        assert max(ends) < start


def test_each_round_goes_on_where_the_source_was() -> None:
    rig = Rig(frames=23, services_s=(0.010,), round_frames=5, held_s=1).run()
    assert [record.frame for record in rig.records] == list(range(23))
    assert {record.outcome for record in rig.records} == {Outcome.DELIVERED}
    assert rig.ledger.conserved


def test_a_run_that_is_ended_between_rounds_has_only_frames_of_those_before() -> None:
    rig = Rig(frames=20, services_s=(0.061,), round_frames=5, held_s=1, ends_before_round=2).run()
    assert [record.frame for record in rig.records] == list(range(10))
    assert rig.ledger.conserved


def test_a_run_that_is_never_begun_has_no_frames() -> None:
    rig = Rig(frames=20, round_frames=5, ends_before_round=0).run()
    assert rig.records == []


def test_a_closed_loop_is_held_too() -> None:
    rig = Rig(fps="max", policy=Policy.WAIT, frames=12, services_s=(0.010,), round_frames=4, held_s=5).run()
    assert [record.scheduled for record in rig.records] == [10_000 * frame for frame in range(12)]
    assert [first for first, _ in rig.intermission.started] == [0, 4, 8]


def test_nobody_waits_for_a_round_past_the_end_of_the_source() -> None:
    rig = Rig(frames=10, services_s=(0.010,), round_frames=5, held_s=1).run()
    assert [first for first, _ in rig.intermission.started] == [0, 5]


def test_what_others_took_between_rounds_is_not_counted_as_used_during_them() -> None:
    meter = ContentionMeter(Reading(0, 0, 0, 0, 0, 0))
    meter.sampled(1_000_000, Reading(1, 0.5, 0.5, 0, 0, 0))
    meter.resumed(Reading(11, 0.6, 20.6, 5, 3, 2))
    meter.sampled(2_000_000, Reading(12, 1.1, 21.1, 5, 3, 2))
    assert meter.others_cores == pytest.approx(0)
    assert meter.stolen_cores == 0
    assert meter.throttled == 0
    assert meter.during(0, 3_000_000) == set()


class Turns:
    """Rounds of so many ``frames``, each of which may begin at once; or an end before one."""

    study = "by itself"

    def __init__(self, frames: int, ends_before: int | None = None) -> None:
        self.frames = frames
        self.ends_before = ends_before
        self.waited = 0

    def begins(self, frame: int) -> bool:
        return frame % self.frames == 0

    def wait(self) -> bool:
        self.waited += 1
        return self.waited - 1 != self.ends_before


def replay(clip: Path, out: Path, turns: Turns, tiny_model: Path, **more: object) -> Run:
    usual = {
        "engine": "null,delay_ms=1",
        "model": str(tiny_model),
        "warmup": 0,
        "chart": False,
        "out": out,
        "fps": Fraction(200),
    }
    settings = Settings(**{**usual, **more})  # type: ignore[arg-type]
    return anyio.run(partial(run, [str(clip)], settings, None, turns))


def test_a_run_in_rounds_is_an_ordinary_run_that_verifies(tmp_path: Path, tiny_model: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 40, size=(64, 48))
    finished = replay(clip, tmp_path / "run", Turns(10), tiny_model)
    assert check_conserved(finished.directory).total() == 40
    assert [one["frame"] for one in manifest(finished.directory)["run"]["rounds"]] == [0, 10, 20, 30]
    assert verify(finished.directory).valid, verify(finished.directory).reasons


def test_a_run_that_is_not_in_rounds_says_so(tmp_path: Path, tiny_model: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 10, size=(64, 48))
    settings = Settings(engine="null", model=str(tiny_model), chart=False, out=tmp_path / "run", warmup=0)
    assert anyio.run(run, [str(clip)], settings).manifest["run"]["rounds"] is None


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda rounds: rounds[1].update(start_ms=rounds[1]["start_ms"] + 1), "scheduled_ms"),
        (lambda rounds: rounds[1].update(frame=11), "scheduled_ms"),
        (lambda rounds: rounds.pop(0), "run.rounds"),
        (lambda rounds: rounds[1].update(frame="ten"), "run.rounds"),
        (lambda rounds: rounds.reverse(), "run.rounds"),
    ],
)
def test_rounds_that_were_edited_are_found_out(edit: object, reason: str, tmp_path: Path, tiny_model: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 40, size=(64, 48))
    directory = replay(clip, tmp_path / "run", Turns(10), tiny_model).directory
    document = manifest(directory)
    edit(document["run"]["rounds"])  # type: ignore[operator]
    (directory / "run.json").write_text(json.dumps(document))
    verification = verify(directory)
    assert not verification.valid
    assert any(reason in one for one in verification.reasons)


def test_a_run_ended_between_rounds_is_whole_and_says_that_it_was_interrupted(
    tmp_path: Path, tiny_model: Path
) -> None:
    clip = write_video(tmp_path / "clip.mkv", 40, size=(64, 48))
    finished = replay(clip, tmp_path / "run", Turns(10, ends_before=2), tiny_model)
    assert len(rows(finished.directory / "frames.csv")) == 20
    assert verify(finished.directory).valid


def test_an_engine_that_fails_in_a_later_round_leaves_a_whole_run(tmp_path: Path) -> None:
    rig = Rig(frames=20, services_s=(0.010,), round_frames=5, held_s=1, engine_fails_at=12).run()
    assert isinstance(rig.pipeline.failure, StreamerError)
    assert [record.outcome for record in rig.records[:12]] == [Outcome.DELIVERED] * 12
    assert rig.records[12].outcome is Outcome.ENGINE_ERROR
    assert rig.ledger.conserved
