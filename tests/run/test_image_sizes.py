"""A folder of images of many sizes: each is measured at its own, and the video has that of the first."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.verification import verify
from streamer.video.rescaling import fitted
from tests import runs
from tests.runs import check_conserved, manifest

SIZES = ((64, 64), (128, 128), (128, 64), (33, 200), (64, 64))


def write_bright(folder: Path) -> Path:
    """Images so bright that the tiny model is sure of its person and its car, in `SIZES`."""
    folder.mkdir()
    for number, (width, height) in enumerate(SIZES):
        assert cv2.imwrite(str(folder / f"{number}.png"), np.full((height, width, 3), 235, np.uint8))
    return folder


def test_each_is_found_in_at_its_own_size(tiny_model: Path, tmp_path: Path) -> None:
    write_bright(tmp_path / "images")
    options = ("--model", tiny_model, "--engine", "ir", "--fps", "20", "--policy", "wait", "--no-chart")
    done = runs.streamer("replay", "images", *options, "--out", "run", cwd=tmp_path)
    assert done.code == 0, done.err
    assert check_conserved(tmp_path / "run") == {"delivered": len(SIZES)}
    people = {
        int(row["frame"]): tuple(float(row[side]) for side in ("x1", "y1", "x2", "y2"))
        for row in runs.rows(tmp_path / "run" / "detections.csv")
        if row["label"] == "person"
    }
    # It is 16 pixels wide, 12 from the upper left corner of an input of 64x64 pixels, in which an image lies centred.
    assert people[0] == people[4] == pytest.approx((12, 12, 28, 28), abs=0.1)
    assert people[1] == pytest.approx((24, 24, 56, 56), abs=0.2)
    assert people[2] == pytest.approx((24, 0, 56, 24), abs=0.2), "32 of the 64 rows are padding"
    assert people[3] == pytest.approx((0, 37.5, 6, 87.5), abs=0.2), "padded at its sides, where most of the box is"
    doubt = "3 images are not 64x64 as the first one is, as 1.png, which is 128x128: each is measured at its own size"
    assert any(found.startswith(doubt) for found in manifest(tmp_path / "run")["doubts"])
    with av.open(str(tmp_path / "run" / "annotated.mp4")) as video:
        pictures = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    assert [picture.shape for picture in pictures] == [(64, 64, 3)] * len(SIZES)
    assert pictures[2][4, 60].max() < 60, "above an image that is wide there is black"
    assert pictures[2][40, 60].min() > 150
    assert verify(tmp_path / "run").reasons == []


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (31, 17), (32, 18), (33, 137), (48, 242)])
def test_the_video_is_of_the_size_that_is_promised_whatever_it_is(size: tuple[int, int], tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "0.png"), np.full((*size[::-1], 3), 90, np.uint8))
    options = ("--engine", "null", "--fps", "30", "--no-chart", "--out", "run")
    done = runs.streamer("replay", "0.png", *options, cwd=tmp_path)
    assert done.code == 0, done.err
    assert verify(tmp_path / "run").reasons == []
    with av.open(str(tmp_path / "run" / "annotated.mp4")) as video:
        stream = video.streams.video[0]
        assert (stream.width, stream.height) == tuple(side + side % 2 for side in size)


@pytest.mark.parametrize("size", [(64, 48), (128, 96), (30, 200), (200, 30), (1, 1), (1, 999)])
def test_a_picture_is_fitted_into_the_size_requested_and_centred(size: tuple[int, int]) -> None:
    width, height = size
    picture = fitted(np.full((height, width, 3), 200, np.uint8), 64, 48)
    assert picture.shape == (48, 64, 3)
    rows, columns = np.nonzero(picture[:, :, 0])
    assert abs(int(rows.min()) - (47 - int(rows.max()))) <= 1
    assert abs(int(columns.min()) - (63 - int(columns.max()))) <= 1
    assert len(set(rows)) == 48 or len(set(columns)) == 64, "it fills one side"


def test_a_picture_of_that_size_is_left_as_it_is() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    assert fitted(picture, 64, 48) is picture
