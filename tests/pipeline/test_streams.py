"""Several cameras on one engine: out of step, served by who was due first, each with a video and rows of its own."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import anyio
import av
import pytest

from streamer.api.replay import replay
from streamer.errors import UsageError
from streamer.ledger.record import Outcome
from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.link import Dispatch, LinkClosed
from streamer.rundir.frames_csv import read_frames
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.verification import verify
from tests.rig import Rig
from tests.videos import write_video


def test_streams_are_spread_evenly_over_a_frame_period() -> None:
    rig = Rig(streams=4, services_s=(0.001,), frames=3).run()
    due = [[record.scheduled for record in rig.records if record.stream == stream] for stream in range(4)]
    assert due == [
        [0, 40_000, 80_000],
        [10_000, 50_000, 90_000],
        [20_000, 60_000, 100_000],
        [30_000, 70_000, 110_000],
    ]
    assert {record.lateness for record in rig.records} == {0}


def test_an_engine_that_keeps_up_with_one_stream_serves_four_equally_when_it_must_drop() -> None:
    rig = Rig(streams=4, services_s=(0.033,), frames=200).run()
    delivered = [rig.ledger.of_streams[stream, Outcome.DELIVERED] for stream in range(4)]
    assert sum(delivered) == pytest.approx(8 / 0.033, abs=6)  # those held at the end are served as well
    assert max(delivered) - min(delivered) <= 1
    assert rig.ledger.conserved


def test_the_held_frame_that_was_due_first_is_served_first_whatever_its_stream() -> None:
    rig = Rig(streams=3, services_s=(0.3, 0.001), frames=4, queue=5).run()
    began = sorted(rig.records, key=lambda record: record.preprocess_start or 0)
    assert [record.scheduled for record in began] == sorted(record.scheduled for record in rig.records)
    assert {record.outcome for record in rig.records} == {Outcome.DELIVERED}


def test_as_many_frames_are_in_flight_as_the_engine_has_requests() -> None:
    rig = Rig(streams=4, services_s=(0.03,), requests=3, frames=50).run()
    begun = [(begin, 1) for begin, _ in rig.inferences] + [(end, -1) for _, end in rig.inferences]
    in_flight, most = 0, 0
    for _, change in sorted(begun):
        in_flight += change
        most = max(most, in_flight)
    assert most == 3
    assert rig.ledger.outcomes == {Outcome.DELIVERED: 200}


def test_a_stream_whose_sink_fails_ends_the_run_with_every_frame_of_every_stream_accounted_for() -> None:
    rig = Rig(streams=3, services_s=(0.005,), sink_fails_at=7, frames=50).run()
    assert rig.pipeline.failure is not None
    assert rig.ledger.outcomes[Outcome.SINK_ERROR] >= 1
    assert rig.ledger.conserved


@pytest.mark.anyio
async def test_items_of_a_link_that_is_closed_are_still_used_in_their_turn() -> None:
    dispatch: Dispatch[int] = Dispatch(lambda due: due)
    one, other = dispatch.link(Policy.WAIT, 2), dispatch.link(Policy.WAIT, 2)
    for due in (1, 4):
        one.offer(due)
    one.close()
    other.offer(3)
    assert [await dispatch.take() for _ in range(3)] == [1, 3, 4]
    async with anyio.create_task_group() as tasks:

        async def last() -> None:
            with pytest.raises(LinkClosed):
                await dispatch.take()

        tasks.start_soon(last)
        await anyio.wait_all_tasks_blocked()
        other.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 frames, 25 a second."""
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 12)


@pytest.fixture(scope="module")
def four(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of four streams of the same clip."""
    out = tmp_path_factory.mktemp("streams") / "run"
    settings = Settings(engine="null,delay_ms=2", streams=4, frames=12, policy=Policy.WAIT, video=Video.ALL)
    replay(clip, replace(settings, chart=False, out=out))
    return out


def test_each_stream_has_rows_detections_and_a_video_of_its_own_and_the_run_is_verified(four: Path) -> None:
    manifest = json.loads((four / "run.json").read_text())
    records = list(read_frames(four / "frames.csv"))
    assert sorted((record.stream, record.frame) for record in records) == [
        (s, f) for s in range(4) for f in range(12)
    ]
    with (four / "detections.csv").open(encoding="utf-8") as file:
        assert {row["stream"] for row in csv.DictReader(file)} <= set("0123")
    period_ms = 1000 / Fraction(manifest["run"]["fps"])
    assert [one["phase_ms"] for one in manifest["streams"]] == pytest.approx(
        [float(number * period_ms / 4) for number in range(4)], abs=0.001
    )
    assert [(one["scheduled"], one["delivered"]) for one in manifest["streams"]] == [(12, 12)] * 4
    for number in range(4):
        with av.open(str(four / f"annotated-{number}.mp4")) as video:
            assert len(list(video.decode(video=0))) == 12
    checked = verify(four)
    assert checked.reasons == []
    assert checked.checked["video_frames"] == 48


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("video", "annotated-2.mp4: is missing"),
        ("delivered", "run.json streams, 1: found 12 scheduled and 11 delivered, expected 12 and 12 by frames.csv"),
        ("phase", "frames.csv stream 3 frame 0, scheduled_ms: found"),
        ("streams", "frames.csv stream 3 frame 0, stream: found 3, expected less than 3"),
    ],
)
def test_verification_finds_what_is_wrong_with_one_of_several_streams(
    four: Path, tmp_path: Path, broken: str, message: str
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for path in four.iterdir():
        (run / path.name).write_bytes(path.read_bytes())
    manifest: dict[str, Any] = json.loads((run / "run.json").read_text())
    if broken == "video":
        (run / "annotated-2.mp4").unlink()
    elif broken == "delivered":
        manifest["streams"][1]["delivered"] = 11
    elif broken == "phase":
        manifest["streams"][3]["phase_ms"] = 1.0
    else:
        manifest["streams"].pop()
    (run / "run.json").write_text(json.dumps(manifest))
    assert any(reason.startswith(message) for reason in verify(run).reasons)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(engine="null", streams=2, fps="max"), "fps max with several streams"),
        (Settings(engine="null,prime=on", streams=2), "prime=on with several streams"),
    ],
)
def test_what_makes_no_sense_with_several_streams_is_refused(clip: Path, settings: Settings, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replay(clip, settings)


def test_several_sources_and_a_number_of_streams_contradict_each_other(clip: Path) -> None:
    with pytest.raises(UsageError, match="streams 2 with 3 sources"):
        replay([clip] * 3, Settings(engine="null", streams=2))


def test_several_sources_are_a_stream_each_with_their_own_size_and_rate(clip: Path, tmp_path: Path) -> None:
    done = replay(
        [clip, "synthetic:street,seed=3"], Settings(engine="null", frames=6, chart=False, out=tmp_path / "run")
    )
    first, second = done.manifest["streams"]
    assert first["uri"] == str(clip)
    assert second["uri"].startswith("synthetic:street,seed=3,")
    assert (first["delivered"], second["delivered"]) == (6, 6)
    assert verify(tmp_path / "run").reasons == []
