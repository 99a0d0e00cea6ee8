"""Training samples: frames of many streets rendered once to disk, then crops and whole frames of them, varied."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from heldout import training_street
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

Image: TypeAlias = NDArray[np.uint8]
Rows: TypeAlias = NDArray[np.float32]

WIDTH, HEIGHT = 640, 480
FRAMES_PER_STREET = 5


def render(number: int) -> tuple[Image, list[Rows]]:
    """Some frames of one street, far apart in time, with their rows of (class, x1, y1, x2, y2)."""
    cv2.setNumThreads(1)
    street = training_street(number)
    images, rows = [], []
    for step in range(FRAMES_PER_STREET):
        image, truth = street.frame(step * 977, 30.0)
        images.append(image)
        rows.append(np.column_stack([truth.class_id, truth.boxes]).astype(np.float32))
    return np.stack(images), rows


def render_all(work: Path, streets: int) -> None:
    """Render the training frames into DIR/frames.npy and their boxes into DIR/boxes.npz, unless they are there."""
    if (work / "boxes.npz").exists():
        return
    shape = (streets * FRAMES_PER_STREET, HEIGHT, WIDTH, 3)
    store = np.lib.format.open_memmap(work / "frames.npy", "w+", np.uint8, shape)
    rows: list[Rows] = []
    with ProcessPoolExecutor() as pool:
        for number, (images, boxes) in enumerate(pool.map(render, range(streets), chunksize=4)):
            store[number * FRAMES_PER_STREET : (number + 1) * FRAMES_PER_STREET] = images
            rows += boxes
    store.flush()
    owner = np.concatenate([np.full(len(row), frame) for frame, row in enumerate(rows)])
    np.savez(work / "boxes.npz", rows=np.concatenate(rows), frame=owner)


class Samples:
    """Endless training samples from the rendered frames: crops of ``side`` pixels, or whole frames when it is 0."""

    def __init__(self, work: Path, seed: int) -> None:
        self.frames = np.load(work / "frames.npy", mmap_mode="r")
        with np.load(work / "boxes.npz") as boxes:
            starts = np.searchsorted(boxes["frame"], np.arange(len(self.frames) + 1))
            rows = boxes["rows"]
        self.rows = [rows[a:b] for a, b in pairwise(starts)]
        self.rng = np.random.default_rng(seed)

    def batch(self, size: int, side: int) -> tuple[Image, Rows]:
        """Images (n, h, w, 3) BGR and rows (image, class, centre x, centre y, width, height), all of it in shares."""
        images, rows = [], []
        for number in range(size):
            image, boxes = self.one(side)
            images.append(image)
            scale = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
            xyxy = boxes[:, 1:] / scale
            centre, wide = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
            rows.append(np.column_stack([np.full(len(boxes), number), boxes[:, :1], centre, wide]))
        return np.stack(images), np.concatenate(rows).astype(np.float32)

    def one(self, side: int) -> tuple[Image, Rows]:
        """One augmented sample and its rows of (class, x1, y1, x2, y2) in pixels."""
        rng = self.rng
        frame = int(rng.integers(len(self.frames)))
        boxes = self.rows[frame].copy()
        if side:
            image, boxes = self._crop(frame, boxes, side)
        else:
            image, boxes = self._shift(np.asarray(self.frames[frame]), boxes)
        if rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            boxes[:, [1, 3]] = image.shape[1] - boxes[:, [3, 1]]
        return self._develop(image), boxes

    def _crop(self, frame: int, boxes: Rows, side: int) -> tuple[Image, Rows]:
        rng = self.rng
        zoom = rng.uniform(0.8, 1.3) if rng.random() < 0.6 else 1.0
        size = min(round(side / zoom), HEIGHT)
        if len(boxes) and rng.random() < 0.8:
            box = boxes[rng.integers(len(boxes)), 1:]
            x, y = (box[:2] + box[2:]) / 2 - size / 2 + rng.uniform(-0.35, 0.35, 2) * size
        else:
            x, y = rng.uniform(0, WIDTH - size), rng.uniform(0, HEIGHT - size)
        left, top = int(np.clip(x, 0, WIDTH - size)), int(np.clip(y, 0, HEIGHT - size))
        image = np.asarray(self.frames[frame, top : top + size, left : left + size])
        boxes[:, 1:] -= (left, top, left, top)
        boxes = _clip(boxes, size, size)
        if size != side:
            method = cv2.INTER_AREA if size > side else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, (side, side), interpolation=method), np.uint8)
            boxes[:, 1:] *= side / size
        return image, boxes

    def _shift(self, image: Image, boxes: Rows) -> tuple[Image, Rows]:
        """Whole frames, now and then magnified a little or moved."""
        rng = self.rng
        if rng.random() < 0.4:
            return image, boxes
        zoom = rng.uniform(0.85, 1.2)
        x, y = rng.uniform(-0.12, 0.12, 2) * (WIDTH, HEIGHT) + (1 - zoom) * np.array([WIDTH, HEIGHT]) / 2
        move = np.array([[zoom, 0, x], [0, zoom, y]])
        image = np.asarray(cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderValue=(114,) * 3), np.uint8)
        boxes[:, 1:] = boxes[:, 1:] * zoom + np.array([x, y, x, y])
        return image, _clip(boxes, WIDTH, HEIGHT)

    def _develop(self, image: Image) -> Image:
        """Another exposure and white balance, and for some the losses of compression."""
        rng = self.rng
        gain = rng.uniform(0.8, 1.2) * rng.uniform(0.94, 1.06, 3)
        curve = (np.arange(256)[:, None] / 255) ** rng.uniform(0.85, 1.2) * 255 * gain
        image = np.asarray(cv2.LUT(image, np.clip(curve, 0, 255).astype(np.uint8)[None]), np.uint8)
        if rng.random() < 0.3:
            _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 92))])
            image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        return image


def _clip(boxes: Rows, width: int, height: int) -> Rows:
    """Boxes cut to the image, without those of which too little is left to know them by."""
    area = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    boxes[:, 1::2] = boxes[:, 1::2].clip(0, width)
    boxes[:, 2::2] = boxes[:, 2::2].clip(0, height)
    wide, high = boxes[:, 3] - boxes[:, 1], boxes[:, 4] - boxes[:, 2]
    kept = (wide * high > 0.3 * area) & (np.maximum(wide, high) >= 10) & (np.minimum(wide, high) >= 3)
    return np.asarray(boxes[kept])


class Batches(IterableDataset[tuple[Image, Rows]]):  # type: ignore[misc, unused-ignore]
    """Batches for ever, from the frames in a directory, for a loader's worker process."""

    def __init__(self, work: Path, size: int, side: int, seed: int) -> None:
        self.work, self.size, self.side, self.seed = work, size, side, seed

    def __iter__(self) -> Iterator[tuple[Image, Rows]]:
        cv2.setNumThreads(1)
        samples = Samples(self.work, self.seed)
        while True:
            yield samples.batch(self.size, self.side)
