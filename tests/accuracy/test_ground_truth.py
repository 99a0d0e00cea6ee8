"""Ground truth: the street's own, a clip's beside it, and a COCO JSON that is given; in the model's classes."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.accuracy.ground_truth import GroundTruth, find_truth
from streamer.errors import SourceError, StreamerError, UsageError
from streamer.models.coco_names import COCO_NAMES
from streamer.sources.base import SourceInfo
from streamer.sources.registry import open_source
from streamer.street.clip import write_sample
from streamer.street.scene import LABELS, Street
from tests.runs import ROOT
from tests.sources.test_many_pictures import write_animation

NAMES = ("dog", "bus", "Person", "kite")
"""Labels of a model that shares three classes with the street, in an order of its own."""


def info_of(source: str | Path) -> SourceInfo:
    with closing(open_source(str(source), loop=False, now_us=lambda: 0)) as opened:
        return opened.info


def truth_of(source: str | Path, names: tuple[str, ...] = COCO_NAMES, file: Path | None = None) -> GroundTruth:
    truth = find_truth(str(source), info_of(source), names, file)
    assert isinstance(truth, GroundTruth), truth
    return truth


def none_of(source: str | Path, names: tuple[str, ...] = COCO_NAMES) -> str:
    why = find_truth(str(source), info_of(source), names)
    assert isinstance(why, str)
    return why


def coco(**changes: Any) -> dict[str, Any]:
    """Two images of 64x48; a person and a crowd of them in the first, a zebra in the second."""
    return {
        "images": [
            {"id": 0, "width": 64, "height": 48, "file_name": "set/img1.jpg"},
            {"id": 1, "width": 64, "height": 48, "file_name": "set/img2.jpg"},
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 24, "name": "zebra"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 5, 20, 30], "iscrowd": 0},
            {"id": 2, "image_id": 0, "category_id": 1, "bbox": [0, 0, 64, 4], "iscrowd": 1},
            {"id": 3, "image_id": 1, "category_id": 24, "bbox": [1, 2, 3, 4]},
        ],
        **changes,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images of 64x48; the truth knows two of them."""
    images = tmp_path / "images"
    images.mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(images / f"img{number}.png"), np.zeros((48, 64, 3), np.uint8))
    return images


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four frames of the street with their truth beside them."""
    path = tmp_path / "clip.mp4"
    write_sample(path, Street(3, 320, 240), 4, Fraction(25))
    return path


def written(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_synthetic_source_is_its_own_truth() -> None:
    truth = truth_of("synthetic:street,seed=3,width=320,height=240,fps=25")
    _, present = Street(3, 320, 240).frame(11, 25.0)
    assert np.array_equal(truth.of(11).xyxy, present.boxes)
    assert truth.of(11).class_id.tolist() == present.class_id.tolist()
    assert not truth.of(11).crowd.any()
    assert truth.classes == tuple(sorted(LABELS))
    assert truth.unknown == ()


def test_labels_lead_to_the_models_classes_and_those_it_lacks_are_named() -> None:
    source = "synthetic:street,seed=3,width=320,height=240"
    truth = truth_of(source, NAMES)
    assert truth.classes == (0, 1, 2)
    assert set(truth.unknown) == {"bicycle", "car", "truck"}
    full = truth_of(source).of(0)
    known = [NAMES.index({"person": "Person"}.get(name, name)) for name in map(COCO_NAMES.__getitem__, full.class_id)
             if name in ("dog", "bus", "person")]  # fmt: skip
    assert truth.of(0).class_id.tolist() == known
    assert known


def test_a_clip_of_the_street_has_its_truth_beside_it(clip: Path) -> None:
    truth = truth_of(clip)
    _, present = Street(3, 320, 240).frame(2, 25.0)
    assert np.allclose(truth.of(2).xyxy, present.boxes)
    assert truth.name == str(clip.with_suffix(".json"))


def test_the_bundled_clip_has_truth() -> None:
    truth = truth_of(ROOT / "samples" / "street.mp4")
    assert len(truth.of(719)) > 0
    with pytest.raises(UsageError, match="frame 720 of"):
        truth.of(720)


def test_without_the_file_beside_it_a_clip_has_none_and_says_so(clip: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.mp4"
    shutil.copy(clip, moved)
    assert "moved.json, is not beside it" in none_of(moved)


def test_the_truth_of_another_clip_is_not_mistaken_for_its_own(clip: Path) -> None:
    other = clip.with_name("other.mp4")
    write_sample(other, Street(3, 320, 240), 3, Fraction(25))
    shutil.copy(clip.with_suffix(".json"), other.with_suffix(".json"))
    assert "other.json is the ground truth of another clip" in none_of(other)


def test_other_footage_has_none_and_the_mend_is_named(folder: Path) -> None:
    assert "give a COCO JSON with --truth FILE" in none_of(folder)


def test_a_model_that_knows_none_of_the_classes_cannot_be_scored(folder: Path, tmp_path: Path) -> None:
    assert "has none of the classes of" in none_of("synthetic:street,width=64,height=48", ("kite",))
    file = written(tmp_path / "truth.json", coco())
    with pytest.raises(UsageError, match=r"has none of the classes of .*\(person, zebra\)"):
        truth_of(folder, ("kite",), file)


def test_the_images_of_a_folder_are_found_by_name_whatever_their_ids(folder: Path, tmp_path: Path) -> None:
    document = coco()
    for image in document["images"]:
        image["id"] += 500
    for annotation in document["annotations"]:
        annotation["image_id"] += 500
    truth = truth_of(folder, COCO_NAMES, written(tmp_path / "truth.json", document))
    first = truth.of(0)
    assert first.xyxy.tolist() == [[10, 5, 30, 35], [0, 0, 64, 4]]
    assert first.crowd.tolist() == [False, True]
    assert [COCO_NAMES[class_id] for class_id in truth.of(1).class_id] == ["zebra"]
    with pytest.raises(UsageError, match=r"frame 2 of .* is not in truth.json"):
        truth.of(2)


def test_the_pictures_of_an_animation_are_the_frames_of_a_video(tmp_path: Path) -> None:
    clip = write_animation(tmp_path / "clip.png", 2)
    truth = truth_of(clip, COCO_NAMES, written(tmp_path / "truth.json", coco()))
    assert [len(truth.of(0)), len(truth.of(1))] == [2, 1]


def test_an_image_without_objects_is_a_frame_without_objects(folder: Path, tmp_path: Path) -> None:
    truth = truth_of(folder, COCO_NAMES, written(tmp_path / "truth.json", coco(annotations=[])))
    assert len(truth.of(1)) == 0
    assert truth.of(1).xyxy.shape == (0, 4)


def test_in_a_video_the_id_is_the_number_of_the_frame(clip: Path, tmp_path: Path) -> None:
    document = json.loads(clip.with_suffix(".json").read_text())
    truth = truth_of(clip, COCO_NAMES, written(tmp_path / "given.json", document))
    assert np.allclose(truth.of(3).xyxy, truth_of(clip).of(3).xyxy)
    from_one = {**document, "images": [{**image, "id": image["id"] + 1} for image in document["images"]]}
    from_one["annotations"] = []
    with pytest.raises(UsageError, match="must be the frame's number, from 0"):
        truth_of(clip, COCO_NAMES, written(tmp_path / "given.json", from_one)).of(0)


def test_boxes_of_another_size_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "truth.json", coco())
    truth = truth_of("synthetic:street,width=320,height=240", COCO_NAMES, file)
    with pytest.raises(UsageError, match=r"is 320x240, but 64x48 in truth\.json"):
        truth.of(0)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("not json", SourceError, "is not JSON"),
        ("[]", SourceError, "no COCO detection file"),
        ('{"images": []}', SourceError, "it lacks 'categories'"),
        (json.dumps(coco(annotations=[{"image_id": 0, "category_id": 1}])), SourceError, "it lacks 'bbox'"),
        (
            json.dumps(coco(annotations=[{"image_id": 9, "category_id": 1, "bbox": [0, 0, 1, 1]}])),
            SourceError,
            "image 9",
        ),
        (
            json.dumps(coco(annotations=[{"image_id": 0, "category_id": 1, "bbox": [0, 0, -1, 1]}])),
            SourceError,
            "-1",
        ),
        (json.dumps(coco(annotations=[{"image_id": 0, "category_id": 1, "bbox": [0, 0]}])), SourceError, "no COCO"),
        (json.dumps(coco(images=[7])), SourceError, "no COCO detection file"),
    ],
)
def test_the_error_for_a_file_that_is_no_coco_is_one_line(
    text: str, kind: type[StreamerError], says: str, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "truth.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(kind, match=says):
        truth_of(folder, COCO_NAMES, file)


def test_a_file_that_is_not_there_is_a_usage_error(folder: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(UsageError, match="cannot read"):
            truth_of(folder, COCO_NAMES, path)
