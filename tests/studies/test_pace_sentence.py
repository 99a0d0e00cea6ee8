"""The sentences of ``streamer pace``: no ratio that may be noise, no idle penalty where nothing idles."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.engines.spec_parser import parse_spec
from streamer.ledger.record import Outcome
from streamer.models.find import find_model
from streamer.pipeline.drop_policy import Policy
from streamer.rundir.columns import NEVER, OUTCOMES, Columns
from streamer.settings.settings import Settings
from streamer.studies.pace.document import document_so_far
from streamer.studies.pace.idling import busy_s, idle_penalties, is_saturated
from streamer.studies.pace.sentence import sentence_of
from streamer.studies.pace.study import PaceSettings, PaceStudy
from tests.rig import Rig
from tests.runs import manifest, rows, streamer
from tests.videos import write_video


def rate(fps: str, penalty: tuple[float, float, float] | None = None, **changes: Any) -> dict[str, Any]:
    """A rate of an engine; its penalty and the ends of its interval."""
    times = None if penalty is None else dict(zip(("value", "low", "high"), penalty, strict=True))
    usual = {"engine": "ir", "frames": {}, "closed_loop": False, "saturated": False, "slo": None}
    return {**usual, "fps": fps, "idle_penalty": times, **changes}


def test_no_ratio_is_claimed_whose_interval_holds_one() -> None:
    answer = sentence_of("ir", [rate("2", (1.3, 0.99, 1.6)), rate("10", (1.05, 1.01, 1.08))], None)
    assert "takes 1.05 times as long at 10 fps as back to back (1.01 to 1.08)" in answer
    answer = sentence_of("ir", [rate("2", (1.3, 0.99, 1.6)), rate("10", (0.97, 0.9, 1.02)), rate("60")], None)
    assert answer.startswith("ir: no idle penalty is distinguished from noise at 2, 10 fps; it keeps up with 60 fps")
    assert "times as long" not in sentence_of("ir", [rate("2", (1.01, 1.005, 1.015))], None), "less than counts"


def test_objectives_are_met_up_to_a_rate_only_where_they_are_below_it() -> None:
    rates = [rate(fps, slo="met") for fps in ("5", "10", "30")]
    assert sentence_of("ir", rates, "drops<1%").endswith("drops<1% is met up to 30 fps.")
    rates[0]["slo"] = "missed"
    assert sentence_of("ir", rates, "drops<1%").endswith("drops<1% is met at 10, 30 fps.")
    assert sentence_of("ir", [rate("5", slo="missed")], "drops<1%").endswith("drops<1% is met at no rate.")


def columns_of(rig: Rig) -> Columns:
    """The ledger of a run in virtual time."""
    records = rig.run().records

    def times(name: str) -> Any:
        return np.array([NEVER if getattr(row, name) is None else getattr(row, name) for row in records], np.int64)

    outcome = np.array([OUTCOMES.index(row.outcome or Outcome.ABANDONED) for row in records], np.int8)
    return Columns(
        stream=np.zeros(len(records), np.int16),
        scheduled=times("scheduled"),
        service=times("service"),
        result_latency=times("result_latency"),
        latency=times("latency"),
        outcome=outcome,
    )


@pytest.mark.parametrize(
    ("policy", "service_s", "decode_s", "saturated"),
    [
        (Policy.DROP_OLDEST, 0.020, 0, False),
        (Policy.DROP_OLDEST, 0.034, 0, True),
        (Policy.DROP_OLDEST, 0.061, 0, True),
        (Policy.WAIT, 0.020, 0, False),
        (Policy.WAIT, 0.034, 0, True),
        (Policy.WAIT, 0.061, 0, True),
        (Policy.WAIT, 0.005, 0.036, True),
    ],
)
def test_a_rate_is_saturated_when_frames_are_dropped_or_wait_ever_longer(
    policy: Policy, service_s: float, decode_s: float, saturated: bool
) -> None:
    rig = Rig(fps=Fraction(30), frames=400, policy=policy, round_frames=100)
    rig.services_s, rig.decode_s = (service_s,), decode_s
    assert is_saturated(columns_of(rig), Fraction(30), 1, 100) is saturated


def test_two_requests_at_once_keep_up_with_twice_the_rate() -> None:
    rig = Rig(fps=Fraction(30), frames=200, policy=Policy.WAIT, services_s=(0.05,), requests=2, round_frames=50)
    columns = columns_of(rig)
    assert not is_saturated(columns, Fraction(30), 2, 50)
    assert is_saturated(columns, Fraction(45), 2, 50)


def test_more_rates_have_wider_intervals() -> None:
    random = np.random.default_rng(1)
    loop, slow = ([random.integers(9_900, 10_100, 50) for _ in range(8)] for _ in range(2))
    (one,) = idle_penalties({"ir": loop}, [("ir", slow)])
    first, _, _ = idle_penalties({"ir": loop}, [("ir", slow)] * 3)
    assert one is not None
    assert first is not None
    assert first.low < one.low < one.value == first.value < one.high < first.high


def test_a_closed_loop_is_busy_from_the_first_frame_of_each_round_to_its_last_result() -> None:
    columns = columns_of(Rig(fps="max", frames=30, services_s=(0.01,), round_frames=10, held_s=5))
    assert busy_s(columns, 10) == pytest.approx(0.3, rel=0.01)
    assert busy_s(columns.first(20), 10) == pytest.approx(0.2, rel=0.01)


def test_an_interrupted_study_divides_by_the_time_of_the_rounds_that_count(tmp_path: Path, tiny_model: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 20, size=(64, 48))
    model = find_model(str(tiny_model), trust=False)
    replay = Settings(model=str(tiny_model), chart=False)
    settings = PaceSettings(engines=(parse_spec("null"),), rates=("max",), seconds=8.0, replay=replay)
    study = PaceStudy(str(clip), model, settings, tmp_path)
    (place,) = study.places
    in_a_round = place.lane.starts[1]
    options = ("--engine", "null,delay_ms=2", "--model", tiny_model, "--fps", "max", "--loop", "--warmup", "0")
    more = ("--frames", str(8 * in_a_round), "--video", "none", "--no-chart", "--quiet", "--out", "run")
    assert streamer("replay", clip, *options, *more, cwd=tmp_path).code == 0
    run = manifest(tmp_path / "run")
    place.lane.directory, place.lane.rounds = tmp_path / "run", 4
    found = document_so_far(study)
    assert found is not None
    row = found["rates"][0]
    assert row["frames"] is not None
    assert row["frames"]["delivered"] == 4 * in_a_round
    # Only the rows that count: a run that went on after them is no slower for it.
    ledger = rows(tmp_path / "run" / "frames.csv")
    rounds = [ledger[at : at + in_a_round] for at in range(0, 4 * in_a_round, in_a_round)]
    took_ms = sum(max(float(row["written_ms"]) for row in of) - float(of[0]["scheduled_ms"]) for of in rounds)
    assert row["delivered_rate"] == pytest.approx(1000 * 4 * in_a_round / took_ms, abs=0.001)
    run["run"]["duration_s"] *= 10
    (tmp_path / "run" / "run.json").write_text(json.dumps(run))
    again = document_so_far(study)
    assert again is not None
    assert again["rates"][0]["delivered_rate"] == row["delivered_rate"]
