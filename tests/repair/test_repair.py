"""A killed run: what it leaves is whole, verify says so, and a repair makes a finished record of it."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

import streamer
from streamer.errors import SinkError, UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.repair.repair import repair
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.verification import verify
from tests import runs
from tests.runs import environment, manifest, playable_times, rows
from tests.verified import runs_verified
from tests.videos import damage, write_video

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

FIGURES = (
    *("latency_ms", "result_latency_ms", "age_ms", "service_ms", "preprocess_ms", "infer_ms", "postprocess_ms"),
    *(
        "sink_ms",
        "lateness_ms",
        "preprocess_start_ms",
        "omission_gap",
        "frames",
        "decode_errors",
        "after_damage",
        "streams",
        "slo",
        "slo_checks",
    ),
)
"""What a repair works out from the rows alone."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 40)


@contextmanager
def going_on(*options: str | Path, out: Path, rows: int) -> Iterator[subprocess.Popen[bytes]]:
    """An endless replay in a process of its own that has written so many rows; it is killed in the end."""
    command = [sys.executable, "-m", "streamer", "replay", *map(str, options), "--loop", "--warmup", "0", "--quiet"]
    command += ["--out", str(out)]
    with (
        runs_verified(out),
        subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as process,
    ):
        try:
            for _ in range(3000):
                if (out / "frames.csv").exists() and (out / "frames.csv").read_bytes().count(b"\n") > rows:
                    break
                try:
                    process.wait(timeout=0.02)
                except subprocess.TimeoutExpired:
                    continue
                pytest.fail(f"the process ended with {process.returncode}")
            yield process
        finally:
            process.kill()


def kill(*options: str | Path, out: Path, rows: int) -> Path:
    """The directory of a run that was killed after so many rows."""
    with going_on(*options, out=out, rows=rows) as process:
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL
    return out


@pytest.fixture(scope="module")
def killed(clip: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one stream, every frame of which was delivered, killed after 1.5 s."""
    out = tmp_path_factory.mktemp("killed") / "run"
    return kill(
        clip, "--model", tiny_model, "--engine", "null", "--fps", "100", "--policy", "wait", out=out, rows=150
    )


@pytest.fixture
def copy(killed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(killed, tmp_path / "run"))


@pytest.mark.parametrize(
    "options",
    [
        ("--engine", "null,delay_ms=5", "--fps", "60"),
        ("--engine", "null,delay_ms=5", "--fps", "30", "--streams", "3"),
        ("--engine", "null,delay_ms=40", "--fps", "60", "--video", "all", "--policy", "drop-newest"),
    ],
    ids=["one stream", "three streams", "drops in the video"],
)
def test_a_killed_run_is_reported_as_whole_so_far_and_is_repaired(
    options: tuple[str, ...], clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = kill(clip, "--model", tiny_model, *options, out=tmp_path / "run", rows=130)
    before = rows(out / "frames.csv")
    done = runs.streamer("verify", "run", cwd=tmp_path)
    assert done.code == 3
    assert done.out.startswith("INTERRUPTED: the run was killed and has no run.json; whole up to ")
    assert done.out.splitlines()[-1] == "mend    streamer verify run --repair"
    found = verify(out)
    assert (found.reasons, found.remains is not None) == ([], True)
    assert found.remains is not None
    assert found.remains.rows == len(before)
    for video in found.remains.videos:
        assert video.plays_until_ms is not None
        assert video.delivered_until_ms is not None
        assert video.plays_until_ms <= video.delivered_until_ms
        times, _ = playable_times(out / video.name)
        assert float(times[-1]) * 1000 == pytest.approx(video.plays_until_ms, abs=1), "it starts at 0"

    mended = runs.streamer("verify", "run", "--repair", cwd=tmp_path)
    assert (mended.code, mended.err) == (0, "")
    first, verdict, _ = mended.out.splitlines()
    assert first.startswith(f"repaired: rows {len(before)}")
    assert verdict == "VALID (of an interrupted run)"
    document = manifest(out)
    assert (document["verdict"], document["error"]) == ("INTERRUPTED", None)
    assert document["repaired"]["rows"] == len(before)
    assert document["frames"]["abandoned"] == document["repaired"]["abandoned"]
    assert document["frames"]["scheduled"] == len(before) + document["repaired"]["abandoned"]
    assert document["source"]["sha256"]
    assert "the run was killed at" in document["doubts"][0]
    assert not [doubt for doubt in document["doubts"] if "has 0" in doubt], "doubts of a run without a frame"
    videos = {video.name for video in found.remains.videos}
    assert {path.name for path in out.iterdir()} == {
        *("frames.csv", "detections.csv", "latency.png", "run.json"),
        *videos,
    }
    assert verify(out).valid


def unfinished(directory: Path, **settings: Any) -> dict[str, Any]:
    """Makes of a finished run one that was killed when all its rows were written; returns what its manifest was."""
    document = manifest(directory)
    wiped = dict.fromkeys(("scheduled", "delivered"), 0)
    begun = {
        **document,
        **dict.fromkeys(("verdict", "answer", "doubts", "slo", "slo_checks", "frames", *FIGURES)),
        "doubts": [],
        "streams": [{**stream, **wiped} for stream in document["streams"]],
        "run": {**document["run"], "duration_s": 0.0, "rounds": None},
        "asked": {"frames": None, "duration_s": None, "respawn": 0, "promised": [40] * 9, **settings},
    }
    del begun["files"]
    (directory / "run.json").unlink()
    (directory / "latency.png").unlink(missing_ok=True)
    (directory / "begun.json").write_text(json.dumps(begun))
    return document


@pytest.mark.parametrize(
    "settings",
    [
        {"slo": "latency.p50<1s,drops<1%"},
        {"engine": "null,delay_ms=15", "deadline": 20, "slo": "drops<1%"},
        {"engine": "null,delay_ms=3", "streams": 2},
        {"fps": "source", "duration": 0.5},
        {"fps": "max", "video": Video.NONE},
        {"arrivals": "bursty,pause_ms=50,every_s=0.2", "policy": Policy.WAIT},
    ],
    ids=["simple", "drops", "streams", "timestamps", "closed loop", "bursty"],
)
def test_figures_made_from_the_rows_are_those_that_the_run_itself_had(
    settings: dict[str, Any], clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    usual = {"engine": "null", "model": str(tiny_model), "fps": Fraction(100), "warmup": 0, "chart": False}
    streamer.replay(clip, Settings(**{**usual, **settings, "out": tmp_path / "run"}))
    before = unfinished(tmp_path / "run", duration_s=settings.get("duration"))
    after: Mapping[str, Any] | None = repair(tmp_path / "run")
    assert after is not None
    assert {name: after[name] for name in FIGURES} == {name: before[name] for name in FIGURES}
    assert after["repaired"] == {"rows": len(rows(tmp_path / "run" / "frames.csv"))} | dict.fromkeys(
        ("abandoned", "torn_lines", "detections_removed"), 0
    )
    assert set(after) == set(before)
    assert verify(tmp_path / "run").reasons == []


def test_the_reasons_of_frames_that_could_not_be_decoded_are_made_from_the_rows(
    tiny_model: Path, tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "hurt.avi", 40, codec="mpeg4", size=(160, 120), options={"bf": "0"})
    damage(damage(clip, 12), 30)
    settings = Settings(
        engine="null", model=str(tiny_model), fps=Fraction(200), warmup=0, chart=False, video=Video.NONE, streams=2,
        out=tmp_path / "run",
    )  # fmt: skip
    streamer.replay(clip, settings)
    before = unfinished(tmp_path / "run")
    assert len(before["decode_errors"]["reasons"]) == 2
    assert before["after_damage"] > 0
    assert verify(tmp_path / "run").reasons == []
    after = repair(tmp_path / "run")
    assert after is not None
    assert after["decode_errors"] == before["decode_errors"]
    assert after["after_damage"] == before["after_damage"]
    assert verify(tmp_path / "run").reasons == []


@pytest.mark.parametrize("skip_gaps", [False, True])
def test_of_a_file_with_a_gap_no_frame_is_missing_that_was_not_due(
    skip_gaps: bool, tiny_model: Path, tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "gap.mkv", 20, ticks=[*range(10), *range(585, 595)])
    usual = {"engine": "null", "model": str(tiny_model), "warmup": 0, "chart": False, "video": Video.NONE}
    settings = {**usual, "frames": 15 if skip_gaps else 10, "skip_gaps": skip_gaps, "policy": Policy.WAIT}
    streamer.replay(clip, Settings(**settings, out=tmp_path / "run"))  # type: ignore[arg-type]
    unfinished(tmp_path / "run", promised=[20])
    after = repair(tmp_path / "run")
    assert after is not None
    assert verify(tmp_path / "run").reasons == []
    if skip_gaps:
        assert after["frames"]["scheduled"] < 18, "not all that are left were due"
    else:
        assert after["frames"]["scheduled"] == 10
        assert any("a gap of 23.0 s after frame 9" in doubt for doubt in after["doubts"])


@pytest.mark.parametrize("segment_s", [None, 0.05])
def test_a_gap_of_days_in_the_video_survives_a_kill(
    segment_s: float | None, tiny_model: Path, tmp_path: Path
) -> None:
    days_3_us = 3 * 86_400 * 1_000_000
    ticks = [40_000 * number + (days_3_us if number >= 10 else 0) for number in range(40)]
    clip = write_video(tmp_path / "gap.nut", 40, ticks=ticks, time_base=Fraction(1, 1_000_000))
    settings = {"engine": "null,delay_ms=4", "model": str(tiny_model), "fps": "max", "warmup": 0, "chart": False}
    streamer.replay(clip, Settings(**settings, segment=segment_s, out=tmp_path / "run"))  # type: ignore[arg-type]
    before = unfinished(tmp_path / "run")
    assert before["resources"]["held_pictures"] in ((240,) if segment_s is None else (0, 240)), "0: cut at the gap"
    assert verify(tmp_path / "run").reasons == []
    assert repair(tmp_path / "run") is not None
    found = verify(tmp_path / "run")
    assert (found.reasons, found.checked["rows"]) == ([], 40)


def test_the_rounds_of_a_killed_run_are_found_again(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    class Turns:
        study = "a study"

        def begins(self, frame: int) -> bool:
            return frame % 10 == 0

        def wait(self) -> bool:
            return True

    settings = Settings(
        engine="null",
        model=str(tiny_model),
        fps=Fraction(200),
        policy=Policy.WAIT,  # so that rows stand in the order of the frames
        warmup=0,
        chart=False,
        out=tmp_path / "run",
        video=Video.NONE,
    )
    anyio.run(partial(run, [str(clip)], settings, rounds=Turns()))
    before = unfinished(tmp_path / "run")
    lines = (tmp_path / "run" / "frames.csv").read_text().splitlines(keepends=True)
    (tmp_path / "run" / "frames.csv").write_text("".join(lines[:25] + lines[26:36]))
    assert verify(tmp_path / "run").reasons == []
    after = repair(tmp_path / "run")
    assert after is not None
    assert after["run"]["rounds"] == before["run"]["rounds"]
    assert after["run"]["study"] is None, "it cannot be paired with the others any more"
    assert after["frames"]["abandoned"] == 1
    assert verify(tmp_path / "run").reasons == []


def test_what_is_left_is_reported_to_programs_too(copy: Path) -> None:
    done = runs.streamer("verify", "run", "--json", cwd=copy.parent)
    document = json.loads(done.out)
    assert done.code == 3
    assert (document["verdict"], document["reasons"]) == ("INTERRUPTED", [])
    assert document["remains"]["rows"] == len(rows(copy / "frames.csv"))
    document = json.loads(runs.streamer("verify", "run", "--repair", "--json", cwd=copy.parent).out)
    assert (document["verdict"], document["repaired"]) == ("VALID", manifest(copy)["repaired"])


@pytest.mark.slow
@pytest.mark.parametrize("let_go", ["", "frames", "detections"])
def test_a_run_in_segments_is_repaired_when_all_of_them_are_there(
    clip: Path, tiny_model: Path, tmp_path: Path, let_go: str
) -> None:
    settings = Settings(
        engine="null",
        model=str(tiny_model),
        fps=Fraction(40),
        warmup=0,
        segment=0.2,
        chart=False,
        out=tmp_path / "run",
    )
    streamer.replay(clip, settings)
    before = unfinished(tmp_path / "run")
    (tmp_path / "run" / "frames.0000.csv.writing").write_text("half")
    if let_go:
        (tmp_path / "run" / f"{let_go}.0000.csv.gz").unlink()
    found = verify(tmp_path / "run")
    assert (found.reasons, found.valid) == ([], False)
    assert found.remains is not None
    assert found.remains.let_go == bool(let_go)
    if let_go:
        with pytest.raises(UsageError, match=rf"segments of {let_go}\.csv have been deleted"):
            repair(tmp_path / "run")
        return
    assert found.remains.rows == 40
    after = repair(tmp_path / "run")
    assert after is not None
    assert after["frames"] == before["frames"]
    assert after["pieces"] is not None
    assert after["pieces"]["videos_begin_s"] == before["pieces"]["videos_begin_s"]
    assert [cut["frames"] for cut in after["pieces"]["cuts"]] == [cut["frames"] for cut in before["pieces"]["cuts"]]
    assert verify(tmp_path / "run").reasons == []


def unpack(segment: Path) -> Path:
    """A segment as it is before it is compressed."""
    segment.with_suffix("").write_bytes(gzip.decompress(segment.read_bytes()))
    segment.unlink()
    return segment.with_suffix("")


def without_rows(table: Path) -> None:
    table.write_text(table.read_text().splitlines(keepends=True)[0])


def killed_before_the_rows(out: Path) -> None:
    """The detections of frames are in a segment, and their rows were not yet in a table."""
    without_rows(out / "frames.csv")
    unpack(out / "frames.0003.csv.gz").unlink()


def killed_before_the_rows_of_a_plain_segment(out: Path) -> None:
    unpack(out / "detections.0003.csv.gz")
    killed_before_the_rows(out)


def killed_between_two_files(out: Path) -> None:
    """The segment has its name, and the file that comes after it is not there yet."""
    (out / "frames.csv").unlink()
    unpack(out / "frames.0003.csv.gz")


def killed_between_two_files_of_detections(out: Path) -> None:
    (out / "detections.csv").unlink()
    without_rows(out / "frames.csv")
    unpack(out / "detections.0003.csv.gz")


def killed_in_a_line(out: Path) -> None:
    """The last line of the segment is incomplete: the file that comes after it was not there yet."""
    (out / "frames.csv").unlink()
    segment = unpack(out / "frames.0003.csv.gz")
    segment.write_bytes(segment.read_bytes()[:-10])


@pytest.mark.slow
def test_which_faults_were_injected_is_not_known(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    plan, out = tmp_path / "plan.toml", tmp_path / "run"
    plan.write_text('[[fault]]\nkind = "black"\nframe = 3\n')
    done = streamer.replay(
        clip, engine="null", model=tiny_model, fps="max", faults=plan, video="none", chart=False, out=out
    )
    assert [part["befallen"] for part in done.manifest["faults"] or ()] == [1]
    unfinished(out)
    document = repair(out)
    assert document is not None
    (fault,) = document["faults"] or []
    assert (fault["kind"], fault["began_frame"], fault["began_ms"], fault["befallen"]) == ("black", None, None, None)
    assert verify(out).reasons == []


@pytest.mark.timing  # a frame that is late is in the segment behind
@pytest.mark.parametrize(
    "kill_it",
    [
        killed_before_the_rows,
        killed_before_the_rows_of_a_plain_segment,
        killed_between_two_files,
        killed_between_two_files_of_detections,
        killed_in_a_line,
    ],
)
def test_a_run_that_is_killed_while_a_segment_is_cut_off_is_repaired(
    kill_it: Callable[[Path], None], clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    settings = {"engine": "null", "model": str(tiny_model), "fps": Fraction(40), "warmup": 0, "frames": 40}
    streamer.replay(clip, Settings(**settings, segment=0.2, video=Video.NONE, chart=False, out=out))  # type: ignore[arg-type]
    unfinished(out)
    assert (out / "frames.0003.csv.gz").exists()
    assert not (out / "frames.0004.csv.gz").exists()
    kill_it(out)
    assert verify(out).reasons == []
    after = repair(out)
    assert after is not None
    assert verify(out).reasons == []
    assert after["pieces"] is not None


def test_a_torn_line_is_cut_off_and_its_frame_abandoned(copy: Path) -> None:
    table = copy / "frames.csv"
    table.write_bytes(table.read_bytes()[:-30])
    found = verify(copy)
    assert (found.reasons, found.valid) == ([], False)
    assert found.remains is not None
    assert (found.remains.torn_lines, found.remains.strays > 0) == (1, True)
    document = repair(copy)
    assert document is not None
    assert document["repaired"] is not None
    assert document["repaired"]["torn_lines"] == 1
    assert document["repaired"]["detections_removed"] == found.remains.strays
    assert document["frames"]["abandoned"] >= 0
    assert verify(copy).reasons == []


def test_frames_in_flight_become_rows_that_are_abandoned(copy: Path) -> None:
    table = copy / "frames.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([*lines[:-4], lines[-2]]))
    found = verify(copy)
    assert found.remains is not None
    assert found.remains.unknown == 2
    document = repair(copy)
    assert document is not None
    abandoned = [row for row in rows(table) if row["outcome"] == "abandoned"]
    first = int(lines[-4].split(",")[1])
    assert [int(row["frame"]) for row in abandoned][:2] == [first, first + 1]
    assert all(row["scheduled_ms"] == f"{int(row['frame']) * 10}.000" for row in abandoned)
    assert document["frames"]["abandoned"] == len(abandoned)
    # The pictures of frames without a row are nobody's.
    assert [reason for reason in verify(copy).reasons if "where no frame belongs" not in reason] == []


def test_what_a_kill_does_not_explain_is_a_reason(copy: Path) -> None:
    table = copy / "frames.csv"
    lines = table.read_text().splitlines(keepends=True)
    cells = lines[5].split(",")
    cells[3] = "17.000"
    table.write_text("".join([*lines[:5], ",".join(cells), *lines[6:]]))
    found = runs.streamer("verify", "run", cwd=copy.parent)
    assert found.code == 3
    assert found.out.startswith("INVALID: the run was killed")
    assert "frames.csv frame 4, scheduled_ms: found 17.000, expected 40.000 by the schedule" in found.out


def test_a_kill_before_the_first_row_leaves_a_record_of_nothing(copy: Path) -> None:
    for name in ("frames.csv", "detections.csv", "annotated.mp4"):
        (copy / name).write_bytes(b"")
    document = repair(copy)
    assert document is not None
    assert document["frames"]["scheduled"] == 0
    assert document["run"]["duration_s"] == 0
    assert "Nothing was delivered" in document["answer"]
    assert verify(copy).reasons == []


def test_a_kill_while_the_manifest_was_written_leaves_nothing_half_done(copy: Path) -> None:
    (copy / "run.json.writing").write_text('{"schema_version": 1, "stre')
    assert repair(copy) is not None
    assert verify(copy).valid
    (copy / "begun.json").write_text("{}")  # killed between the two
    done = runs.streamer("verify", "run", "--repair", cwd=copy.parent)
    assert (done.code, done.out.splitlines()[0]) == (0, "nothing to repair: run.json is there")
    assert {path.name for path in copy.iterdir()} == {
        *("frames.csv", "detections.csv", "annotated.mp4", "latency.png", "run.json"),
    }


def test_an_engine_that_failed_before_the_kill_makes_a_failed_run(copy: Path) -> None:
    table = copy / "frames.csv"
    lines = table.read_text().splitlines(keepends=True)
    cells = lines[-1].split(",")
    cells[9:12] = cells[13:16] = [""] * 3
    table.write_text("".join([*lines[:-1], ",".join([*cells[:16], "engine_error", "", "0", "\n"])]))
    document = repair(copy)
    assert document is not None
    assert document["verdict"] == "FAILED"
    assert document["error"] is not None
    assert document["error"].startswith(f"engine_error at frame {cells[1]} of stream 0")


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("begun.json", None, UsageError, "has neither run.json nor begun.json"),
        ("begun.json", "{", SinkError, "begun.json cannot be read"),
        ("begun.json", "{}", SinkError, "begun.json cannot be understood"),
        ("frames.csv", "stream\n0\n", SinkError, "cannot be understood"),
        ("frames.csv", None, SinkError, "No such file"),
    ],
)
def test_what_cannot_be_repaired_is_one_line(
    name: str, content: str | None, error: type[Exception], says: str, copy: Path
) -> None:
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_text(content)
    with pytest.raises(error, match=says):
        repair(copy)
    assert not (copy / "run.json").exists()


def test_a_run_that_is_still_going_on_is_left_alone(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = (clip, "--model", tiny_model, "--engine", "null", "--fps", "50")
    with going_on(*options, out=tmp_path / "run", rows=5) as process:
        for arguments in (("verify", "run"), ("verify", "run", "--repair")):
            done = runs.streamer(*arguments, cwd=tmp_path)
            assert (done.code, "the run is still going on" in done.error) == (2, True)
        done = runs.streamer("replay", clip, "--out", "run", "--overwrite", cwd=tmp_path)
        assert (done.code, "another run is being written there" in done.error) == (2, True)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert verify(tmp_path / "run").valid
    assert not (tmp_path / "run" / "begun.json").exists()


def test_a_killed_run_can_be_written_over(copy: Path, clip: Path, tiny_model: Path) -> None:
    settings = Settings(
        engine="null", model=str(tiny_model), fps="max", warmup=0, chart=False, out=copy, overwrite=True
    )
    assert streamer.replay(clip, settings).manifest["verdict"] == "VALID"
    assert verify(copy).valid
