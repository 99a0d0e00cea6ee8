"""streamer's boxes are those that the same model gives when it is run on its own, with nothing of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

import streamer
from streamer.settings.video import Video
from tests.runs import COCO_MODEL, FOOTAGE, INT8_MODEL, SHARED, Found, agreement, check_conserved, needs_shared, rows

FRAMES = 100
"""The number of frames that other programs detect in."""
BOXED = 200
"""Frames in which streamer finds the persons; of all 795, boxing takes minutes."""
PERSON = 0

Picture = npt.NDArray[np.uint8]


def pictures(count: int) -> Iterator[Picture]:
    """The first frames of the footage as BGR, decoded by PyAV alone."""
    with av.open(str(FOOTAGE)) as container:
        for _, frame in zip(range(count), container.decode(video=0), strict=False):
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def boxed_by_streamer(
    model: Path, out: Path, *, engine: str = "ir-auto-shared", frames: int | None = None
) -> list[list[Found]]:
    """Detections of each frame, as ``detections.csv`` has them; every frame of a closed loop is delivered."""
    settings = streamer.Settings(
        engine=engine, model=str(model), fps="max", frames=frames, video=Video.NONE, chart=False, out=out
    )
    run = streamer.replay(FOOTAGE, settings)
    assert run.manifest["verdict"] == "VALID"
    outcomes = check_conserved(out)
    assert set(outcomes) == {"delivered"}
    found: list[list[Found]] = [[] for _ in range(outcomes["delivered"])]
    for row in rows(out / "detections.csv"):
        x1, y1, x2, y2 = (float(row[column]) for column in ("x1", "y1", "x2", "y2"))
        found[int(row["frame"])].append(Found(int(row["class_id"]), float(row["confidence"]), (x1, y1, x2, y2)))
    return found


def check_agreement(ours: list[list[Found]], theirs: list[list[Found]]) -> None:
    there, back, counted = agreement(ours, theirs, iou=0.8, confidence=0.4)
    assert counted > 2 * len(ours), "too little was found to compare"
    assert there >= 0.95, f"{there:.2%} of streamer's detections are found by the model on its own"
    assert back >= 0.95, f"{back:.2%} of the model's own detections are found by streamer"


class OnItsOwn:
    """YOLOv5n in onnxruntime, with a letterbox and an NMS written here, in numpy."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        onnxruntime.set_default_logger_severity(3)
        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0]

    def __call__(self, picture: Picture, *, confidence: float = 0.25, iou: float = 0.5) -> list[Found]:
        _, _, height, width = self._input.shape
        scale = min(height / picture.shape[0], width / picture.shape[1])
        small = self._shrink(picture, round(picture.shape[0] * scale), round(picture.shape[1] * scale))
        top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
        canvas = np.full((height, width, 3), 114 / 255, np.float32)
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
        batch = canvas[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        raw: Any = self._session.run(None, {self._input.name: np.ascontiguousarray(batch)})[0]
        scores = raw[0, :, 5:] * raw[0, :, 4:5]
        class_id = scores.argmax(1)
        sure = scores.max(1)
        kept = sure > confidence
        centre, size = raw[0, kept, :2], raw[0, kept, 2:4]
        corners = np.concatenate([centre - size / 2, centre + size / 2], 1)
        shift = np.array([left, top, left, top])
        limit = np.array([picture.shape[1], picture.shape[0]] * 2)
        boxes = np.clip((corners - shift) / scale, 0, limit)
        return self._suppress(boxes, sure[kept], class_id[kept], iou)

    @staticmethod
    def _shrink(picture: Picture, height: int, width: int) -> npt.NDArray[np.float32]:
        """The picture in ``height`` x ``width``, 0 to 1, bilinear between pixel centres."""
        ys = np.clip((np.arange(height) + 0.5) * picture.shape[0] / height - 0.5, 0, picture.shape[0] - 1)
        xs = np.clip((np.arange(width) + 0.5) * picture.shape[1] / width - 0.5, 0, picture.shape[1] - 1)
        y0, x0 = np.floor(ys).astype(int), np.floor(xs).astype(int)
        y1, x1 = np.minimum(y0 + 1, picture.shape[0] - 1), np.minimum(x0 + 1, picture.shape[1] - 1)
        dy = (ys - y0).astype(np.float32)[:, None, None]
        dx = (xs - x0).astype(np.float32)[None, :, None]
        image = picture.astype(np.float32) / 255
        upper = image[y0][:, x0] * (1 - dx) + image[y0][:, x1] * dx
        lower = image[y1][:, x0] * (1 - dx) + image[y1][:, x1] * dx
        return np.asarray(upper * (1 - dy) + lower * dy, np.float32)

    @staticmethod
    def _suppress(
        boxes: npt.NDArray[np.float64], sure: npt.NDArray[np.float32], class_id: npt.NDArray[np.int64], iou: float
    ) -> list[Found]:
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
        left = np.argsort(-sure)
        found = []
        while len(left):
            best, left = left[0], left[1:]
            x1, y1, x2, y2 = boxes[best].tolist()
            found.append(Found(int(class_id[best]), float(sure[best]), (x1, y1, x2, y2)))
            low, high = np.maximum(boxes[left, :2], boxes[best, :2]), np.minimum(boxes[left, 2:], boxes[best, 2:])
            common = np.clip(high - low, 0, None).prod(1)
            covered = common / (areas[left] + areas[best] - common) > iou
            left = left[~(covered & (class_id[left] == class_id[best]))]
        return found


@pytest.fixture(scope="module")
def coco_boxes(tmp_path_factory: pytest.TempPathFactory) -> list[list[Found]]:
    """What streamer finds with YOLOv5n in the first frames of the footage."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its models and footage are not here")
    return boxed_by_streamer(COCO_MODEL, tmp_path_factory.mktemp("coco") / "run", frames=BOXED)


@pytest.mark.slow
@needs_shared
def test_every_frame_of_the_footage_is_delivered(tmp_path: Path) -> None:
    count = sum(1 for _ in pictures(10_000))
    assert len(boxed_by_streamer(COCO_MODEL, tmp_path / "run", engine="null")) == count > BOXED


@pytest.mark.slow
def test_persons_of_the_footage_are_boxed(coco_boxes: list[list[Found]]) -> None:
    count = len(coco_boxes)
    assert count == BOXED
    with_persons = [any(one.class_id == PERSON and one.confidence > 0.4 for one in frame) for frame in coco_boxes]
    assert sum(with_persons) >= 0.99 * count
    assert sum(one.class_id == PERSON for frame in coco_boxes for one in frame) > 3 * count


@pytest.mark.slow
def test_boxes_agree_with_onnxruntime_and_a_letterbox_and_nms_that_are_not_ours(
    coco_boxes: list[list[Found]],
) -> None:
    on_its_own = OnItsOwn(COCO_MODEL)
    theirs = [on_its_own(picture) for picture in pictures(FRAMES)]
    assert len(theirs) == FRAMES
    check_agreement(coco_boxes[:FRAMES], theirs)


@pytest.mark.slow
@needs_shared
@pytest.mark.skipif(
    not find_spec("ultralytics"), reason="Ultralytics is not installed: pip install 'streamer[torch]'"
)
def test_boxes_of_the_int8_model_agree_with_ultralytics_own_prediction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = boxed_by_streamer(INT8_MODEL, tmp_path / "run", frames=FRAMES)
    theirs = predicted_by_ultralytics(tmp_path, monkeypatch)
    assert len(ours) == len(theirs) == FRAMES
    check_agreement(ours, theirs)


def predicted_by_ultralytics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[Found]]:
    """Ultralytics' own letterbox, inference and NMS on the same pictures, at the same thresholds."""
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    monkeypatch.setenv("YOLO_AUTOINSTALL", "false")
    monkeypatch.setenv("YOLO_VERBOSE", "false")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "ultralytics"))
    import ultralytics

    folder = tmp_path / "yolo11n_openvino_model"
    shutil.copytree(INT8_MODEL.parent, folder, copy_function=shutil.copyfile)
    os.chmod(folder, 0o755)
    model = ultralytics.YOLO(folder, task="detect")
    found = []
    for picture in pictures(FRAMES):
        boxes = model.predict(picture, conf=0.25, iou=0.5, imgsz=640, verbose=False, save=False)[0].boxes
        columns = (boxes.cls.tolist(), boxes.conf.tolist(), boxes.xyxy.tolist())
        found.append(
            [Found(int(c), sure, (x1, y1, x2, y2)) for c, sure, (x1, y1, x2, y2) in zip(*columns, strict=True)]
        )
    return found
