"""A gap that no picture of an MP4 can last through: the run and its verification agree on what is in the video."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import streamer
from streamer.rundir.written import segments_of
from streamer.settings.settings import Settings
from streamer.verification import verify
from streamer.verification.held_pictures import LEAST, LONGEST, held_pictures
from streamer.video.reader import VideoReader
from tests.runs import manifest
from tests.videos import write_video

MINUTES_36, DAYS_3 = 36 * 60, 3 * 86_400
FRAMES, BEFORE = 20, 10
NANOSECOND = Fraction(1, 10**9)


def replayed(tmp_path: Path, ending: str, time_base: Fraction, gap_s: int, **more: Any) -> Path:
    """A run, in a closed loop, of a file with such a gap after ten frames."""
    step, gap = round(Fraction(1, 25) / time_base), round(gap_s / time_base)
    ticks = [number * step + (gap if number >= BEFORE else 0) for number in range(FRAMES)]
    clip, out = tmp_path / f"gap.{ending}", tmp_path / "run"
    write_video(clip, FRAMES, ticks=ticks, time_base=time_base)
    streamer.replay(
        clip, Settings(**{"engine": "null", "fps": "max", "warmup": 0, "chart": False, "out": out, **more})
    )
    return out


def doubts(out: Path) -> list[str]:
    return [doubt for doubt in manifest(out)["doubts"] if "more than frames" in doubt]


@pytest.mark.parametrize(
    ("ending", "time_base", "gap_s", "held"),
    [
        ("nut", Fraction(1, 1_000_000), MINUTES_36, 1),
        ("nut", Fraction(1, 1_000_000), DAYS_3, 240),
        ("nut", Fraction(1, 90_000), DAYS_3, 20),
        ("nut", Fraction(1001, 30_000), DAYS_3, 13),
        ("mkv", Fraction(1, 1000), DAYS_3, 1),
        ("mkv", Fraction(1, 1000), MINUTES_36, 0),
        # In whole microseconds: in nanoseconds it would be 240,000.
        ("nut", NANOSECOND, DAYS_3, 240),
    ],
)
def test_a_gap_in_a_file_is_as_long_in_the_video_and_reported(
    ending: str, time_base: Fraction, gap_s: int, held: int, tmp_path: Path
) -> None:
    out = replayed(tmp_path, ending, time_base, gap_s)
    found = verify(out)
    assert found.reasons == []
    assert found.checked["video_frames"] == FRAMES
    assert manifest(out)["verdict"] == "VALID"
    assert manifest(out)["resources"]["held_pictures"] == held
    assert [doubt.split(" more")[0].rpartition("has ")[2] for doubt in doubts(out)] == (
        [] if not held else ["1 picture" if held == 1 else f"{held} pictures"]
    )


def test_times_finer_than_a_microsecond_are_exact_in_a_video_without_a_gap(tmp_path: Path) -> None:
    out = replayed(tmp_path, "nut", NANOSECOND, 0)
    assert verify(out).reasons == []
    with VideoReader(out / "annotated.mp4") as reader:
        assert reader.info.time_base == NANOSECOND


@pytest.mark.parametrize("segment_s", [0.02, 3600])
def test_a_gap_survives_in_the_segments_of_a_long_run(segment_s: float, tmp_path: Path) -> None:
    out = replayed(
        tmp_path,
        "nut",
        Fraction(1, 1_000_000),
        DAYS_3,
        segment=segment_s,
        engine="null,delay_ms=5",
        loop=True,
        frames=60,
    )
    assert (len(segments_of(out / "annotated.mp4")) > 0) == (segment_s < 1)
    assert verify(out).reasons == []


def test_another_number_of_them_than_the_run_tells_is_found(tmp_path: Path) -> None:
    out = replayed(tmp_path, "nut", Fraction(1, 1_000_000), MINUTES_36)
    document = manifest(out)
    document["resources"]["held_pictures"] = 0
    (out / "run.json").write_text(json.dumps(document))
    reasons = verify(out).reasons
    assert [reason for reason in reasons if "hold the one before" in reason] == [
        "annotated.mp4: found 1 pictures that hold the one before, expected resources.held_pictures 0"
    ]


@pytest.mark.parametrize(
    ("ticks", "frames", "torn", "held"),
    [
        ([0, 2**30, LONGEST + 1], [0, 2], False, [1]),
        ([0, 2**30, 2**31, 3 * 2**30, 5 * 2**30], [0, 4], False, [1, 2, 3]),
        # One picture could have bridged it.
        ([0, 2**30, LONGEST], [0, 2], False, []),
        # One that is closer than any need be.
        ([0, LEAST - 1, 2**30, LONGEST + 1], [0, 3], False, []),
        # Before the first frame and behind the last there is none, but where the end was lost.
        ([0, 2**30, LONGEST + 1], [2], False, []),
        ([0, 2**30, 2**31], [0], False, []),
        ([0, 2**30, 2**31], [0], True, [1, 2]),
        ([0, 5], [0], True, []),
        ([], [], True, []),
    ],
)
def test_only_what_a_gap_needs_is_mistaken_for_held(
    ticks: list[int], frames: list[int], torn: bool, held: list[int]
) -> None:
    belongs = np.isin(np.arange(len(ticks)), frames)
    assert np.flatnonzero(held_pictures(ticks, belongs, torn=torn)).tolist() == held
