"""The parity command: which engines agree with the reference, how far, and how well they fit ground truth."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.detection.postprocess import Postprocess
from streamer.detection.preprocess import Preprocess
from streamer.engines.base import Engine
from streamer.engines.null import NullEngine
from streamer.engines.openvino import devices
from streamer.engines.registry import open_engine
from streamer.engines.spec_parser import parse_spec
from streamer.engines.variants import TUTORIAL, VARIANTS, EngineSpec
from streamer.errors import SourceError, UsageError
from streamer.models.find import find_model
from streamer.models.model import Model
from streamer.studies import frames as studied_frames
from streamer.studies.engine_choice import requested_engines
from streamer.studies.frames import ChosenFrames
from streamer.studies.parity.parity_csv import HEADER
from tests import runs
from tests.runs import COCO_MODEL, FOOTAGE, ROOT, Finished, environment, needs_bundled, needs_shared, read_until
from tests.videos import number_of, write_video

Parity = Callable[..., Finished]

REFERENCE = "ir,precision=f32"
"""The tiny model has no ONNX file."""
PERSON_AND_CAR = ([12, 12, 16, 16], [34, 28, 20, 24])
"""What the tiny model sees, as left, top, width and height."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight bright frames of 64x64, in which the tiny model is sure of both of its objects."""
    white = [np.full((64, 64, 3), 235, np.uint8)] * 8
    return write_video(tmp_path_factory.mktemp("clips") / "bright.mp4", white, size=(64, 64))


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """What the tiny model sees in each of the eight frames is there, and a zebra that it does not know."""
    return write_truth(tmp_path / "truth.json", frames=8)


def write_truth(path: Path, *, frames: int) -> Path:
    objects = (*zip((1, 3), PERSON_AND_CAR, strict=True), (24, [0, 0, 9, 9]))
    document = {
        "images": [{"id": frame, "width": 64, "height": 64} for frame in range(frames)],
        "categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}, {"id": 24, "name": "zebra"}],
        "annotations": [
            {"id": 3 * frame + number, "image_id": frame, "category_id": category, "bbox": box}
            for frame in range(frames)
            for number, (category, box) in enumerate(objects)
        ],
    }
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def parity(clip: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parity:
    """``streamer parity`` in this process, of the clip with the tiny model; later options override earlier ones."""

    def parity(*more: str | Path, source: str | Path = clip) -> Finished:
        monkeypatch.setenv("COLUMNS", "200")
        return runs.streamer("parity", source, "--model", tiny_model, "--out", "out", *more, cwd=tmp_path)

    return parity


def table(directory: Path) -> dict[str, dict[str, str]]:
    """The rows of ``parity.csv`` by engine."""
    text = (directory / "parity.csv").read_text(encoding="utf-8")
    assert text.startswith(HEADER + "\n")
    assert text.endswith("\n")
    rows = {row["engine"]: row for row in csv.DictReader(text.splitlines())}
    assert len(rows) == len(text.splitlines()) - 1, "an engine has two rows"
    return rows


def test_an_engine_that_sees_the_same_agrees(parity: Parity, tmp_path: Path) -> None:
    done = parity("--engine", "ir", "--engine", "ir-auto-shared")
    assert (done.code, done.err) == (0, "")
    rows = table(tmp_path / "out")
    assert list(rows) == [REFERENCE, "ir", "ir-auto-shared"]
    assert rows[REFERENCE]["verdict"] == "reference"
    assert rows[REFERENCE]["precision"] == "f32"
    assert rows[REFERENCE]["agreement"] == ""
    for name in ("ir", "ir-auto-shared"):
        row = rows[name]
        assert (row["verdict"], row["devices"], row["why"]) == ("agrees", "CPU", "")
        # Two objects in each of eight frames, compared in both directions.
        assert (row["frames"], row["detections"], row["compared"]) == ("8", "16", "32")
        assert {float(row[column]) for column in ("agreement", "agreement_there", "agreement_back")} == {1}
        assert float(row["box_px_max"]) < 0.5
        assert float(row["confidence_max"]) < 0.02
        assert row["map50"] == row["objects"] == ""
    assert f"2 of 2 agree with {REFERENCE} (1.000)." in done.out
    assert "no mAP" in done.out
    assert "--truth FILE" in done.out


def sixteen_bits() -> bool:
    """Whether the CPU plugin computes in 16 bits of its own accord here."""
    from streamer.vendors.openvino_quiet import ov

    capabilities: list[str] = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return bool({"BF16", "FP16"} & set(capabilities))


@pytest.mark.skipif(set(devices()) != {"CPU"}, reason="AUTO has more than a CPU here")
def test_engines_with_the_same_configuration_are_called_the_same(parity: Parity, tmp_path: Path) -> None:
    specs = ("ir", "ir-auto", "ir-auto-shared", "ir-auto,shared=on")
    done = parity(*(word for spec in specs for word in ("--engine", spec)))
    assert done.code == 0
    rows = table(tmp_path / "out")
    # On a processor without 16-bit arithmetic the default precision is the reference's.
    like_the_reference = {} if sixteen_bits() else {"ir": REFERENCE, "ir-auto": REFERENCE}
    same_as = {"ir-auto": "ir", "ir-auto,shared=on": "ir-auto-shared", **like_the_reference}
    assert {name: row["same_as"] for name, row in rows.items()} == {
        name: same_as.get(name, "") for name in (REFERENCE, *specs)
    }
    printed = [line.strip() for line in done.out.splitlines() if "same as" in line]
    found = [words.partition("agrees, ")[2] for words in printed]
    assert found == [f"same as {same_as[name]}" for name in specs if name in same_as]


def test_an_engine_that_sees_something_else_disagrees_and_the_exit_code_is_3(parity: Parity, tmp_path: Path) -> None:
    done = parity("--engine", "null", "--engine", "ir")
    assert done.code == 3
    row = table(tmp_path / "out")["null"]
    assert (row["verdict"], float(row["agreement"])) == ("disagrees", 0)
    assert row["box_px_mean"] == "", "there is no pair whose boxes could differ"
    assert f"1 of 2 agree with {REFERENCE} (1.000); null (0.000) disagrees." in done.out


def test_the_least_agreement_is_an_option(parity: Parity, tmp_path: Path) -> None:
    done = parity("--engine", "null", "--min-agreement", "0")
    assert done.code == 0
    assert table(tmp_path / "out")["null"]["verdict"] == "agrees"


def test_ground_truth_gives_each_engine_its_average_precision(parity: Parity, truth: Path, tmp_path: Path) -> None:
    done = parity("--engine", "ir", "--engine", "null", "--truth", truth)
    rows = table(tmp_path / "out")
    for name in (REFERENCE, "ir"):
        assert (rows[name]["objects"], rows[name]["map50"], rows[name]["map50_95"]) == ("16", "1.0", "1.0")
    assert (rows["null"]["objects"], rows["null"]["map50"]) == ("16", "0.0")
    assert "without zebra, which the model does not know (8 objects)" in done.out


def test_average_precision_counts_what_is_below_the_confidence_shown(
    parity: Parity, truth: Path, tmp_path: Path
) -> None:
    parity("--engine", "ir", "--truth", truth, "--conf", "0.95")
    row = table(tmp_path / "out")["ir"]
    assert (row["detections"], row["verdict"], row["map50"]) == ("0", "unchecked", "1.0")


def test_without_detections_engines_are_unchecked(parity: Parity, tmp_path: Path) -> None:
    dark = write_video(tmp_path / "dark.mp4", [np.zeros((64, 64, 3), np.uint8)] * 3, size=(64, 64))
    done = parity("--engine", "ir", source=dark)
    assert done.code == 3, "what was not checked has not been passed"
    row = table(tmp_path / "out")["ir"]
    assert (row["verdict"], row["compared"], row["agreement"]) == ("unchecked", "0", "")
    assert "nothing was found by which to compare ir" in done.out


def test_json_is_the_same_and_nothing_else_is_on_standard_output(parity: Parity, truth: Path, tmp_path: Path) -> None:
    done = parity("--engine", "ir", "--engine", "null", "--engine", "pytorch", "--truth", truth, "--json")
    assert (done.code, done.err) == (3, "")
    document: dict[str, Any] = json.loads(done.out)
    assert (document["reference"], document["min_agreement"], document["interrupted"]) == (REFERENCE, 0.9, False)
    assert document["truth"] == str(truth)
    assert document["answer"].startswith("1 of 3 agree with")
    rows = table(tmp_path / "out")
    for engine in document["engines"]:
        per_class = engine.pop("per_class")
        assert {name: "" if value is None else str(value) for name, value in engine.items()} == rows[engine["engine"]]
        if engine["engine"] == "ir":
            assert per_class == {name: {"objects": 8, "ap50": 1, "ap50_95": 1} for name in ("person", "car")}


def test_an_engine_that_cannot_run_is_a_row_that_says_why_and_the_others_go_on(
    parity: Parity, tmp_path: Path
) -> None:
    done = parity("--engine", "pytorch", "--engine", "onnx", "--engine", "ir")
    assert done.code == 0
    rows = table(tmp_path / "out")
    assert [row["verdict"] for row in rows.values()] == ["reference", "unavailable", "unavailable", "agrees"]
    assert rows["onnx"]["why"]
    assert f"onnx: {rows['onnx']['why']}" in done.out
    assert "1 of 3 agree" in done.out
    assert "; 2 unavailable." in done.out


def test_when_no_engine_can_run_it_is_an_error(parity: Parity, tmp_path: Path) -> None:
    done = parity("--engine", "onnx")
    assert done.code == 1
    assert f"nothing to compare {REFERENCE} with" in done.error
    assert table(tmp_path / "out")["onnx"]["verdict"] == "unavailable"


def test_an_engine_that_fails_on_a_frame_is_a_row_that_names_the_frame(
    parity: Parity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = iter(range(2))

    def pause(_: float) -> None:
        if next(served, None) is None:
            raise RuntimeError("the device went away")

    def opening(spec: EngineSpec, model: Model) -> Engine:
        return NullEngine(spec, model, pause) if spec.variant == "null" else open_engine(spec, model)

    monkeypatch.setattr("streamer.studies.offline_detector.open_engine", opening)
    assert parity("--engine", "null,delay_ms=1", "--engine", "ir").code == 0
    row = table(tmp_path / "out")["null,delay_ms=1"]
    assert (row["verdict"], row["why"]) == ("unavailable", "it failed at frame 2: the device went away")


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--engine", "ir", "--engine", "warp"], 2, "unknown engine 'warp'"),
        (["--engine", "ir", "--engine", "ir,FOO=1"], 2, "no property FOO"),
        (["--engine", "ir", "--reference", "warp"], 2, "unknown engine 'warp'"),
        (["--engine", "ir", "--engines", "all"], 2, "give one of the two"),
        (["--engines", "some"], 2, "'tutorial', 'all'"),
        (["--engine", "ir", "--reference", "ir"], 2, "ir is the reference itself"),
        (["--engine", "ir", "--reference", "onnx"], 1, "the reference cannot run here: onnx"),
        (["--frames", "0"], 2, "--frames 0: give 1 or more"),
        (["--min-agreement", "90"], 2, "give a share from 0 to 1"),
        (["--conf", "0"], 2, "--conf 0.0"),
        (["--iou", "2"], 2, "--iou 2.0"),
        (["--truth", "none.json"], 2, "cannot read none.json"),
        (["--truth", "broken.json"], 1, "broken.json is not JSON"),
        (["--truth", "short.json"], 2, "frame 5 of"),
        (["--model", "nobody"], 2, "no such model: nobody"),
        (["--out", "occupied"], 2, "not empty"),
    ],
)
def test_what_makes_no_sense_is_one_line_and_nothing_is_written(
    options: list[str], code: int, says: str, parity: Parity, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_text("{")
    write_truth(tmp_path / "short.json", frames=5)
    (tmp_path / "occupied").mkdir()
    (tmp_path / "occupied" / "mine.txt").write_text("mine")
    done = parity(*options)
    assert (done.code, done.out) == (code, "")
    assert says in done.error
    assert not (tmp_path / "out").exists()
    assert [path.name for path in (tmp_path / "occupied").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("source", ["camera:0", "rtsp://me:secret@host/stream", "HTTP://host/clip.mp4"])
def test_a_live_source_is_refused_because_it_shows_no_frame_twice(source: str, parity: Parity) -> None:
    done = parity("--engine", "ir", source=source)
    assert done.code == 2
    assert "live and shows no frame twice" in done.error
    assert "secret" not in done.err


def test_a_file_that_is_not_there_is_a_usage_error(parity: Parity) -> None:
    done = parity(source="none.mp4")
    assert (done.code, done.error) == (2, "no such file: none.mp4")


def test_without_out_a_new_directory_is_named_after_the_source(parity: Parity, tmp_path: Path, clip: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "parity.csv").write_text("old")
    assert parity("--engine", "ir").code == 2
    assert parity("--engine", "ir", "--overwrite", "--quiet") == Finished(0, "", "")
    assert list(table(tmp_path / "out")) == [REFERENCE, "ir"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["parity.csv"], "something else is left"
    command = ("parity", clip, "--engine", "null", "--reference", "null,delay_ms=1", "--model", "street")
    if not (ROOT / "models" / "street" / "model.onnx").is_file():
        pytest.skip("the bundled model is not trained yet")
    assert runs.streamer(*command, cwd=tmp_path).code == 0
    (directory,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"\d{8}T\d{6}Z-bright-parity", directory.name)


def test_an_engine_named_twice_runs_once_and_one_refined_is_another(parity: Parity, tmp_path: Path) -> None:
    parity("--engine", "ir", "--engine", "ir", "--engine", "ir,threads=1", "--engine", REFERENCE)
    assert list(table(tmp_path / "out")) == [REFERENCE, "ir", "ir,threads=1"]


def test_the_groups_are_the_tutorials_seven_and_all_but_null() -> None:
    assert [spec.spec for spec in requested_engines((), "tutorial")] == list(TUTORIAL)
    everyone = [name for name in VARIANTS if name != "null"]
    assert [spec.spec for spec in requested_engines((), "all")] == everyone
    assert requested_engines((), None) == requested_engines((), "all")
    assert requested_engines((parse_spec("null"),), None) == (parse_spec("null"),)
    with pytest.raises(UsageError, match="give one of the two"):
        requested_engines((parse_spec("null"),), "all")


@pytest.mark.parametrize("kept", [True, False])
def test_frames_are_spread_evenly_and_the_same_in_each_round(
    kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kept:
        monkeypatch.setattr(studied_frames, "KEPT_BYTES", 0)
    chosen = ChosenFrames(str(write_video(tmp_path / "clip.mp4", 50)), 8)
    assert chosen.indices == (0, 6, 12, 18, 25, 31, 37, 43)
    rounds = [[(frame.index, number_of(frame.image)) for frame in chosen] for _ in range(2)]
    assert rounds[0] == rounds[1] == [(index, index) for index in chosen.indices]


def test_meanwhile_is_called_for_each_picture_that_is_read(tmp_path: Path) -> None:
    chosen = ChosenFrames(str(write_video(tmp_path / "clip.mp4", 50)), 2)
    read: list[None] = []
    chosen.meanwhile = lambda: read.append(None)
    assert [frame.index for frame in chosen] == [0, 25]
    assert len(read) == 26


def test_a_source_shorter_than_requested_gives_all_its_frames_and_an_endless_one_the_first(tmp_path: Path) -> None:
    assert ChosenFrames(str(write_video(tmp_path / "clip.mp4", 5)), 100).indices == (0, 1, 2, 3, 4)
    assert ChosenFrames("synthetic:street", 4).indices == (0, 1, 2, 3)


def test_a_frame_that_cannot_be_decoded_is_left_out_for_every_engine(parity: Parity, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((64, 64, 3), 235, np.uint8))
    (folder / "2.png").write_bytes(b"no image")
    done = parity("--engine", "ir", source=folder)
    assert done.code == 0
    assert {row["frames"] for row in table(tmp_path / "out").values()} == {"3"}
    why = "is not an image that can be decoded: save it again"
    assert f'left out     1 of the 4 frames chosen could not be decoded (1 "{why}")' in done.out
    again = parity("--engine", "ir", "--json", "--overwrite", source=folder)
    assert json.loads(again.out)["frames"] == {
        "source": 4,
        "chosen": 4,
        "compared": 3,
        "decode_errors": {"reasons": [{"reason": why, "frames": 1, "stream": 0, "frame": 2}], "others": 0},
        "missing": 0,
    }
    chosen = ChosenFrames(str(folder), 4)
    chosen.indices = (2,)
    with pytest.raises(SourceError, match="can be decoded"):
        list(chosen)


def test_the_number_of_frames_chosen_is_shown_unless_all_were(parity: Parity) -> None:
    assert "frames       3 of 8, spread evenly" in parity("--engine", "ir", "--frames", "3").out
    assert "\nframes " not in parity("--engine", "ir", "--overwrite").out, "all of them were"
    endless = parity("--engine", "ir", "--frames", "2", "--overwrite", source="synthetic:street,width=64,height=64")
    assert "frames       the first 2 of a source without an end" in endless.out


def test_frames_of_a_source_that_ends_early_are_counted_as_missing(clip: Path) -> None:
    chosen = ChosenFrames(str(clip), 8)
    chosen.indices = (0, 7, 8, 9)
    assert [frame.index for frame in chosen] == [0, 7]
    assert (chosen.decoded, chosen.missing) == (2, 2)


@pytest.fixture
def photographs(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of bright images of many sizes, and the truth of them: what the tiny model sees in each."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    document: dict[str, Any] = {
        "images": [{"id": 99, "width": 10, "height": 10, "file_name": "elsewhere.jpg"}],
        "categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}],
        "annotations": [],
    }
    for number, side in enumerate((64, 128, 256, 32)):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((side, side, 3), 235, np.uint8))
        document["images"].append({"id": number, "width": side, "height": side, "file_name": f"{number}.png"})
        document["annotations"] += [
            {"image_id": number, "category_id": category, "bbox": [pixels * side / 64 for pixels in box]}
            for category, box in zip((1, 3), PERSON_AND_CAR, strict=True)
        ]
    document["annotations"].append({"image_id": 2, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1})
    truth = tmp_path / "photographs.json"
    truth.write_text(json.dumps(document))
    return folder, truth


@pytest.mark.parametrize("kept", [True, False])
def test_each_image_of_a_folder_is_scored_at_its_own_size(
    kept: bool, parity: Parity, photographs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, truth = photographs
    if not kept:  # the first image is small: by its size more frames would be kept than fit
        monkeypatch.setattr(studied_frames, "KEPT_BYTES", 4 * 64 * 64 * 3)
    done = parity("--engine", "ir", "--truth", truth, source=folder)
    assert done.code == 0, done.err
    row = table(tmp_path / "out")["ir"]
    assert (row["frames"], row["objects"], row["map50"], row["map50_95"]) == ("4", "8", "1.0", "1.0")
    assert "1 crowd in the frames compared count neither way; 1 image of it not in the source" in done.out


def test_parts_of_the_truth_that_do_not_count_are_in_the_document(
    parity: Parity, truth: Path, photographs: tuple[Path, Path]
) -> None:
    options = ("--engine", "ir", "--json", "--overwrite")
    assert json.loads(parity(*options).out)["truth_left_out"] is None
    of_clip = json.loads(parity(*options, "--truth", truth, "--frames", "4").out)
    assert of_clip["truth_left_out"] == {"labels": ["zebra"], "objects": 4, "crowds": 0, "images": 0}
    assert (of_clip["frames"]["source"], of_clip["frames"]["compared"]) == (8, 4)
    of_folder = json.loads(parity(*options, "--truth", photographs[1], source=photographs[0]).out)
    assert of_folder["truth_left_out"] == {"labels": [], "objects": 0, "crowds": 1, "images": 1}


def test_an_image_that_has_another_size_in_the_truth_is_refused_before_anything_runs(
    parity: Parity, photographs: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, truth = photographs
    truth.write_text(truth.read_text().replace('"width": 256', '"width": 640'))
    done = parity("--engine", "ir", "--truth", truth, source=folder)
    assert done.code == 2
    assert "frame 2 of" in done.error
    assert "is 256x256, but 640x256 in photographs.json: give the truth of this source" in done.error
    assert not (tmp_path / "out").exists()


def interrupted(clip: Path, tiny_model: Path, cwd: Path, number: signal.Signals, *more: str) -> Finished:
    """The command at a terminal, with a signal once the engine after ``ir`` has shown that its first frame is done.

    Returns the lines of standard error that are no progress bars.
    """
    slow = ("--engine", "ir", "--engine", "null,delay_ms=500", "--model", str(tiny_model), "--out", "out", *more)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "streamer", "parity", str(clip), *slow],
        cwd=cwd,
        env=environment({"TERM": "xterm", "COLUMNS": "100"}),
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as process:
        os.close(theirs)
        shown = read_until(ours, b"null,delay_ms=500")
        process.send_signal(number)
        shown += read_until(ours, None)
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    bar = re.compile(r"(onnx|ir|null)\S* .*%.*")
    lines = [line.strip() for line in re.split(r"[\r\n]+", plain) if line.strip() and not bar.match(line.strip())]
    return Finished(process.returncode, out, "\n".join(lines))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_what_was_finished_is_kept_and_shown(
    number: signal.Signals, code: int, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    done = interrupted(clip, tiny_model, tmp_path, number)
    assert (done.code, done.err) == (code, "")
    assert list(table(tmp_path / "out")) == [REFERENCE, "ir"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["parity.csv"]
    assert "1 of 2 agree with" in done.out
    assert "1 not reached." in done.out


def test_json_of_an_interrupted_study_says_so(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    done = interrupted(clip, tiny_model, tmp_path, signal.SIGINT, "--json")
    document = json.loads(done.out)
    assert done.code == 130
    assert document["interrupted"] is True
    assert [engine["engine"] for engine in document["engines"]] == [REFERENCE, "ir"]


def test_progress_is_shown_on_a_terminal(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    slow = ("--engine", "null,delay_ms=60", "--model", str(tiny_model), "--out", "out")
    with subprocess.Popen(
        [sys.executable, "-m", "streamer", "parity", str(clip), *slow],
        cwd=tmp_path,
        env=environment({"TERM": "xterm"}),
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = read_until(ours, None)
        out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert b"null,delay_ms=60" in shown
    assert b"%" in shown
    assert b"disagrees" in out


@pytest.mark.slow
@needs_bundled
def test_the_bundled_model_is_scored_as_pycocotools_scores_it_from_the_clips_own_file(
    parity: Parity, tmp_path: Path
) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    source = ROOT / "samples" / "street.mp4"
    parity("--engine", "onnx", "--model", "street", "--frames", "6", source=source)
    row = table(tmp_path / "out")["onnx,precision=f32"]
    model = find_model("street")
    engine = open_engine(parse_spec("onnx,precision=f32"), model)
    engine.read()
    engine.compile()
    (request,) = engine.requests
    preprocess = Preprocess(model.signature.picture_port, model.input_size, model.input)
    postprocess = Postprocess(model.decoder(), 0.001, 0.7)
    results = []
    images = [0, 120, 240, 360, 480, 600]
    for frame in ChosenFrames(str(source), 6):
        place = preprocess(frame.image, np.asarray(request.input))
        found = postprocess(request.infer(), place)
        results += [
            {"image_id": frame.index, "category_id": class_id, "score": score, "bbox": [x, y, right - x, low - y]}
            for class_id, score, (x, y, right, low) in zip(
                found.class_id.tolist(), found.confidence.tolist(), found.xyxy.tolist(), strict=True
            )
        ]
    engine.close()
    truth = COCO(str(ROOT / "samples" / "street.json"))
    evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
    evaluation.params.imgIds = images
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert int(row["objects"]) == len(truth.getAnnIds(imgIds=images)) > 30
    assert float(row["map50"]) == pytest.approx(evaluation.stats[1], abs=1e-4)
    assert float(row["map50_95"]) == pytest.approx(evaluation.stats[0], abs=1e-4)
    assert float(row["map50"]) > 0.85


@pytest.mark.slow
@needs_bundled
def test_the_synthetic_street_is_scored_by_itself(parity: Parity, tmp_path: Path) -> None:
    done = parity("--engine", "ir", "--model", "street", "--frames", "4", source="synthetic:street,seed=21")
    assert done.code == 0
    row = table(tmp_path / "out")["ir"]
    assert float(row["agreement"]) > 0.95
    assert float(row["map50"]) > 0.7
    assert int(row["compared"]) > 20


@pytest.mark.slow
@needs_shared
def test_engines_agree_on_real_footage(parity: Parity, tmp_path: Path) -> None:
    engines = ("--engine", "onnx", "--engine", "ir-auto-shared", "--engine", "ir-graph")
    done = parity(*engines, "--model", COCO_MODEL, "--frames", "8", "--min-agreement", "0.95", source=FOOTAGE)
    assert done.code == 0
    rows = table(tmp_path / "out")
    assert next(iter(rows)) == "onnx,precision=f32"
    for name in ("onnx", "ir-auto-shared", "ir-graph"):
        assert rows[name]["verdict"] == "agrees"
        assert int(rows[name]["compared"]) > 50
