"""Replays of files with a gap in their times: reported before the wait, or skipped, recorded and verified."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from streamer.run.setup_parts import file_gaps
from streamer.schedule.file_gaps import FileGap, FileGaps
from streamer.verification import verify
from tests.runs import check_conserved, manifest, rows, streamer, video_times
from tests.videos import write_video

TICKS = [*range(10), *range(85, 95)]
"""Ten frames, a pause of 3.04 s, and ten more."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Ticks of 1/90 ms, of which none but each ninth is a whole number of microseconds.
    ticks = [tick * 3_600 + 1 for tick in TICKS]
    return write_video(tmp_path_factory.mktemp("gap") / "gap.mp4", 20, ticks=ticks, time_base=Fraction(1, 90_000))


def replayed(clip: Path, model: Path, out: Path, *more: str | Path, code: int = 0) -> tuple[Path, str]:
    """The run directory, and the text on standard error."""
    usual = ("--engine", "null", "--model", model, "--warmup", "0", "--policy", "wait", "--no-chart")
    done = streamer("replay", clip, *usual, "--out", out, *more, cwd=out.parent)
    assert done.code == code, done.err
    assert verify(out).reasons == []
    check_conserved(out) if "--streams" not in more else None
    return out, done.err


def due_ms(out: Path, stream: str = "0") -> list[float]:
    return [float(row["scheduled_ms"]) for row in rows(out / "frames.csv") if row["stream"] == stream]


def about_gaps(sentences: list[str]) -> list[str]:
    return [one for one in sentences if "times of" in one]


def test_the_wait_is_reported_before_the_run_and_before_the_frame_and_doubted(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out, errors = replayed(clip, tiny_model, tmp_path / "run", "--video", "none")
    note = "the times of gap.mp4 have a gap of 3.0 s after frame 9"
    first, second = (line for line in errors.splitlines() if "gap" in line)
    assert first == f"note: {note}: nothing is due meanwhile, and the run waits; --skip-gaps closes it"
    # The wait that is left when it is reported depends on the machine.
    assert re.match(r"frame 10 is due in [123]\.\d s: the file has a gap", second)
    document = manifest(out)
    assert about_gaps(document["doubts"]) == [
        "the times of the file have a gap of 3.0 s after frame 9: nothing is due meanwhile"
    ]
    assert document["run"]["skip_gaps"] is False
    assert document["streams"][0]["gaps"] == [{"frame": 10, "ms": 3040.0, "skipped_ms": 0.0}]
    assert due_ms(out)[10] == 3400.0


@pytest.mark.parametrize("more", [("--fps", "25"), ("--fps", "max"), ("--frames", "10"), ("--duration", "1s")])
def test_a_run_that_does_not_wait_for_the_gap_says_nothing_of_it(
    more: tuple[str, ...], clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out, errors = replayed(clip, tiny_model, tmp_path / "run", "--video", "none", *more)
    document = manifest(out)
    assert "gap" not in errors
    assert about_gaps([*document["doubts"], *document["notes"]]) == []


def test_a_gap_that_is_skipped_is_reported_recorded_and_in_the_files_own_times(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out, errors = replayed(clip, tiny_model, tmp_path / "run", "--skip-gaps")
    (line,) = (line for line in errors.splitlines() if "gap" in line)
    note = "the times of gap.mp4 have a gap of 3.0 s after frame 9: 3.00 s are skipped (--skip-gaps)"
    assert line == f"note: {note}"
    document = manifest(out)
    assert about_gaps(document["notes"]) == [note]
    assert about_gaps(document["doubts"]) == []
    assert document["run"]["skip_gaps"] is True
    assert document["streams"][0]["gaps"] == [{"frame": 10, "ms": 3040.0, "skipped_ms": 3000.0}]
    ledger = rows(out / "frames.csv")
    assert [float(row["pts_ms"]) for row in ledger] == [tick * 40.0 for tick in TICKS]
    assert due_ms(out) == [number * 40.0 for number in range(20)]
    assert video_times(out / "annotated.mp4") == [Fraction(number, 25) for number in range(20)]


def test_it_is_skipped_by_each_camera_and_each_time_that_the_file_starts_again(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    more = ("--skip-gaps", "--loop", "--frames", "35", "--streams", "2", "--arrivals", "bursty")
    out, errors = replayed(clip, tiny_model, tmp_path / "run", *more)
    assert errors.count("each time that it starts again") == 1, "once for both"
    assert [stream["loops_after"] for stream in manifest(out)["streams"]] == [20, 20]
    for stream in ("0", "1"):
        assert all(later - earlier <= 500 for earlier, later in pairwise(due_ms(out, stream)))


def test_times_between_microseconds_are_verified_to_the_microsecond(tiny_model: Path, tmp_path: Path) -> None:
    ticks = [*range(0, 10 * 1_001, 1_001), *range(200_003, 200_003 + 10 * 1_001, 1_001)]
    clip = write_video(
        tmp_path / "odd.mp4", 20, ticks=ticks, time_base=Fraction(1, 30_000), rate=Fraction(30_000, 1_001)
    )
    out, _ = replayed(clip, tiny_model, tmp_path / "run", "--skip-gaps", "--loop", "--frames", "45")
    (stream,) = manifest(out)["streams"]
    (gap,) = stream["gaps"]
    usual_us = round(1_000_000 / Fraction(stream["fps"]))
    assert round((gap["ms"] - gap["skipped_ms"]) * 1000) == usual_us
    steps = {round((later - earlier) * 1000) for earlier, later in pairwise(due_ms(out)[:20])}
    assert steps == {33_366, 33_367, usual_us}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--fps", "25"), "--skip-gaps: with --fps 25 no frame is due by the file's times; leave it out"),
        (("--fps", "max"), "--skip-gaps: with --fps max no frame is due by the file's times; leave it out"),
        (
            ("--arrivals", "a.csv"),
            "--skip-gaps: with --arrivals a.csv no frame is due by the file's times; leave it out",
        ),
    ],
)
def test_where_the_files_times_do_not_count_it_is_refused(more: tuple[str, ...], message: str, clip: Path) -> None:
    done = streamer("replay", clip, "--engine", "null", "--skip-gaps", *more, cwd=clip.parent)
    assert (done.code, done.error) == (2, message)


def test_the_gaps_are_read_again_from_the_manifest() -> None:
    part: Any = {"fps": "25", "loops_after": 20, "gaps": [{"frame": 10, "ms": 3040.0, "skipped_ms": 3000.0}]}
    assert file_gaps(part) == FileGaps((FileGap(10, 3_040_000, 40_000),), 20, skipped=True)
    assert file_gaps({"fps": "25"}) is None  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skipped_ms": 2999.999}, "scheduled_ms: found 400.000, expected 400.001 by the schedule"),
        ({"frame": 11}, "scheduled_ms: found 400.000, expected 3400.000 by the schedule"),
        ({"ms": 3041.0}, "pts_ms: found 3400.000, expected 3401.000, after the gap in run.json"),
        ({"skipped_ms": 3041.0}, "streams: found"),
        ({"frame": "x"}, "streams: found"),
    ],
)
def test_a_gap_that_was_changed_is_found(
    change: dict[str, Any], reason: str, clip: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out, _ = replayed(clip, tiny_model, tmp_path_factory.mktemp("run") / "run", "--skip-gaps", "--video", "none")
    document = manifest(out)
    document["streams"][0]["gaps"][0].update(change)
    (out / "run.json").write_text(json.dumps(document), encoding="utf-8")
    assert any(reason in one for one in verify(out).reasons), verify(out).reasons
