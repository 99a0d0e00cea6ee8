"""Whole replays of small real videos: the files of the run directory, and the report."""

from __future__ import annotations

import json
import re
from collections import Counter
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import av
import numpy as np
import pytest

import streamer
from streamer.cli.options import given_settings
from streamer.cli.replay import command as replay_command
from streamer.errors import UsageError
from streamer.ledger.record import Outcome
from streamer.pipeline.drop_policy import Policy
from streamer.run.finished import Run
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from tests import runs
from tests.runs import COCO_MODEL, FOOTAGE, check_conserved, manifest, needs_bundled, needs_shared, rows, video_times
from tests.videos import write_video

FRAME_COLUMNS = (
    "stream,frame,pts_ms,scheduled_ms,captured_ms,preprocess_start_ms,preprocess_end_ms,infer_start_ms,infer_end_ms,"
    "detected_ms,sink_start_ms,written_ms,lateness_ms,service_ms,result_latency_ms,latency_ms,outcome,reason,late,"
    "detections"
)
DETECTION_COLUMNS = "stream,frame,class_id,label,confidence,x1,y1,x2,y2"
FIGURE = {"n", "mean", "p50", "p90", "p95", "p99", "p999", "max", "upper"}
CONTRACT: dict[str, set[str]] = {
    "source": {"uri", "width", "height", "fps", "frames", "sha256"},
    "model": {"name", "path", "sha256", "input_size", "head", "classes"},
    "engine": {
        *("spec", "variant", "runtime", "device", "execution_devices", "device_changes", "config_requested"),
        *("config_in_force", "read_ms", "compile_ms", "first_inference_ms"),
    },
    "machine": set(),
    "run": {"fps", "policy", "queue", "deadline_ms", "warmup", "video", "started", "duration_s"},
    "frames": {
        *("scheduled", "delivered", "dropped", "decode_error", "source_error", "engine_error", "sink_error"),
        *("abandoned", "late", "missed"),
    },
    **dict.fromkeys(
        (
            *("latency_ms", "result_latency_ms", "service_ms", "lateness_ms", "age_ms", "preprocess_ms"),
            *("infer_ms", "postprocess_ms", "sink_ms"),
        ),
        FIGURE,
    ),
}
"""The groups of run.json, and the least that each must hold."""

FAST = Fraction(200)
"""A pace at which small clips are over quickly."""
DELAY_MS = 22
"""A null engine's delay that lasts over four frames at that pace."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames, 25 a second."""
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", 40, size=(96, 64))


@pytest.fixture
def replay(clip: Path, tiny_model: Path, tmp_path: Path) -> Any:
    """Replays the clip with the tiny model and the null engine; options override these."""

    def replay(source: Path = clip, **options: Any) -> Run:
        settings = {"engine": "null", "model": str(tiny_model), "fps": FAST, "out": tmp_path / "run", "warmup": 1}
        settings["chart"] = False
        return streamer.replay(source, Settings(**{**settings, **options}))

    return replay


def files(directory: Path) -> set[str]:
    return {entry.name for entry in directory.iterdir()}


def delivered_times(directory: Path, *, outcomes: tuple[str, ...] = ("delivered",)) -> list[Fraction]:
    """Scheduled times of the frames that met one of ``outcomes``, in seconds since the first of them."""
    times = [
        Fraction(row["scheduled_ms"]) / 1000 for row in rows(directory / "frames.csv") if row["outcome"] in outcomes
    ]
    return [time - times[0] for time in times]


def test_a_run_directory_has_exactly_the_contracts_files(replay: Any) -> None:
    done = replay(chart=True)
    assert files(done.directory) == {"frames.csv", "detections.csv", "annotated.mp4", "latency.png", "run.json"}
    assert done.manifest["verdict"] == "VALID"
    assert manifest(done.directory) == json.loads(json.dumps(done.manifest))


def test_without_a_chart_all_else_is_there(replay: Any) -> None:
    done = replay(chart=False)
    assert files(done.directory) == {"frames.csv", "detections.csv", "annotated.mp4", "run.json"}
    assert done.manifest["verdict"] == "VALID"


def test_the_options_defaults_are_those_of_the_settings(clip: Path) -> None:
    context = replay_command.make_context("replay", [str(clip)])
    assert given_settings(context.params) == Settings()


def test_the_command_draws_no_chart_when_it_is_to_leave_it_out(clip: Path, tmp_path: Path) -> None:
    context = replay_command.make_context("replay", [str(clip), "--no-chart"])
    assert given_settings(context.params) == Settings(chart=False)


def test_frames_csv_has_the_contracts_columns_and_a_row_per_scheduled_frame(replay: Any) -> None:
    done = replay()
    assert (done.directory / "frames.csv").read_text().splitlines()[0] == FRAME_COLUMNS
    assert len(rows(done.directory / "frames.csv")) == 40
    assert set(check_conserved(done.directory)) <= {"delivered", "dropped"}


def test_stamps_are_whole_microseconds_in_order_and_figures_follow_from_them(replay: Any) -> None:
    done = replay()
    steps = FRAME_COLUMNS.split(",")[3:12]
    for row in rows(done.directory / "frames.csv"):
        times = [row[step] for step in steps]
        assert all(re.fullmatch(r"-?\d+\.\d{3}", time) for time in times if time)
        stamps = [int(time.replace(".", "")) for time in times if time]
        assert stamps == sorted(stamps), f"frame {row['frame']} goes back in time"
        if row["outcome"] == "delivered":
            us = {step: int(row[step].replace(".", "")) for step in (*steps, *FRAME_COLUMNS.split(",")[12:16])}
            assert us["latency_ms"] == us["written_ms"] - us["scheduled_ms"]
            assert us["result_latency_ms"] == us["detected_ms"] - us["scheduled_ms"]
            assert us["service_ms"] == us["detected_ms"] - us["preprocess_start_ms"]
            assert us["lateness_ms"] == us["captured_ms"] - us["scheduled_ms"]
            assert row["late"] == str(int(us["latency_ms"] > 5000))


def test_frames_are_scheduled_from_one_origin(replay: Any) -> None:
    done = replay(fps=Fraction(1000, 7), engine=f"null,delay_ms={DELAY_MS}")
    ledger = rows(done.directory / "frames.csv")
    assert [row["scheduled_ms"] for row in ledger] == [f"{7 * index}.000" for index in range(40)]


def test_the_files_own_timestamps_are_the_schedule_by_default(tmp_path: Path, replay: Any) -> None:
    ticks = [0, 3, 10, 11, 30, 44, 45, 60, 77, 90]
    source = write_video(tmp_path / "vfr.mp4", 10, ticks=ticks, time_base=Fraction(1, 200))
    done = replay(source, fps="source")
    ledger = rows(done.directory / "frames.csv")
    assert [row["scheduled_ms"] for row in ledger] == [f"{5 * tick}.000" for tick in ticks]
    assert [row["pts_ms"] for row in ledger] == [row["scheduled_ms"] for row in ledger]
    assert video_times(done.directory / "annotated.mp4") == delivered_times(done.directory)


def test_a_slower_clock_than_the_files_keeps_the_files_timestamps_separate(replay: Any) -> None:
    done = replay(fps=Fraction(100))
    ledger = rows(done.directory / "frames.csv")
    assert [row["scheduled_ms"] for row in ledger] == [f"{10 * index}.000" for index in range(40)]
    assert [row["pts_ms"] for row in ledger] == [f"{40 * index}.000" for index in range(40)]


def test_detections_csv_has_as_many_rows_as_the_ledger_says(replay: Any) -> None:
    done = replay(engine=f"null,delay_ms={DELAY_MS}")
    assert (done.directory / "detections.csv").read_text().splitlines()[0] == DETECTION_COLUMNS
    found = Counter(row["frame"] for row in rows(done.directory / "detections.csv"))
    ledger = rows(done.directory / "frames.csv")
    assert {row["frame"]: int(row["detections"]) for row in ledger if row["outcome"] == "delivered"} == found
    assert all(row["detections"] == "" for row in ledger if row["outcome"] == "dropped")
    assert set(found.values()) == {3}, "the null engine sees three objects"


def test_boxes_are_in_pixels_of_the_source_and_labels_are_the_models(replay: Any) -> None:
    done = replay(engine="ir", video=Video.NONE, frames=3, fps="max")
    found = [row for row in rows(done.directory / "detections.csv") if row["frame"] == "0"]
    # 96x64 in 64x64: scaled by 2/3, with padding of 10 or 11 rows above and below.
    boxes = {row["label"]: [float(row[side]) for side in ("x1", "y1", "x2", "y2")] for row in found}
    assert boxes["person"] == pytest.approx([18, 3, 42, 27], abs=1)
    assert boxes["car"] == pytest.approx([51, 27, 81, 63], abs=1)
    assert {row["class_id"]: row["label"] for row in found} == {"0": "person", "1": "car"}


def test_run_json_has_at_least_the_contracts_fields(replay: Any) -> None:
    document = manifest(replay(engine="ir").directory)
    assert {"schema_version", "streamer", "doubts", "verdict", "slo", *CONTRACT} <= set(document)
    for group, fields in CONTRACT.items():
        assert fields <= set(document[group]), f"{group} lacks {sorted(fields - set(document[group]))}"
    assert document["streamer"] == streamer.__version__
    assert document["source"] | {"uri": "", "sha256": ""} == {
        **{
            "uri": "",
            "width": 96,
            "height": 64,
            "fps": "25",
            "announced_fps": None,
            "frames": 40,
            "live": False,
            "sha256": "",
        },
    }
    assert re.fullmatch("[0-9a-f]{64}", document["source"]["sha256"])
    assert re.fullmatch("[0-9a-f]{64}", document["model"]["sha256"])
    assert document["model"]["input_size"] == [64, 64]
    assert document["model"]["classes"] == 2
    assert document["run"]["fps"] == "200"
    assert document["run"]["deadline_ms"] == 5
    assert document["engine"]["config_in_force"]


def test_a_percentile_needs_enough_frames_and_has_its_upper_bound(replay: Any) -> None:
    document = manifest(replay(engine="null", policy=Policy.WAIT).directory)
    latency = document["latency_ms"]
    assert latency["n"] == 40
    assert (latency["p90"], latency["p95"], latency["p99"], latency["p999"]) == (None, None, None, None)
    assert latency["p50"] <= latency["upper"]["p50"] <= latency["max"]
    assert latency["upper"]["p90"] is None


def test_the_library_hands_back_summary_and_ledger(replay: Any) -> None:
    done = replay(policy=Policy.WAIT)
    assert [record.frame for record in done.ledger] == list(range(40))
    assert all(record.outcome is Outcome.DELIVERED for record in done.ledger)
    assert done.figures["latency"].n == 40
    assert done.figures["latency"]["p50"] == done.manifest["latency_ms"]["p50"]
    assert done.figures["latency"].max == max(record.latency or 0 for record in done.ledger) / 1000
    assert done.failure is None


def test_the_library_prints_nothing(replay: Any, capfd: pytest.CaptureFixture[str]) -> None:
    replay(engine="ir-auto-shared")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_the_annotated_video_has_each_delivered_frame_at_its_own_time(replay: Any) -> None:
    done = replay(engine=f"null,delay_ms={DELAY_MS}")
    outcomes = check_conserved(done.directory)
    assert outcomes["dropped"] > 0, "nothing was dropped: the test shows nothing"
    times = video_times(done.directory / "annotated.mp4")
    assert times == delivered_times(done.directory)
    assert len(times) == outcomes["delivered"]


def test_the_annotated_video_with_all_frames_shows_the_dropped_ones_too(replay: Any) -> None:
    done = replay(engine=f"null,delay_ms={DELAY_MS}", video=Video.ALL)
    outcomes = check_conserved(done.directory)
    assert outcomes["dropped"] > 0
    assert set(outcomes) == {"delivered", "dropped"}
    times = video_times(done.directory / "annotated.mp4")
    assert times == [index / FAST for index in range(40)]


def test_without_video_there_is_no_file_and_written_is_when_the_sink_has_it(replay: Any) -> None:
    done = replay(video=Video.NONE)
    assert files(done.directory) == {"frames.csv", "detections.csv", "run.json"}
    delivered = [row for row in rows(done.directory / "frames.csv") if row["outcome"] == "delivered"]
    assert delivered
    assert all(row["written_ms"] == row["sink_start_ms"] != "" for row in delivered)


def test_boxes_are_drawn_on_the_frames(tmp_path: Path, tiny_model: Path, replay: Any) -> None:
    gray = [np.full((480, 640, 3), 128, np.uint8)] * 3
    done = replay(write_video(tmp_path / "gray.mp4", gray), policy=Policy.WAIT)
    with av.open(str(done.directory / "annotated.mp4")) as container:
        image = next(container.decode(video=0)).to_ndarray(format="bgr24").astype(int)
    x1, y1, x2, y2 = (
        round(float(rows(done.directory / "detections.csv")[0][side])) for side in ("x1", "y1", "x2", "y2")
    )
    colourful = image.max(2) - image.min(2) > 60
    assert colourful[y1, x1 + 4 : x2 - 4].mean() > 0.9, "no line where the box begins"
    assert colourful[y2, x1 + 4 : x2 - 4].mean() > 0.9, "no line where the box ends"
    assert not colourful[470:, 600:].any(), "drawn where there is nothing"


def test_a_closed_loop_delivers_every_frame_and_says_what_it_is(replay: Any) -> None:
    done = replay(fps="max", engine=f"null,delay_ms={DELAY_MS}", frames=20)
    assert check_conserved(done.directory) == {"delivered": 20}
    document = manifest(done.directory)
    assert document["run"]["closed_loop"] is True
    assert (document["run"]["fps"], document["run"]["policy"], document["run"]["queue"]) == ("max", "wait", 0)
    assert document["run"]["deadline_ms"] is None
    assert "closed loop" in document["answer"].lower()
    assert document["age_ms"]["n"] == 0
    assert document["age_ms"]["max"] is None
    assert document["frames"]["late"] == 0
    for row in rows(done.directory / "frames.csv"):
        assert row["scheduled_ms"] == row["captured_ms"], "something was due"
        assert row["lateness_ms"] == "0.000"


def test_waiting_delivers_every_frame_and_the_wait_is_latency_not_lateness(replay: Any) -> None:
    done = replay(engine=f"null,delay_ms={DELAY_MS}", policy=Policy.WAIT, frames=20)
    assert check_conserved(done.directory) == {"delivered": 20}
    last = rows(done.directory / "frames.csv")[-1]
    # 20 inferences in turn take their time; the last frame was due after 19 periods of 5 ms.
    assert float(last["latency_ms"]) >= 20 * DELAY_MS - 19 * 5
    assert float(last["lateness_ms"]) < float(last["captured_ms"]) - float(last["scheduled_ms"])


@pytest.mark.parametrize("policy", [policy for policy in Policy if policy is not Policy.WAIT])
def test_a_slow_engine_makes_the_link_drop_and_every_drop_has_its_reason(replay: Any, policy: Policy) -> None:
    done = replay(engine=f"null,delay_ms={DELAY_MS}", policy=policy)
    outcomes = check_conserved(done.directory)
    assert outcomes["dropped"] >= 20
    dropped = [row for row in rows(done.directory / "frames.csv") if row["outcome"] == "dropped"]
    assert {row["reason"] for row in dropped} == {"queue_full"}
    assert all(row["captured_ms"] and not row["preprocess_start_ms"] and row["late"] == "0" for row in dropped)
    assert manifest(done.directory)["frames"]["missed"] >= outcomes["dropped"]
    assert manifest(done.directory)["age_ms"]["n"] > 0


def test_frames_ends_the_run_after_so_many(replay: Any) -> None:
    done = replay(frames=7)
    assert [row["frame"] for row in rows(done.directory / "frames.csv")] == [str(index) for index in range(7)]
    assert check_conserved(done.directory)["abandoned"] == 0


def test_more_frames_than_the_source_has_are_not_invented(replay: Any) -> None:
    done = replay(frames=400)
    assert len(rows(done.directory / "frames.csv")) == 40
    assert done.manifest["verdict"] == "VALID"


def test_duration_ends_the_run_by_its_schedule(replay: Any) -> None:
    done = replay(duration=0.1)
    assert len(rows(done.directory / "frames.csv")) == 20, "200 frames a second for a tenth of a second"


def test_a_looped_source_goes_on_in_time_and_number(replay: Any) -> None:
    done = replay(loop=True, frames=100, policy=Policy.WAIT)
    assert check_conserved(done.directory) == {"delivered": 100}
    ledger = rows(done.directory / "frames.csv")
    assert [row["pts_ms"] for row in ledger] == [f"{40 * index}.000" for index in range(100)]
    assert video_times(done.directory / "annotated.mp4") == [index / FAST for index in range(100)]
    assert manifest(done.directory)["source"]["frames"] is None


@pytest.mark.parametrize("name", ["ntsc.mkv", "ntsc.mp4"])
def test_a_loop_at_the_files_own_pace_leaves_no_gap(name: str, tmp_path: Path, replay: Any) -> None:
    # Matroska rounds to milliseconds, so that the file's length is no whole number of its ticks.
    source = write_video(tmp_path / name, 12, rate=Fraction(120000, 1001))
    done = replay(source, loop=True, frames=36, fps="source", policy=Policy.WAIT)
    assert check_conserved(done.directory) == {"delivered": 36}
    due = [int(row["scheduled_ms"].replace(".", "")) for row in rows(done.directory / "frames.csv")]
    period = 1001 / 0.12
    assert all(abs(us - index * period) < 1000 + 1000 * (index // 12) for index, us in enumerate(due))
    times = video_times(done.directory / "annotated.mp4")
    assert [round(time * 1_000_000) for time in times] == due


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("policy", list(Policy))
def test_the_pipeline_runs_on_both_event_loops(
    backend: str, policy: Policy, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    settings = Settings(
        engine="null,delay_ms=8",
        model=str(tiny_model),
        fps=FAST,
        policy=policy,
        chart=False,
        out=tmp_path / "run",
        video=Video.ALL,
    )
    done = anyio.run(partial(run, [str(clip)], settings), backend=backend)
    outcomes = check_conserved(done.directory)
    assert done.manifest["verdict"] == "VALID"
    assert outcomes.total() == 40
    assert set(outcomes) == ({"delivered"} if policy is Policy.WAIT else {"delivered", "dropped"})
    assert len(video_times(done.directory / "annotated.mp4")) == 40


def test_warm_up_uses_no_frames_up_and_leaves_no_rows(replay: Any) -> None:
    done = replay(warmup=25, policy=Policy.WAIT)
    assert [row["frame"] for row in rows(done.directory / "frames.csv")] == [str(index) for index in range(40)]
    assert manifest(done.directory)["run"]["warmup"] == 25
    assert manifest(done.directory)["infer_ms"]["n"] == 40


def test_a_directory_that_is_not_empty_is_refused_and_left_as_it_was(replay: Any, tmp_path: Path) -> None:
    replay()
    before = {entry.name: entry.stat().st_mtime_ns for entry in (tmp_path / "run").iterdir()}
    with pytest.raises(UsageError, match="not empty: give another directory, or overwrite=True"):
        replay(frames=5)
    assert {entry.name: entry.stat().st_mtime_ns for entry in (tmp_path / "run").iterdir()} == before


def test_overwrite_replaces_the_run_and_leaves_other_files_alone(replay: Any, tmp_path: Path) -> None:
    replay()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    replay(frames=5, video=Video.NONE, overwrite=True)
    assert files(tmp_path / "run") == {"frames.csv", "detections.csv", "run.json", "notes.txt"}
    assert len(rows(tmp_path / "run" / "frames.csv")) == 5
    check_conserved(tmp_path / "run")


def test_without_out_each_run_gets_a_directory_of_its_own(
    replay: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = replay(out=None, frames=3), replay(out=None, frames=3)
    assert first.directory != second.directory
    for done in (first, second):
        assert done.directory.parent == Path("runs")
        assert re.fullmatch(r"\d{8}T\d{6}Z-clip-null(-\d+)?", done.directory.name)
        check_conserved(done.directory)


@pytest.mark.parametrize("engine", ["ir", "ir-auto-shared"])
def test_a_real_engine_runs_the_whole_way(replay: Any, engine: str) -> None:
    done = replay(engine=engine, policy=Policy.WAIT)
    assert check_conserved(done.directory) == {"delivered": 40}
    assert {row["detections"] for row in rows(done.directory / "frames.csv")} <= {"0", "1", "2"}


@pytest.mark.slow
@needs_shared
def test_footage_is_replayed_with_a_real_detector(tmp_path: Path, replay: Any) -> None:
    done = replay(FOOTAGE, engine="ir-auto-shared", model=str(COCO_MODEL), fps="max", frames=30)
    assert check_conserved(done.directory) == {"delivered": 30}
    labels = Counter(row["label"] for row in rows(done.directory / "detections.csv"))
    assert labels["person"] > 90
    assert video_times(done.directory / "annotated.mp4") == [Fraction(index, 10) for index in range(30)]
    (note,) = manifest(done.directory)["notes"]
    assert "nothing says how yolov5n-coco.onnx takes its pictures" in note
    assert "rgb,range=0..1,letterbox,pad=114" in note


@needs_bundled
def test_the_bundled_model_says_that_it_knows_only_the_street(clip: Path, tmp_path: Path) -> None:
    done = runs.streamer("replay", clip, "--engine", "null", "--frames", "3", "--out", "run", cwd=tmp_path)
    assert done.code == 0
    notes = [line for line in done.err.splitlines() if line.startswith("note:")]
    assert len(notes) == 1
    assert "latency is representative" in notes[0]
    assert "--model" in notes[0]


@pytest.fixture
def command(clip: Path, tiny_model: Path, tmp_path: Path) -> Any:
    """``streamer replay`` on the clip, with the null engine, into ``run``."""

    def command(*more: str) -> runs.Finished:
        arguments = ("--engine", "null", "--model", tiny_model, "--fps", "200", "--out", "run", "--warmup", "0")
        return runs.streamer("replay", clip, *arguments, *more, cwd=tmp_path)

    return command


def test_json_prints_the_manifest_and_nothing_else(command: Any, tmp_path: Path) -> None:
    done = command("--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == manifest(tmp_path / "run")


def test_quiet_prints_nothing(command: Any, tmp_path: Path) -> None:
    done = command("--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    check_conserved(tmp_path / "run")


@pytest.mark.timing
def test_the_report_ends_with_one_sentence_of_plain_answer(command: Any, tmp_path: Path) -> None:
    done = command("--policy", "wait")
    assert (done.code, done.err) == (0, "")
    document = manifest(tmp_path / "run")
    assert " ".join(done.out.split()).endswith(document["answer"])
    assert document["answer"].startswith("Sustains 200 fps: ")
    assert "service time" in done.out
    assert "scheduled 40" in done.out
    for row in ("lateness", "due to preprocess"):
        assert row in done.out, "lateness and due-to-preprocess stand together"
    for name in ("annotated.mp4", "frames.csv", "detections.csv", "run.json"):
        assert name in done.out


def test_the_options_of_the_command_line_arrive(command: Any, tmp_path: Path) -> None:
    limits = ("--policy", "drop-newest", "--queue", "3", "--frames", "9", "--deadline", "7.5")
    done = command(*limits, "--conf", "0.3", "--iou", "0.4", "--json")
    assert done.code == 0
    requested = {"policy": "drop-newest", "queue": 3, "deadline_ms": 7.5, "confidence": 0.3, "iou": 0.4, "warmup": 0}
    assert requested.items() <= json.loads(done.out)["run"].items()
    assert len(rows(tmp_path / "run" / "frames.csv")) == 9
