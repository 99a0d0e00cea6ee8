"""Verification: real runs are valid, and every way of editing one is found out and named."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import streamer
from streamer.errors import UsageError
from streamer.pipeline.drop_policy import Policy
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.stats.age import AgeMeter
from streamer.stats.percentiles import PERCENTILES, frames_needed
from streamer.stats.percentiles import bound_rank as own_bound_rank
from streamer.stats.percentiles import nearest_rank as own_nearest_rank
from streamer.vendors import pyav
from streamer.verification import Verification, verify
from streamer.verification.age import ages
from streamer.verification.percentile_rule import FRAMES_NEEDED, bound_rank, percentile_rank
from streamer.verification.schedule import instants
from tests import runs
from tests.runs import ROOT, manifest, rows
from tests.tiny_models import raw, write_ir
from tests.videos import FASTSTART, cut_off, damage, write_video

FAST = Fraction(500)
FRAMES = 300
"""Enough for p95."""

Replay = Callable[..., Path]


@pytest.fixture(scope="module")
def replay(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Replays a small clip into a new directory; every frame is delivered unless the settings say otherwise."""
    place = tmp_path_factory.mktemp("runs")
    clip = write_video(place / "clip.mkv", FRAMES, size=(64, 48))

    def replay(source: Path = clip, **settings: Any) -> Path:
        number = sum(path.is_dir() for path in place.iterdir())
        usual = {"engine": "null", "model": str(tiny_model), "warmup": 0, "fps": FAST, "policy": Policy.WAIT}
        usual["chart"] = False
        return streamer.replay(source, Settings(**{**usual, **settings, "out": place / f"run{number}"})).directory

    return replay


@pytest.fixture(scope="module")
def waiting(replay: Replay) -> Path:
    """A run in which every frame was delivered."""
    return replay()


@pytest.fixture(scope="module")
def dropping(replay: Replay) -> Path:
    """A run in which frames were dropped."""
    return replay(engine="null,delay_ms=5", policy=Policy.DROP_OLDEST)


@pytest.fixture
def copy(waiting: Path, tmp_path: Path) -> Path:
    """A copy of the run, to edit."""
    return Path(shutil.copytree(waiting, tmp_path / "run"))


def checked(directory: Path) -> Verification:
    """The verification of an edited run whose hashes, if it has any, were forged to match."""
    document = manifest(directory)
    for name, entry in document.get("files", {}).items():
        content = (directory / name).read_bytes()
        entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    write_manifest(directory, document)
    return verify(directory)


def older(document: dict[str, Any]) -> dict[str, Any]:
    """The document as one that has no hash of its own, of which less is worked out."""
    new = ("document_sha256", "objects", "drop_reasons")
    parts = {name: part for name, part in document.items() if name not in new}
    if parts["tail"] is not None:
        slowest = {name: value for name, value in parts["tail"]["slowest"].items() if name != "stream"}
        parts["tail"] = {**parts["tail"], "slowest": slowest}
    return {**parts, "schema_version": 1}


def write_manifest(directory: Path, document: dict[str, Any]) -> None:
    """As it is, with its own hash, if it has any, forged to match."""
    if "document_sha256" in document:
        rest = {name: part for name, part in document.items() if name != "document_sha256"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        document = {**rest, "document_sha256": hashlib.sha256(text.encode()).hexdigest()}
    (directory / "run.json").write_text(json.dumps(document), encoding="utf-8")


def table(path: Path) -> list[list[str]]:
    """Header and rows, in the order of the file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_table(path: Path, lines: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def edit(path: Path, row: int, column: str, value: str) -> None:
    """Changes one cell; rows count from 1."""
    lines = table(path)
    lines[row][lines[0].index(column)] = value
    write_table(path, lines)


def cell(path: Path, row: int, column: str) -> str:
    lines = table(path)
    return lines[row][lines[0].index(column)]


def later(ms: str, us: int) -> str:
    """A time so many microseconds later."""
    return f"{(int(ms.replace('.', '')) + us) / 1000:.3f}"


def assert_found(found: Verification, *words: str) -> None:
    """There is a reason that has all these words."""
    assert not found.valid
    assert any(all(word in reason for word in words) for reason in found.reasons), found.reasons


def test_a_run_is_valid_and_says_what_was_checked(waiting: Path) -> None:
    found = verify(waiting)
    assert found.reasons == []
    assert found.checked == {
        "rows": FRAMES,
        "figures": 10,
        "detections": len(rows(waiting / "detections.csv")),
        "video_frames": FRAMES,
        "files": len(manifest(waiting).get("files", {})),
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"engine": "null,delay_ms=5", "policy": Policy.DROP_NEWEST, "video": Video.ALL},
        {"video": Video.NONE, "deadline": 0.2},
        {"fps": "max", "policy": None},
        {"fps": Fraction(30000, 1001), "frames": 12},
        {"fps": "source", "frames": 5},
        {"engine": "ir", "frames": 20},
    ],
    ids=["all", "none", "max", "ntsc", "source", "ir"],
)
def test_every_kind_of_run_is_valid(settings: dict[str, Any], replay: Replay) -> None:
    assert verify(replay(**settings)).reasons == []


@pytest.fixture(scope="module")
def nameless(replay: Replay, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of an end-to-end model that has no names."""
    model = write_ir(tmp_path_factory.mktemp("nameless") / "nameless.xml", raw(1, 300, 6))
    return replay(model=str(model), frames=3)


def test_a_run_whose_classes_have_no_names_is_valid(nameless: Path) -> None:
    assert manifest(nameless)["model"]["classes"] is None
    assert verify(nameless).valid
    found = {(int(row["class_id"]), row["label"]) for row in rows(nameless / "detections.csv")}
    assert found == {(0, "class_0"), (2, "class_2"), (5, "class_5")}


def test_there_a_label_is_the_number_of_its_class(nameless: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(nameless, tmp_path / "run"))
    path = copy / "detections.csv"
    path.write_text(path.read_text().replace("class_5", "class_4"))
    assert any("found 'class_4', expected 'class_5'" in reason for reason in checked(copy).reasons)


def test_a_run_with_drops_is_valid(dropping: Path) -> None:
    assert manifest(dropping)["frames"]["dropped"] > 0
    assert verify(dropping).reasons == []


def test_frames_that_cannot_be_decoded_are_part_of_a_valid_run(replay: Replay, tmp_path: Path) -> None:
    clip = cut_off(write_video(tmp_path / "torn.mp4", 20, keyframe_every=1, container_options=FASTSTART), 0.6)
    directory = replay(clip)
    assert manifest(directory)["frames"]["decode_error"] > 0
    assert verify(directory).reasons == []


def test_an_odd_size_is_made_even(replay: Replay, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "odd.mkv", 3, size=(63, 47), codec="ffv1", pixel_format="yuv444p")
    assert verify(replay(clip)).reasons == []


@pytest.mark.parametrize(
    ("column", "us", "words"),
    [
        ("infer_end_ms", 1, ["infer_ms.mean", "found"]),
        ("written_ms", 1, ["frame 9, latency_ms", "expected"]),
        ("detected_ms", 1, ["frame 9, service_ms"]),
        ("preprocess_start_ms", -1, ["frame 9, service_ms"]),
        ("scheduled_ms", 1, ["frame 9, scheduled_ms", "expected 18.000 by the schedule"]),
        ("infer_start_ms", 10_000_000, ["frame 9, infer_end_ms", "or later, which is infer_start_ms"]),
        ("lateness_ms", -10_000_000, ["frame 9, lateness_ms", "expected 0.000 to"]),
        ("pts_ms", 1, []),
    ],
)
def test_a_stamp_that_was_changed_is_found(copy: Path, column: str, us: int, words: list[str]) -> None:
    path = copy / "frames.csv"
    edit(path, 10, column, later(cell(path, 10, column), us))
    if words:
        assert_found(checked(copy), *words)
    else:  # nothing follows from the source's own time when frames are due at a rate: only the hash tells
        assert ("files" not in manifest(copy)) == verify(copy).valid


def test_lateness_follows_from_the_stamps_where_the_source_was_not_held_back(dropping: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(dropping, tmp_path / "run"))
    edit(copy / "frames.csv", 1, "lateness_ms", later(cell(copy / "frames.csv", 1, "lateness_ms"), 1))
    assert_found(checked(copy), "frame", "lateness_ms", "expected")


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("dropped", ["frame 9, outcome: found dropped, but there are stamps after captured_ms"]),
        ("abandoned", ["frames.abandoned: found 0, expected 1 by frames.csv"]),
        ("engine_error", ["frames met engine_error"]),
        ("lost", ["row 10, outcome: found 'lost', expected one of delivered"]),
        ("", ["row 10, outcome: found ''"]),
    ],
)
def test_an_outcome_that_was_changed_is_found(copy: Path, outcome: str, words: list[str]) -> None:
    edit(copy / "frames.csv", 10, "outcome", outcome)
    assert_found(checked(copy), *words)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("late", "1", ["frame 9, late: found 1, expected 0", "deadline 2000.000"]),
        (
            "reason",
            "queue_full",
            ["frame 9, reason: found 'queue_full', expected '' or 'after_damage' as the outcome is delivered"],
        ),
        ("detections", "", ["frame 9, detections: found empty"]),
        ("detections", "7", ["detections.csv frame 9: found 3 rows, expected 7"]),
        ("written_ms", "", ["frame 9, written_ms: found empty, expected a time as the outcome is delivered"]),
        ("infer_start_ms", "", ["frame 9, infer_end_ms", "expected empty as infer_start_ms is"]),
        ("captured_ms", "18.1", ["row 10, captured_ms: found '18.1', expected a time", "three decimals"]),
        ("captured_ms", "nan", ["row 10, captured_ms: found 'nan'"]),
        ("frame", "8", ["frame 8, frame: has a row more than one"]),
        ("frame", "9000", ["frame 9: has no row"]),
    ],
)
def test_a_cell_that_was_changed_is_found(
    replay: Replay, tmp_path: Path, column: str, value: str, words: list[str]
) -> None:
    copy = Path(shutil.copytree(replay(frames=12, deadline=2000), tmp_path / "run"))
    edit(copy / "frames.csv", 10, column, value)
    assert_found(checked(copy), *words)


def test_a_row_removed_is_found(copy: Path) -> None:
    lines = table(copy / "frames.csv")
    del lines[10]
    write_table(copy / "frames.csv", lines)
    found = checked(copy)
    assert_found(found, "frames.csv frame 9: has no row")
    assert_found(found, f"run.json frames.scheduled: found {FRAMES}, expected {FRAMES - 1} by frames.csv")


def test_the_last_row_removed_is_found(copy: Path) -> None:
    write_table(copy / "frames.csv", table(copy / "frames.csv")[:-1])
    assert_found(checked(copy), "frames.scheduled")


def test_a_row_twice_is_found(copy: Path) -> None:
    lines = table(copy / "frames.csv")
    write_table(copy / "frames.csv", [*lines, lines[10]])
    assert_found(checked(copy), "frames.csv frame 9, frame: has a row more than one")


def test_rows_in_another_order_are_the_same_ledger(copy: Path) -> None:
    header, *lines = table(copy / "frames.csv")
    write_table(copy / "frames.csv", [header, *reversed(lines)])
    assert checked(copy).reasons == []


def test_a_column_that_is_missing_is_found(copy: Path) -> None:
    write_table(copy / "frames.csv", [line[:-1] for line in table(copy / "frames.csv")])
    assert_found(checked(copy), "frames.csv: its columns are not the contract's: has no detections")


def test_a_detection_removed_is_found(copy: Path) -> None:
    lines = table(copy / "detections.csv")
    frame = lines.pop(5)[1]
    write_table(copy / "detections.csv", lines)
    assert_found(checked(copy), f"detections.csv frame {frame}: found 2 rows, expected 3")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("confidence", "1.2000", ["row 3, frame 0, confidence: found 1.2000, expected 0 to 1"]),
        ("confidence", "high", ["row 3, confidence: found 'high'"]),
        ("class_id", "2", ["class_id: found 2, expected less than 2"]),
        ("x2", "-5.00", ["x2: found -5.00, expected", "which is x1"]),
        ("y1", "4700.00", ["y2: found", "expected 4700.00 or more, which is y1"]),
        ("frame", "4000", ["row 3, frame: found 4000, which the ledger has not"]),
        ("frame", "\u0660", ["row 3, frame: found '\u0660', expected a number"]),
        ("y2", "48.01", ["y2: found 48.01, expected 0.00 to 48.00, within the picture"]),
        ("x1", "-0.01", ["x1: found -0.01, expected 0.00 to 64.00, within the picture"]),
        ("confidence", "0.2499", ["confidence: found 0.2499, expected 0.2500 or more, run.confidence"]),
    ],
)
def test_an_impossible_detection_is_found(copy: Path, column: str, value: str, words: list[str]) -> None:
    edit(copy / "detections.csv", 3, column, value)
    assert_found(checked(copy), "detections.csv", *words)


def test_a_possible_but_changed_detection_is_found_by_its_hash(copy: Path) -> None:
    document = older(manifest(copy))
    write_manifest(copy, document)
    assert verify(copy).valid
    old = cell(copy / "detections.csv", 3, "x1")
    edit(copy / "detections.csv", 3, "x1", f"{float(old) + 0.01:.2f}".rjust(len(old), "0")[: len(old)])
    assert_found(verify(copy), "detections.csv: found SHA-256", "its content was changed")


def remux(path: Path, without: int, *, shift: int = 0) -> None:
    """The same video without one packet, or with that one ``shift`` ticks later instead."""
    scratch = path.with_name("scratch.mp4")
    with av.open(str(path)) as given:
        source = given.streams.video[0]
        scale = {"video_track_timescale": str(pyav.time_base(source).denominator)}
        with av.open(str(scratch), "w", container_options=scale) as made:
            stream = made.add_stream_from_template(source)
            for number, packet in enumerate(packet for packet in given.demux(source) if packet.size):
                if number != without or shift:
                    if number == without:
                        assert packet.pts is not None
                        assert packet.dts is not None
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    made.mux(packet)
    scratch.replace(path)


def test_a_video_that_was_only_copied_is_the_same(copy: Path) -> None:
    remux(copy / "annotated.mp4", without=FRAMES + 1)
    assert checked(copy).reasons == []


@pytest.mark.parametrize("number", [1, 70, FRAMES - 1])
def test_a_video_frame_removed_is_found(copy: Path, number: int) -> None:
    remux(copy / "annotated.mp4", without=number)
    time = f"{number * 2}.000"
    assert_found(checked(copy), f"annotated.mp4: frame {number} is not in it, expected at {time} ms")


def test_a_video_frame_at_another_time_is_found(copy: Path) -> None:
    remux(copy / "annotated.mp4", without=70, shift=1)
    assert_found(checked(copy), "annotated.mp4 frame 70 of the video: at 140.1", "where no frame belongs")


def test_another_video_is_found(copy: Path) -> None:
    write_video(copy / "annotated.mp4", FRAMES, size=(66, 48), rate=FAST)
    assert_found(checked(copy), "annotated.mp4 width: found 66, expected 64")


def test_a_video_whose_last_frame_is_damaged_is_found(copy: Path) -> None:
    damage(copy / "annotated.mp4", FRAMES - 1, filler=0)
    assert_found(checked(copy), "annotated.mp4: its last frame cannot be decoded")


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_a_video_cut_off_is_found(copy: Path, cut: int) -> None:
    path = copy / "annotated.mp4"
    path.write_bytes(path.read_bytes()[:-cut])
    assert_found(checked(copy), "annotated.mp4: is cut off")


@pytest.mark.parametrize("name", ["frames.csv", "detections.csv"])
def test_a_table_cut_off_is_found(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes()[:-9])
    assert_found(checked(copy), f"{name}: its last line is torn")


@pytest.mark.parametrize("name", ["frames.csv", "detections.csv", "annotated.mp4"])
def test_a_file_missing_is_found(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert_found(verify(copy), f"{name}: is missing")


def test_a_file_of_another_size_is_found(copy: Path) -> None:
    document = manifest(copy)
    document["files"] = {"frames.csv": {"bytes": 5, "sha256": ""}, "../run.json": {"bytes": 5, "sha256": ""}}
    write_manifest(copy, document)
    found = verify(copy)
    assert_found(found, "frames.csv: found", "bytes, expected 5")
    assert_found(found, "'../run.json' is no name of a file in the run directory")


@pytest.mark.parametrize("figure", ["latency", "result_latency", "service", "lateness", "age", "infer", "sink"])
@pytest.mark.parametrize("path", [("mean",), ("p50",), ("p95",), ("max",), ("upper", "p50"), ("upper", "p95")])
def test_a_figure_that_was_changed_by_a_microsecond_is_found(copy: Path, figure: str, path: tuple[str, ...]) -> None:
    document = manifest(copy)
    *groups, last = path
    block = document[f"{figure}_ms"]
    for group in groups:
        block = block[group]
    block[last] += 0.001
    write_manifest(copy, document)
    (reason,) = verify(copy).reasons[:1]
    assert reason.startswith(f"run.json {figure}_ms.{'.'.join(path)}: found {block[last]:.10g}, expected ")


def test_a_percentile_shown_too_soon_is_found(copy: Path) -> None:
    document = manifest(copy)
    assert document["latency_ms"]["p99"] is None
    document["latency_ms"]["p99"] = document["latency_ms"]["max"]
    write_manifest(copy, document)
    assert_found(verify(copy), "run.json latency_ms.p99: found", "expected null")


@pytest.mark.parametrize("name", ["scheduled", "delivered", "dropped", "abandoned", "late", "missed"])
def test_a_count_that_was_changed_is_found(copy: Path, name: str) -> None:
    document = manifest(copy)
    document["frames"][name] += 1
    write_manifest(copy, document)
    assert_found(verify(copy), f"run.json frames.{name}: found {document['frames'][name]}")


def test_the_omission_gap_is_the_ratio_of_the_figures(copy: Path) -> None:
    document = manifest(copy)
    ratio = document["result_latency_ms"]["p50"] / document["service_ms"]["p50"]
    document["omission_gap"] = {**dict.fromkeys(PERCENTILES), "p50": round(ratio, 4), "p90": 1.5}
    write_manifest(copy, document)
    found = verify(copy)
    assert not [reason for reason in found.reasons if "p50" in reason]
    assert_found(found, "run.json omission_gap.p90: found 1.5, expected")


@pytest.mark.parametrize(
    ("verdict", "error", "words"),
    [
        ("INVALID", None, ["found INVALID, but every scheduled frame has one row"]),
        ("FAILED", None, ["found FAILED, but error is null"]),
        ("VALID", "the engine failed", ["found VALID, but error is given"]),
        ("FINE", None, ["found 'FINE', expected one of VALID"]),
    ],
)
def test_a_verdict_that_does_not_fit_is_found(copy: Path, verdict: str, error: str | None, words: list[str]) -> None:
    write_manifest(copy, {**manifest(copy), "verdict": verdict, "error": error})
    assert_found(verify(copy), "run.json verdict:", *words)


def test_an_interrupted_run_can_be_a_valid_record(copy: Path) -> None:
    write_manifest(copy, {**manifest(copy), "verdict": "INTERRUPTED", "stopped_by": "SIGINT"})
    done = runs.streamer("verify", "run", cwd=copy.parent)
    assert (done.code, done.out.splitlines()[0]) == (0, "VALID (of an interrupted run)")


def test_the_end_of_a_failed_runs_video_may_be_missing(copy: Path) -> None:
    write_manifest(copy, {**manifest(copy), "verdict": "FAILED", "error": "disk full while writing annotated.mp4"})
    remux(copy / "annotated.mp4", without=FRAMES - 1)
    assert checked(copy).valid
    remux(copy / "annotated.mp4", without=5)
    assert_found(checked(copy), "annotated.mp4: frame 5 is not in it")


def test_a_run_that_did_not_finish_is_invalid(copy: Path, tmp_path: Path) -> None:
    (copy / "run.json").unlink()
    (tmp_path / "empty").mkdir()
    for directory in (copy, tmp_path / "empty"):
        assert verify(directory).reasons == ["no run.json: the run did not finish"]


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00", '{"run": 1}', "{}"])
def test_a_manifest_that_is_none_is_a_reason(copy: Path, text: str) -> None:
    (copy / "run.json").write_text(text)
    assert_found(verify(copy), "run.json")


def test_no_more_than_20_reasons_are_given_and_the_others_counted(copy: Path) -> None:
    header, *lines = table(copy / "frames.csv")
    write_table(copy / "frames.csv", [header, *([*line[:2], "0.000", *["1.000"] * 13, *line[16:]] for line in lines)])
    found = checked(copy)
    assert len(found.reasons) == 20
    assert found.more > FRAMES
    done = runs.streamer("verify", "run", cwd=copy.parent)
    assert done.out.splitlines()[0] == "INVALID"
    assert len(done.out.splitlines()) == 22
    assert done.out.splitlines()[-1] == f"and {found.more:,} more"


def leaves(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of all values in a document."""
    if isinstance(value, dict):
        return [path, *(leaf for name, one in value.items() for leaf in leaves(one, (*path, name)))]
    return [path]


@pytest.mark.slow
@pytest.mark.parametrize("streams", ["", [], {}, 3, [3]])
def test_a_manifest_without_the_facts_of_a_stream_is_found(copy: Path, streams: object) -> None:
    document = manifest(copy)
    document["streams"] = streams
    write_manifest(copy, document)
    assert any("streams: found" in reason for reason in verify(copy).reasons)


@pytest.mark.slow
def test_whatever_stands_in_the_manifest_there_is_no_traceback(waiting: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(waiting, tmp_path / "any"))
    whole = manifest(waiting)
    strange: list[Any] = [
        None,
        "",
        "x",
        "1/0",
        "-1",
        "1e-300",
        -1,
        0,
        1e308,
        1e400,
        -1e15,
        10**15,
        1 << 80,
        "1e999999999",
        "1/999999999999999999",
        True,
        [],
        {},
        [1],
        {"p50": "1"},
    ]

    @settings(max_examples=150, database=None)
    @given(st.sampled_from([path for path in leaves(whole) if path]), st.sampled_from(strange))
    @example(("frames", "scheduled"), 0)
    def check(path: tuple[str, ...], value: Any) -> None:
        document = json.loads(json.dumps(whole))
        group = document
        for name in path[:-1]:
            group = group[name]
        group[path[-1]] = value
        write_manifest(copy, document)
        verify(copy)

    check()


@pytest.mark.parametrize(("latency", "shown"), [(5e14, "about 10^314"), (-5e14, "about -10^314")])
def test_a_figure_that_is_too_large_for_a_float_is_reported_as_a_power_of_ten(
    latency: float, shown: str, waiting: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(waiting, tmp_path / "large"))
    document = manifest(copy)
    document["result_latency_ms"]["p50"], document["service_ms"]["p50"] = latency, 1e-300
    write_manifest(copy, document)
    assert any("omission_gap.p50" in reason and shown in reason for reason in verify(copy).reasons)


def test_a_live_run_that_is_longer_than_a_float_can_say_is_unreadable(waiting: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(waiting, tmp_path / "long"))
    document = manifest(copy)
    document["run"]["duration_s"] = 1e12
    document["streams"][0]["live"] = True
    write_manifest(copy, document)
    assert any("ticks of the camera" in reason for reason in verify(copy).reasons)


def test_whatever_stands_in_the_tables_there_is_no_traceback(waiting: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(waiting, tmp_path / "any"))
    (copy / "annotated.mp4").unlink()

    @settings(max_examples=100, database=None)
    @given(st.sampled_from(["frames.csv", "detections.csv"]), st.integers(0, 9999), st.binary(min_size=1, max_size=9))
    def check(name: str, at: int, junk: bytes) -> None:
        content = (waiting / name).read_bytes()
        at %= len(content)
        (copy / name).write_bytes(content[:at] + junk + content[at + len(junk) :])
        found = verify(copy)
        (copy / name).write_bytes(content)
        assert not found.valid

    check()


def blurred(values: Iterable[int], share: float) -> dict[str, Any]:
    """A figure's block, percentiles and maximum too high by a ``share``; for values enough for all."""
    ordered = np.sort(np.fromiter(values, np.int64))
    n = len(ordered)

    def high(us: float) -> float:
        return round(us * (1 + share)) / 1000

    ranks = {name: (own_nearest_rank(n, p), own_bound_rank(n, p)) for name, p in PERCENTILES.items()}
    return {
        "n": n,
        "mean": round(int(ordered.sum()) / n / 1000, 6),
        **{name: high(ordered[rank - 1]) for name, (rank, _) in ranks.items()},
        "max": high(ordered[-1]),
        "upper": {name: high(ordered[rank - 1]) for name, (_, rank) in ranks.items()},
    }


@pytest.fixture
def long_run(replay: Replay, tmp_path: Path) -> Callable[[float], Path]:
    """A made-up run of 20,000 frames at 100 a second, its percentiles too high by a share."""
    directory = Path(shutil.copytree(replay(frames=11, fps=100, policy=None, video=Video.NONE), tmp_path / "long"))
    document = older(manifest(directory))
    count, random = 20_000, np.random.default_rng(5)
    steps = np.cumsum(random.lognormal(6, 0.6, (count, 8)).astype(np.int64) + 1, axis=1)
    steps[:, 7] = steps[:, 6]  # without a video, a result is written when the sink has it
    due = np.arange(count, dtype=np.int64) * 10_000
    stamps = due[:, None] + steps
    derived = np.stack([steps[:, 0], steps[:, 5] - steps[:, 1], steps[:, 5], steps[:, 7]], axis=1)
    late = derived[:, 3] > 10_000
    lines = np.concatenate([due[:, None], due[:, None], stamps, derived], axis=1).tolist()
    write_table(
        directory / "frames.csv",
        [
            table(directory / "frames.csv")[0],
            *(
                [0, frame, *(f"{us / 1000:.3f}" for us in line), "delivered", "", int(late[frame]), 0]
                for frame, line in enumerate(lines)
            ),
        ],
    )
    write_table(directory / "detections.csv", table(directory / "detections.csv")[:1])
    number = int(late.sum())
    document["frames"].update(scheduled=count, delivered=count, dropped=0, late=number, missed=number)
    document["source"]["fps"] = document["run"]["fps"] = "100"
    document["streams"][0].update(fps="100", scheduled=count, delivered=count)
    document["run"].update(schedule="fps", deadline_ms=10.0)

    def write(share: float) -> Path:
        kinds: dict[str, Iterable[int]] = {
            "latency": derived[:, 3],
            "result_latency": derived[:, 2],
            "service": derived[:, 1],
            "lateness": derived[:, 0],
            "preprocess_start": steps[:, 1],
            "preprocess": steps[:, 2] - steps[:, 1],
            "infer": steps[:, 4] - steps[:, 3],
            "postprocess": steps[:, 5] - steps[:, 4],
            "sink": steps[:, 7] - steps[:, 6],
            "age": followed(due.tolist(), due.tolist(), stamps[:, 5].tolist()),
        }
        document.update({f"{name}_ms": blurred(values, share) for name, values in kinds.items()})
        document["omission_gap"] = None
        document["run"]["percentiles"] = "histogram" if share else "exact"
        write_manifest(directory, document)
        return directory

    return write


def test_exact_figures_of_a_long_run_are_valid(long_run: Callable[[float], Path]) -> None:
    assert checked(long_run(0)).reasons == []


def test_figures_of_a_histogram_are_compared_to_within_a_thousandth(long_run: Callable[[float], Path]) -> None:
    directory = long_run(0.0008)
    assert checked(directory).reasons == []
    document = manifest(directory)
    document["run"]["percentiles"] = "exact"
    write_manifest(directory, document)
    assert_found(verify(directory), "run.json latency_ms.p99:")
    assert_found(checked(long_run(0.003)), "run.json latency_ms.p99:")
    document = manifest(long_run(0.0008))
    document["latency_ms"]["mean"] += 0.001
    write_manifest(directory, document)
    assert_found(checked(directory), "run.json latency_ms.mean:")


def followed(ticks: list[int], scheduled: list[int], detected: list[int]) -> list[int]:
    """The ages as streamer's own meter follows them."""
    found: list[int] = []
    meter = AgeMeter(found.append)
    for tick in sorted(ticks):
        meter.tick(tick)
    for due, instant in zip(scheduled, detected, strict=True):
        meter.detected(due, instant)
    meter.finish()
    return found


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 400)), max_size=60), st.lists(st.integers(0, 900)))
def test_age_agrees_with_the_meter(frames: list[tuple[int, int]], ticks: list[int]) -> None:
    scheduled = [due for due, _ in frames]
    detected = [due + took for due, took in frames]
    found = ages(
        *(np.array(sorted(ticks) if one is ticks else one, np.int64) for one in (ticks, scheduled, detected))
    )
    assert found.tolist() == followed(ticks, scheduled, detected)


@given(st.integers(1, 3_000_000), st.sampled_from(sorted(PERCENTILES)))
def test_ranks_agree_with_streamers_own(n: int, name: str) -> None:
    assert percentile_rank(n, name) == own_nearest_rank(n, PERCENTILES[name])
    if n >= FRAMES_NEEDED[name]:
        assert bound_rank(n, name) == own_bound_rank(n, PERCENTILES[name])


def test_the_frames_that_a_percentile_needs_are_those_of_the_rule() -> None:
    assert {name: frames_needed(p) for name, p in PERCENTILES.items()} == FRAMES_NEEDED


@given(st.lists(st.integers(0, 10**7)), st.fractions(Fraction(1, 1000), 10_000, max_denominator=10_000))
def test_instants_are_rounded_to_the_nearest(numbers: list[int], rate: Fraction) -> None:
    assert instants(numbers, rate).tolist() == [round(number * 1_000_000 / rate) for number in numbers]


def test_nothing_is_shared_with_the_code_that_writes_the_figures() -> None:
    for path in (ROOT / "streamer" / "verify").glob("*.py"):
        imported = {line.split()[1] for line in path.read_text().splitlines() if line.startswith("from streamer")}
        # streamer.vendors.pyav only makes PyAV's versions alike.
        alike = {"streamer.errors", "streamer.vendors.pyav"}
        assert all(name in alike or name.startswith("streamer.verification") for name in imported), (
            f"{path}: {imported}"
        )


def test_the_command_says_valid_and_what_was_checked(waiting: Path, tmp_path: Path) -> None:
    done = runs.streamer("verify", waiting, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first == "VALID"
    assert second.startswith(f"checked {FRAMES} rows, 10 figures, ")
    assert f"{FRAMES} video frames" in second


def test_the_command_prints_json(copy: Path) -> None:
    (copy / "frames.csv").unlink()
    done = runs.streamer("verify", copy, "--json", cwd=copy)
    document = json.loads(done.out)
    assert done.code == 3
    assert set(document) == {"verdict", "checked", "hashed", "reasons"}
    assert document["verdict"] == "INVALID"
    assert "frames.csv: is missing" in document["reasons"]


def test_what_is_no_directory_is_a_usage_error(copy: Path) -> None:
    done = runs.streamer("verify", "nowhere", cwd=copy)
    assert (done.code, done.error) == (2, "no such directory: nowhere")
    with pytest.raises(UsageError, match=r"run\.json is no directory"):
        verify(copy / "run.json")
