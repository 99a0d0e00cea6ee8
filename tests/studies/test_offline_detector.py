"""Scoring runs: the detections of the reference offline, agreement with it, and accuracy by ground truth or by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import streamer
from streamer.detection.detections import Detections, no_detections
from streamer.errors import UsageError
from streamer.ledger.record import FrameRecord, Outcome
from streamer.models.find import find_model
from streamer.models.model import Model
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.studies.compare import accuracy
from streamer.studies.compare.accuracy import RunToScore, Scored, Scoring, run_to_score
from streamer.studies.frames import ChosenFrames
from streamer.studies.offline_detector import TRUTH_CONFIDENCE, agreement_of, as_truth
from streamer.studies.reference import most_exact
from tests.runs import needs_bundled
from tests.videos import write_video

REFERENCE = "ir,precision=f32"
"""The tiny model has no ONNX file."""
OBJECTS = np.array([[12, 12, 28, 28], [34, 28, 54, 52]], np.float32)
"""The person and the car that the tiny model sees in every bright picture."""
WHITE, BLACK = (np.full((64, 64, 3), level, np.uint8) for level in (235, 16))


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Model:
    return find_model(str(tiny_model))


@pytest.fixture(scope="module")
def blinking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures, bright and dark by turns."""
    return write_video(tmp_path_factory.mktemp("clips") / "blinking.mp4", [WHITE, BLACK] * 2, size=(64, 64))


@pytest.fixture(scope="module")
def bright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 bright pictures."""
    return write_video(tmp_path_factory.mktemp("clips") / "bright.mp4", [WHITE] * 120, size=(64, 64))


def write_truth(path: Path, frames: int) -> Path:
    """Both objects are in each frame, and a zebra that the model does not know."""
    boxes = [(1, [12, 12, 16, 16]), (3, [34, 28, 20, 24]), (24, [0, 0, 9, 9])]
    document = {
        "images": [{"id": frame} for frame in range(frames)],
        "categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}, {"id": 24, "name": "zebra"}],
        "annotations": [
            {"image_id": frame, "category_id": category, "bbox": box}
            for frame in range(frames)
            for category, box in boxes
        ],
    }
    path.write_text(json.dumps(document))
    return path


def both(confidence: float = 0.8) -> Detections:
    return Detections(OBJECTS, np.full(2, confidence, np.float32), np.array([0, 1], np.int32))


def ran(
    frames: int,
    found: Callable[[int], Detections],
    lost: Sequence[int] = (),
    outcome: Outcome = Outcome.DROPPED,
    null: bool = False,
) -> RunToScore:
    """A run at 25 fps, each frame detected within 5 ms, except those that were ``lost``."""
    records = []
    for frame in range(frames):
        due = 40_000 * frame
        record = FrameRecord(0, frame, due, due, outcome=outcome)
        if frame not in lost:
            record.detected, record.outcome = due + 5000, Outcome.DELIVERED
        records.append(record)
    # As it is read from detections.csv: a frame in which nothing was found is not there.
    everything = {frame: found(frame) for frame in range(frames) if frame not in lost}
    return RunToScore(records, {frame: one for frame, one in everything.items() if len(one)}, null)


def blink(frame: int) -> Detections:
    """What there is to see in the blinking clip, and again when it starts again."""
    return no_detections() if frame % 2 else both()


def score(study: Scoring, *runs: RunToScore) -> tuple[list[Scored], int]:
    """The scores, and the number of steps."""
    steps: list[None] = []
    scored = study.score(runs, lambda: steps.append(None))
    return scored, len(steps)


def test_without_truth_a_run_is_scored_against_the_reference_offline(blinking: Path, model: Model) -> None:
    study = Scoring(str(blinking), model, Settings(), 4)
    (scored,), steps = score(study, ran(4, blink))
    assert study.reference.spec == REFERENCE
    assert steps == study.steps == 4
    assert scored.agreement is not None
    assert (scored.agreement.frames, scored.agreement.compared, scored.agreement.smaller) == (4, 8, 1)
    assert scored.offline_map50 == pytest.approx(1)
    # A tick later it is dark where it was bright.
    assert scored.streaming_map50 == 0
    (note,) = study.notes
    assert note.startswith(f"accuracy is scored against what {REFERENCE} finds offline; ")
    assert "--truth FILE" in note


def test_a_source_that_starts_again_shows_the_same_pictures_again(blinking: Path, model: Model) -> None:
    study = Scoring(str(blinking), model, Settings(loop=True), 10)
    (right, shifted), steps = score(study, ran(10, blink), ran(10, lambda frame: blink(frame + 1)))
    assert steps == study.steps == 4
    assert right.agreement is not None
    assert (right.agreement.frames, right.agreement.smaller) == (10, 1)
    assert (right.offline_map50, right.streaming_map50) == pytest.approx((1, 0))
    assert shifted.agreement is not None
    assert shifted.agreement.smaller == 0
    # Wrong about its own frame, and just right a tick later; before the first answer nothing is found: 4 of 5.
    assert (shifted.offline_map50, shifted.streaming_map50) == pytest.approx((0, 81 / 101))


def test_with_ground_truth_the_reference_sees_100_frames_and_accuracy_is_over_all(
    bright: Path, model: Model, tmp_path: Path
) -> None:
    truth = write_truth(tmp_path / "truth.json", 120)
    study = Scoring(str(bright), model, Settings(), 120, truth)
    (good, half, wrong), steps = score(
        study,
        ran(120, lambda frame: both()),
        ran(120, lambda frame: both(), lost=range(0, 120, 2)),
        ran(120, lambda frame: Detections(OBJECTS[::-1], np.full(2, 0.8, np.float32), np.array([0, 1], np.int32))),
    )
    assert study.truth is not None
    assert study.truth.name == str(truth)
    assert steps == study.steps == 100 + 120
    assert good.agreement is not None
    assert (good.agreement.frames, good.agreement.smaller) == (100, 1)
    assert good.offline_map50 == pytest.approx(1)
    assert good.streaming_map50 == pytest.approx((100 * 119 // 120 + 1) / 101)
    # What was dropped is not compared; at the ticks of what was dropped the answer is an older one, and right here.
    assert half.agreement is not None
    assert 40 <= half.agreement.frames <= 60
    assert half.agreement.smaller == 1
    assert half.streaming_map50 == pytest.approx((100 * 118 // 120 + 1) / 101)
    assert wrong.agreement is not None
    assert (wrong.agreement.smaller, wrong.offline_map50, wrong.streaming_map50) == (0, 0, 0)
    assert study.notes == [f"{truth} counts without zebra, which the model does not know"]


def test_a_closed_loop_has_no_streaming_score(bright: Path, model: Model, tmp_path: Path) -> None:
    run = ran(120, lambda frame: both())
    with_truth = Scoring(str(bright), model, Settings(fps="max"), 120, write_truth(tmp_path / "truth.json", 120))
    (scored,), _ = score(with_truth, run)
    assert scored.offline_map50 == pytest.approx(1)
    assert scored.streaming_map50 is None
    without = Scoring(str(bright), model, Settings(fps="max"), 120)
    (scored,), steps = score(without, run)
    assert steps == without.steps == 100
    assert scored.agreement is not None
    assert (scored.agreement.frames, scored.agreement.smaller) == (100, 1)
    assert (scored.offline_map50, scored.streaming_map50) == (None, None)
    assert without.notes == []


def test_null_engines_are_never_scored_and_need_no_reference(blinking: Path, model: Model) -> None:
    study = Scoring(str(blinking), model, Settings(), 4)
    assert score(study, ran(4, blink, null=True), ran(4, blink, null=True)) == ([Scored(), Scored()], 0)
    assert study.notes == []
    (null, scored), steps = score(study, ran(4, blink, null=True), ran(4, blink))
    assert null == Scored()
    assert scored.agreement is not None
    assert steps == 4


def test_a_reference_that_cannot_run_leaves_runs_unchecked_with_a_note(
    blinking: Path, model: Model, tmp_path: Path
) -> None:
    bare = replace(model, files={})
    study = Scoring(str(blinking), bare, Settings(), 4)
    assert score(study, ran(4, blink)) == ([Scored()], 0)
    (note,) = study.notes
    assert note.startswith("agreement is unchecked, the reference pytorch did not run: pytorch needs ")
    study = Scoring(str(blinking), bare, Settings(), 4, write_truth(tmp_path / "truth.json", 4))
    (scored,), _ = score(study, ran(4, lambda frame: both()))
    assert scored.agreement is None
    assert scored.offline_map50 == pytest.approx(1)


def test_a_truth_that_lacks_a_frame_is_refused_before_anything_runs(
    blinking: Path, model: Model, tmp_path: Path
) -> None:
    truth = write_truth(tmp_path / "truth.json", 3)
    assert Scoring(str(blinking), model, Settings(), 3, truth).truth is not None
    with pytest.raises(UsageError, match="frame 3 "):
        Scoring(str(blinking), model, Settings(), 4, truth)


def test_only_the_first_frames_of_a_long_run_are_scored_with_a_note(
    bright: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy, "MOST_FRAMES", 30)
    study = Scoring(str(bright), model, Settings(), 120)
    (scored,), steps = score(study, ran(120, lambda frame: both() if frame < 30 else no_detections()))
    assert steps == study.steps == 30
    assert scored.agreement is not None
    assert (scored.agreement.frames, scored.agreement.smaller) == (30, 1)
    assert scored.offline_map50 == pytest.approx(1)
    assert "agreement and accuracy are those of the first 30 of 120 frames" in study.notes


def test_a_picture_that_cannot_be_decoded_does_not_count_without_truth(tmp_path: Path, model: Model) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), WHITE)
    (folder / "2.png").write_bytes(b"no image")
    study = Scoring(str(folder), model, Settings(loop=True), 8)
    (scored,), steps = score(study, ran(8, lambda frame: both(), (2, 6), Outcome.DECODE_ERROR))
    assert steps == 3
    assert scored.agreement is not None
    assert scored.agreement.frames == 6
    # Six ticks, and an answer at five of them.
    assert (scored.offline_map50, scored.streaming_map50) == pytest.approx((1, 84 / 101))


def test_the_reference_detects_as_the_runs_did(blinking: Path, model: Model) -> None:
    study = Scoring(str(blinking), model, Settings(conf=0.95), 4)
    (scored,), _ = score(study, ran(4, blink))
    assert scored.agreement is not None
    # It is not as sure as that of anything.
    assert (scored.agreement.reference, scored.agreement.other) == (0, 4)
    assert (scored.offline_map50, scored.streaming_map50) == (None, None)


def test_agreement_is_over_the_frames_that_both_have() -> None:
    reference = {0: both(), 1: both(), 2: both()}
    assert agreement_of(reference, {1: both(), 2: no_detections(), 3: no_detections()}).frames == 2
    assert agreement_of(reference, {1: both(), 2: no_detections(), 3: no_detections()}).there == 0.5
    assert agreement_of(reference, {}).smaller is None


def test_only_confident_detections_stand_for_the_truth() -> None:
    found = Detections(OBJECTS, np.array([TRUTH_CONFIDENCE, 0.24], np.float32), np.array([1, 0], np.int32))
    truth = as_truth(found)
    assert truth.xyxy.tolist() == [[12, 12, 28, 28]]
    assert truth.xyxy.dtype == np.float64
    assert (truth.class_id.tolist(), truth.crowd.tolist()) == ([1], [False])
    assert len(as_truth(no_detections())) == 0


def test_the_reference_is_the_most_exact_that_can_run(model: Model) -> None:
    assert most_exact(model).spec == REFERENCE
    assert most_exact(replace(model, files={**model.files, "onnx": model.path})).spec == "onnx,precision=f32"
    assert most_exact(replace(model, files={})).spec == "pytorch"


def test_frames_may_be_chosen_among_the_first_of_a_source(bright: Path) -> None:
    assert ChosenFrames(str(bright), 3, among=30).indices == (0, 10, 20)
    assert ChosenFrames(str(bright), 40, among=30).indices == tuple(range(30))
    assert ChosenFrames(str(bright), 3, among=1000).indices == (0, 40, 80)
    assert ChosenFrames("synthetic:street", 3, among=30).indices == (0, 10, 20)


@pytest.mark.slow
@needs_bundled
def test_a_real_run_of_the_street_is_worse_at_each_tick_than_offline(tmp_path: Path) -> None:
    settings = Settings(engine="ir", frames=40, video=Video.NONE, chart=False, out=tmp_path / "run")
    run = streamer.replay("synthetic:street,seed=21", settings)
    study = Scoring("synthetic:street,seed=21", find_model("street"), settings, 40)
    (scored,), steps = score(study, run_to_score(run.directory, null=False))
    assert steps == study.steps == 80
    assert scored.agreement is not None
    assert scored.agreement.smaller is not None
    assert scored.agreement.smaller > 0.95
    assert scored.offline_map50 is not None
    assert scored.streaming_map50 is not None
    # How much worse is a matter of how fast this machine is.
    assert scored.streaming_map50 < scored.offline_map50
    assert scored.offline_map50 > 0.7
