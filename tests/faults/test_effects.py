"""What each fault does to the ledger, the video and the end of a run, in virtual time."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import EngineError, EngineLost, SinkError, SourceError
from streamer.faults.inject import Faults
from streamer.faults.plan import plan_of
from streamer.frame import Frame
from streamer.ledger.record import Outcome
from streamer.pipeline.camera import cameras
from streamer.pipeline.drop_policy import Policy
from streamer.sources.base import Unreadable
from streamer.sources.video_file import VideoSource
from streamer.workers.threads import Stage
from tests.rig import Rig
from tests.videos import write_video

QUICK: dict[str, Any] = {"services_s": (0.01,), "frames": 100}
LATEST_US = 6_000_000
"""The stall time of the rig, and the wait for the watchdog's next look."""


def with_faults(*faults: dict[str, Any], **more: Any) -> Rig:
    """A run with faults. Every frame of it has its outcome."""
    rig = Rig(**{**QUICK, **more}, faults=faults).run()
    assert rig.ledger.conserved
    return rig


def numbers(rig: Rig, outcome: Outcome) -> list[int]:
    """The frames with this outcome."""
    return [record.frame for record in rig.records if record.outcome is outcome]


def test_a_stall_makes_frames_late_and_loses_none_when_they_may_wait() -> None:
    rig = with_faults({"kind": "stall", "frame": 10, "for": "1s"}, policy=Policy.WAIT)
    assert rig.pipeline.failure is None
    assert numbers(rig, Outcome.DELIVERED) == list(range(100))
    # Frame 10 is read ahead, behind frame 6 at 250 ms; frame 7, due at 280, is offered at 1,250.
    assert next(record.frame for record in rig.records if record.captured != record.scheduled) == 7
    assert rig.records[7].lateness == 970_000
    assert rig.records[99].lateness == 0


def test_what_fell_due_in_a_stall_is_dropped_by_the_policy_when_it_comes_at_once() -> None:
    rig = with_faults({"kind": "stall", "frame": 10, "for": "1s"})
    assert numbers(rig, Outcome.DROPPED) == list(range(8, 31))
    assert rig.ledger.outcomes[Outcome.DELIVERED] == 77


def test_a_stall_that_is_longer_than_the_watchdog_waits_ends_the_run() -> None:
    rig = with_faults({"kind": "stall", "frame": 10, "for": "1h"}, frames=1000)
    assert isinstance(rig.pipeline.failure, SourceError)
    assert "the source is stuck" in str(rig.pipeline.failure)
    assert numbers(rig, Outcome.DELIVERED) == list(range(7))
    assert rig.ended_us <= 250_000 + LATEST_US


def test_a_burst_holds_frames_back_and_lets_them_come_at_once() -> None:
    rig = with_faults({"kind": "burst", "frame": 10, "frames": 5}, policy=Policy.WAIT)
    assert {record.scheduled for record in rig.records[10:15]} == {14 * 40_000}
    assert [record.scheduled for record in rig.records[15:]] == [frame * 40_000 for frame in range(15, 100)]
    assert {record.lateness for record in rig.records} == {0}
    dropping = with_faults({"kind": "burst", "frame": 10, "frames": 5})
    assert numbers(dropping, Outcome.DROPPED) == [11, 12, 13]


def test_a_burst_at_the_end_of_the_source_comes_with_its_last_frame() -> None:
    rig = with_faults({"kind": "burst", "frame": 97, "frames": 50}, policy=Policy.WAIT)
    assert [record.scheduled for record in rig.records[96:]] == [96 * 40_000, *[99 * 40_000] * 3]


def test_jitter_makes_frames_arrive_late_in_their_order_and_the_same_every_time() -> None:
    jitter = {"kind": "jitter", "at": "400ms", "frames": 50, "ms": 90}
    rig, again = with_faults(jitter), with_faults(jitter)
    late = [record.scheduled - record.frame * 40_000 for record in rig.records]
    assert late[:10] == [0] * 10
    assert late[65:] == [0] * 35
    assert min(late) >= 0
    assert 40_000 < max(late) <= 90_000
    assert len(set(late[10:60])) > 10
    assert all(earlier.scheduled <= later.scheduled for earlier, later in pairwise(rig.records))
    assert [record.scheduled for record in again.records] == [record.scheduled for record in rig.records]


@pytest.mark.parametrize(("kind", "says"), [("duplicate-pts", "are repeated"), ("backward-pts", "jump back")])
def test_times_that_do_not_rise_are_replaced_by_the_frame_rate_as_those_of_a_file_are(kind: str, says: str) -> None:
    rig = with_faults({"kind": kind, "frame": 20})
    (doubt,) = rig.cameras[0].source.doubts
    assert doubt == f"frame times {says}: the frame rate of 25 is used instead (fault 1 of plan.toml)"
    assert [record.pts for record in rig.records] == [frame * 40_000 for frame in range(100)]
    assert numbers(rig, Outcome.DELIVERED) == list(range(100))
    assert rig.injected.part()[0]["began_ms"] == 800


def test_a_frame_that_is_corrupt_is_a_decode_error_and_the_run_goes_on() -> None:
    rig = with_faults({"kind": "corrupt", "frame": 10, "frames": 3})
    assert numbers(rig, Outcome.DECODE_ERROR) == [10, 11, 12]
    assert rig.ledger.outcomes[Outcome.DELIVERED] == 97
    assert rig.sinks[0].written == [*range(10), *range(13, 100)]
    assert rig.pipeline.failure is None


def played(clip: Path, *faults: dict[str, Any]) -> tuple[Faults, list[Frame | Unreadable]]:
    """The faults, and the frames that come from a video with them."""
    injected = Faults(plan_of("plan.toml", faults))
    (camera,) = injected.timed(cameras(["clip"], [VideoSource(clip)], "source", None))
    first = camera.source.read()
    assert first is not None
    source = injected.source(0, camera, lambda: 0, lambda seconds: None)
    items: list[Frame | Unreadable] = [first]
    while (item := source.read()) is not None:
        items.append(item)
    source.close()
    return injected, items


def test_a_black_frame_is_black_and_those_around_it_are_not(tmp_path: Path) -> None:
    _, items = played(write_video(tmp_path / "clip.mp4", 5), {"kind": "black", "frame": 2, "frames": 2})
    black = [isinstance(item, Frame) and not item.image.any() for item in items]
    assert black == [False, False, True, True, False]


def test_another_size_from_a_frame_on_is_scaled_to_the_first_counted_and_doubted(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 5)
    injected, items = played(clip, {"kind": "resolution", "frame": 2, "size": "16x12"})
    _, plain = played(clip)
    pictures = [item.image for item in items if isinstance(item, Frame)]
    assert {picture.shape for picture in pictures} == {(48, 64, 3)}
    same = [
        isinstance(other, Frame) and bool((picture == other.image).all())
        for picture, other in zip(pictures, plain, strict=True)
    ]
    assert same == [True, True, False, False, False]
    assert injected.doubts()[1:] == [
        "the picture size changes at frame 2 to 16x12: scaled to the size of the first (3 in all)"
    ]
    assert injected.part()[0]["befallen"] == 3


def test_the_same_size_is_no_change(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 5)
    injected, _ = played(clip, {"kind": "resolution", "frame": 2, "size": "64x48"})
    assert len(injected.doubts()) == 1


def test_the_end_of_a_stream_ends_it_there_and_the_others_go_on() -> None:
    rig = with_faults({"kind": "end", "frame": 30}, streams=2)
    assert rig.ledger.of_streams[0, Outcome.DELIVERED] == 30
    assert rig.ledger.of_streams[1, Outcome.DELIVERED] == 100
    assert rig.ledger.scheduled == 130
    assert rig.pipeline.failure is None


def test_frames_beyond_the_end_of_a_stream_are_not_abandoned_when_another_fails_later() -> None:
    rig = with_faults({"kind": "end", "frame": 30}, {"kind": "sink-fail", "frame": 80, "stream": 1}, streams=2)
    assert sum(rig.ledger.of_streams[0, outcome] for outcome in Outcome) == 30


def test_a_slow_engine_takes_longer_at_as_many_frames_as_the_fault_has() -> None:
    rig = with_faults({"kind": "engine-slow", "frame": 10, "ms": 15, "frames": 3})
    assert [record.infer for record in rig.records[9:14]] == [10_000, 25_000, 25_000, 25_000, 10_000]
    assert rig.injected.part() == [
        {
            **{"kind": "engine-slow", "frame": 10, "ms": 15, "frames": 3, "stream": 0},
            **{"began_frame": 10, "began_ms": 400.0, "befallen": 3},
        }
    ]


def test_an_engine_that_raises_ends_the_run_with_its_frame_in_error_and_names_the_fault() -> None:
    rig = with_faults({"kind": "engine-raise", "frame": 10}, respawns=3)
    assert isinstance(rig.pipeline.failure, EngineError)
    assert str(rig.pipeline.failure) == "the engine failed at frame 10: fault 1 of plan.toml"
    assert numbers(rig, Outcome.ENGINE_ERROR) == [10]
    assert rig.replacing.done == []


def test_an_engine_that_hangs_ends_the_run_or_is_replaced() -> None:
    hang = {"kind": "engine-hang", "frame": 10}
    rig = with_faults(hang, frames=1000)
    assert "the engine is stuck" in str(rig.pipeline.failure)
    assert numbers(rig, Outcome.ENGINE_ERROR) == [10]
    assert [stall.stage for stall in rig.watchdog.stalls] == [Stage.ENGINE]
    assert rig.ended_us <= 400_000 + LATEST_US
    replaced = with_faults(hang, frames=1000, respawns=1)
    assert replaced.pipeline.failure is None
    assert numbers(replaced, Outcome.ENGINE_ERROR) == [10]
    assert len(replaced.replacing.done) == 1


def test_an_engine_that_is_killed_is_replaced_as_often_as_it_may_be() -> None:
    kills = [{"kind": "engine-kill", "frame": frame} for frame in (10, 50, 90)]
    rig = with_faults(*kills[:2], respawns=2)
    assert rig.pipeline.failure is None
    assert numbers(rig, Outcome.ENGINE_ERROR) == [10, 50]
    beyond = with_faults(*kills, respawns=2)
    assert isinstance(beyond.pipeline.failure, EngineLost)
    assert numbers(beyond, Outcome.ENGINE_ERROR) == [10, 50, 90]


def test_a_slow_sink_shows_in_the_sink_alone() -> None:
    rig = with_faults({"kind": "sink-slow", "frame": 10, "ms": 120})
    assert [record.sink for record in rig.records[9:12]] == [0, 120_000, 0]
    assert [record.result_latency for record in rig.records[9:12]] == [10_000] * 3
    assert rig.records[11].latency == 10_000 + 80_000, "it waits for the one before it"


def test_a_sink_that_fails_ends_the_run_with_its_frame_in_error() -> None:
    rig = with_faults({"kind": "sink-fail", "frame": 10})
    assert isinstance(rig.pipeline.failure, SinkError)
    assert str(rig.pipeline.failure) == "the sink failed at frame 10: fault 1 of plan.toml"
    assert numbers(rig, Outcome.SINK_ERROR) == [10]
    assert rig.sinks[0].written == list(range(10))


def test_a_sink_that_is_slower_than_the_watchdog_waits_is_stuck() -> None:
    rig = with_faults({"kind": "sink-slow", "frame": 10, "ms": 60_000}, frames=1000)
    assert "the sink is stuck" in str(rig.pipeline.failure)
    assert numbers(rig, Outcome.SINK_ERROR) == [10]
    assert rig.ended_us <= 410_000 + LATEST_US


def test_a_fault_with_a_time_is_injected_at_the_first_frame_from_then_on() -> None:
    rig = with_faults({"kind": "engine-slow", "at": "2s", "ms": 15}, {"kind": "corrupt", "at": "1010ms"})
    assert [record.frame for record in rig.records if record.infer == 25_000] == [50]
    assert numbers(rig, Outcome.DECODE_ERROR) == [26]


def test_when_its_frame_is_dropped_a_fault_is_injected_at_the_next_that_comes() -> None:
    rig = with_faults({"kind": "engine-slow", "frame": 10, "ms": 500}, services_s=(0.15,))
    assert rig.records[10].outcome is Outcome.DROPPED
    (slow,) = [record.frame for record in rig.records if (record.infer or 0) > 600_000]
    assert slow == rig.injected.part()[0]["began_frame"] == 11


def test_a_fault_is_injected_into_its_own_stream_alone() -> None:
    rig = with_faults({"kind": "engine-slow", "frame": 10, "ms": 5, "stream": 1}, streams=3)
    slow = [(record.stream, record.frame) for record in rig.records if record.infer == 15_000]
    assert slow == [(1, 10)]


def test_no_fault_is_injected_at_the_canary() -> None:
    # It is looked at behind frame 25, at 1.01 s.
    rig = with_faults({"kind": "engine-raise", "at": "1005ms"}, canary_every_us=990_000)
    assert len(rig.canary) == 1
    assert numbers(rig, Outcome.ENGINE_ERROR) == [26]


def test_a_fault_that_was_not_triggered_is_reported() -> None:
    rig = with_faults({"kind": "black", "frame": 500}, {"kind": "black", "frame": 5})
    assert rig.injected.missed() == ["fault 1 of plan.toml (black) was not triggered: the run ended before it"]
    assert [part["began_frame"] for part in rig.injected.part()] == [None, 5]
