"""YOLOX: its raw grid, decoded boxes and YOLOv6, which all have the same shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from streamer.detection.head import By, Hints, Object
from streamer.detection.heads import head_of, recognise, settle
from streamer.detection.input_spec import Colour, Fit
from streamer.detection.layouts.cells import cells
from streamer.detection.ports import Port, Signature
from streamer.models.find import find_model
from tests.tiny_models import raw, write_ir

GRID, BOXES, YOLOV6 = "yolox:grid+objectness+classes", "yolox:boxes+objectness+classes", "boxes+objectness+classes"
SIZE = (64, 96)
ROWS = cells(SIZE, (8, 16, 32))


def one(name: str = "output", size: tuple[int, int] = SIZE, rows: int = ROWS) -> Signature:
    return Signature((Port("images", (1, 3, *size)),), (Port(name, (1, rows, 8)),), size)


def answer(*, decoded: bool, objectness: float = 0.01) -> list[npt.NDArray[np.float32]]:
    """Outputs of a network for a black picture: a small box around the centre of every cell."""
    rng = np.random.default_rng(11)
    raw_rows = np.zeros((1, ROWS, 8), np.float32)
    raw_rows[0, :, :2] = rng.normal(0.5, 0.6, (ROWS, 2))
    raw_rows[0, :, 2:4] = rng.normal(0, 0.7, (ROWS, 2))
    raw_rows[0, :, 4] = objectness
    if decoded:
        at = 0
        for stride in (8, 16, 32):
            for y in range(SIZE[0] // stride):
                for x in range(SIZE[1] // stride):
                    raw_rows[0, at, :2] = (raw_rows[0, at, :2] + (x, y)) * stride
                    raw_rows[0, at, 2:4] = np.exp(raw_rows[0, at, 2:4]) * stride
                    at += 1
    return [raw_rows]


def settled(model: Signature, outputs: Any, **hints: Any) -> str:
    return settle(recognise(model, Hints(**hints)), model, None, outputs).name


def test_a_trial_distinguishes_heads_of_the_same_shape() -> None:
    assert settled(one(), answer(decoded=False)) == GRID
    assert settled(one(), answer(decoded=True)) == BOXES
    assert settled(one(), answer(decoded=True, objectness=1)) == YOLOV6
    assert settled(one(), answer(decoded=False, objectness=1)) == GRID


def test_metadata_of_yolox_leaves_it_to_the_trial_whether_it_is_decoded() -> None:
    assert recognise(one(), Hints(family="yolox")).by is By.METADATA
    assert settled(one(), answer(decoded=False), family="yolox") == GRID
    assert settled(one(), answer(decoded=True, objectness=1), family="yolox") == BOXES


def test_yolov6_is_known_by_the_name_of_its_output() -> None:
    found = recognise(one("outputs"), Hints())
    assert (found.kind.name, found.by, found.others) == (YOLOV6, By.NAMES, ())
    assert settled(one("outputs"), answer(decoded=True)) == YOLOV6


def test_three_anchors_a_cell_are_no_yolox() -> None:
    assert recognise(one(rows=3 * ROWS), Hints(family="yolox")).others == ()
    assert recognise(one(rows=3 * ROWS), Hints()).kind.name == YOLOV6


@pytest.mark.parametrize(
    ("row", "centre", "size"),
    [
        (0, (0.5 * 8, 0.25 * 8), (8 * np.e, 8)),
        (13, ((0.5 + 1) * 8, (0.25 + 1) * 8), (8 * np.e, 8)),  # twelve cells in a row
        (96 + 7, ((0.5 + 1) * 16, (0.25 + 1) * 16), (16 * np.e, 16)),
        (96 + 24 + 5, ((0.5 + 2) * 32, (0.25 + 1) * 32), (32 * np.e, 32)),
    ],
)
def test_the_grid_is_decoded_by_hand(row: int, centre: tuple[float, float], size: tuple[float, float]) -> None:
    outputs = np.zeros((1, ROWS, 8), np.float32)
    outputs[0, row] = 0.5, 0.25, 1, 0, 0.8, 0.1, 0.5, 0.2
    xyxy, confidence, class_id = head_of(GRID, one(), None).decode([outputs], 0.25)
    (left, top, right, bottom) = xyxy[0]
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(centre, abs=1e-3)
    assert (right - left, bottom - top) == pytest.approx(size, abs=1e-3)
    assert (confidence.tolist(), class_id.tolist()) == ([pytest.approx(0.4)], [1])


def test_a_size_without_end_is_no_warning() -> None:
    outputs = np.zeros((1, ROWS, 8), np.float32)
    outputs[0, 3] = 0.5, 0.5, 500, 1, 1, 1, 0, 0
    (box,) = head_of(GRID, one(), None).decode([outputs], 0.25)[0]
    assert np.isinf(box[[0, 2]]).all()
    assert np.isfinite(box[[1, 3]]).all()


def test_a_grid_of_other_strides_is_decoded_with_them() -> None:
    size = (128, 128)
    model = one(size=size, rows=cells(size, (8, 16, 32, 64)))
    head = head_of(GRID, model, None)
    thing = Object(70, 50, 30, 20, 0.9, 1)
    assert np.allclose(head.decode(head.example([thing]), 0.25)[0], [thing.corners], atol=1e-3)


def test_a_raw_grid_takes_bytes_in_blue_green_red_in_the_upper_left(tmp_path: Path) -> None:
    outputs = raw(1, 84, 8)
    outputs[0, :, :2] = 0.5
    model = find_model(str(write_ir(tmp_path / "x.xml", outputs)))
    assert (model.head, model.names) == (GRID, ("class_0", "class_1", "class_2"))
    assert (model.input.colour, model.input.high, model.input.fit) == (Colour.BGR, 255, Fit.LETTERBOX_TOP_LEFT)
    assert model.decoder().classes == 3
