"""The sample command, and the clip that comes with streamer."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamer.street.scene import LABELS, Street
from streamer.video.reader import VideoReader
from tests import runs
from tests.runs import ROOT


@pytest.mark.slow
def test_a_clip_and_its_ground_truth_are_written_and_belong_together(tmp_path: Path) -> None:
    done = runs.streamer("sample", "street.mp4", "--seed", "3", "--duration", "400ms", "--fps", "25", cwd=tmp_path)
    assert done.code == 0
    assert done.out == "street.mp4: 10 frames at 25 a second; ground truth in street.json\n"
    truth = json.loads((tmp_path / "street.json").read_text())
    assert [image["id"] for image in truth["images"]] == list(range(10))
    assert truth["info"]["seed"] == 3
    assert {category["id"]: category["name"] for category in truth["categories"]} == LABELS
    assert len(truth["annotations"]) > 20
    reader = VideoReader(tmp_path / "street.mp4")
    assert (reader.info.width, reader.info.height, reader.info.rate) == (640, 480, Fraction(25))
    assert reader.info.comment == "synthetic:street,seed=3"
    for index in range(10):
        picture = reader.read()
        assert picture is not None
        assert picture.image is not None
        painted, _ = Street(3).frame(index, 25.0)
        assert np.abs(picture.image.astype(int) - painted).mean() < 6, "not the street that the seed makes"
    reader.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["street.json", "street.mp4"]


@pytest.mark.parametrize(
    ("arguments", "code", "mend"),
    [
        (("clip.avi",), 2, "name it clip.mp4"),
        (("there.mp4",), 2, "add --overwrite"),
        (("no/such/dir.mp4",), 1, "there is no such directory"),
        (("clip.mp4", "--fps", "max"), 2, "frames per second"),
        (("clip.mp4", "--fps", "0"), 2, "above 0"),
        (("clip.mp4", "--seed", "-1"), 2, "--seed"),
        (("clip.mp4", "--duration", "soon"), 2, "10m"),
    ],
)
def test_an_impossible_clip_is_one_line(arguments: tuple[str, ...], code: int, mend: str, tmp_path: Path) -> None:
    (tmp_path / "there.json").write_text("mine")
    (tmp_path / "there.mp4").write_text("mine")
    done = runs.streamer("sample", *arguments, cwd=tmp_path)
    assert done.code == code
    assert mend in done.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there.json", "there.mp4"]
    assert (tmp_path / "there.mp4").read_text() == "mine"


def test_the_bundled_clip_is_the_street_it_says_it_is() -> None:
    truth = json.loads((ROOT / "samples" / "street.json").read_text())
    reader = VideoReader(ROOT / "samples" / "street.mp4")
    assert len(reader.schedule) == len(truth["images"]) == 720
    seed = truth["info"]["seed"]
    assert reader.info.comment == f"synthetic:street,seed={seed}"
    street = Street(seed)
    assert street.parameters() == {key: truth["info"][key] for key in street.parameters()}
    image, present = street.frame(700, 30.0)
    boxes = [note["bbox"] for note in truth["annotations"] if note["image_id"] == 700]
    assert np.allclose([[x, y, x + w, y + h] for x, y, w, h in boxes], present.boxes)
    for _ in range(701):
        picture = reader.read()
        assert picture is not None
    assert picture is not None
    assert picture.image is not None
    assert np.abs(picture.image.astype(int) - image).mean() < 6
    reader.close()
