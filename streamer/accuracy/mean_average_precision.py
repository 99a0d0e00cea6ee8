"""Mean average precision against ground truth, by pycocotools, which is COCO's own evaluator.

It follows COCO: 10 IoU thresholds from 0.5 to 0.95, 101 recalls, at most 100 detections of a class in a frame.
Detections should be kept from `LEAST_CONFIDENCE` on, with NMS at `SUPPRESSING_IOU`, as Ultralytics validates. The
figures are still not comparable with published ones: streamer gives a box only its most likely class, whereas
Ultralytics' ``val`` keeps it once for every class above the threshold (``multi_label``), and scores a little more.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.detection.detections import Detections

LEAST_CONFIDENCE = 0.001
SUPPRESSING_IOU = 0.7
EVERY_SIZE = {"all": (0.0, 1e5)}


@dataclass(frozen=True, slots=True, eq=False)
class FrameTruth:
    """The objects that are really in a frame.

    ``xyxy`` is n x 4 float64 in pixels of the source frame. ``class_id`` is n int64, of the model's classes.
    ``crowd`` is n bool: a region in which detections are neither right nor wrong. ``unknown`` is the number of
    further objects, of classes that the model lacks.
    """

    xyxy: npt.NDArray[np.float64]
    class_id: npt.NDArray[np.int64]
    crowd: npt.NDArray[np.bool_]
    unknown: int = 0

    def __len__(self) -> int:
        return len(self.class_id)


@dataclass(frozen=True, slots=True)
class ClassAccuracy:
    """Average precision of a class: at IoU 0.5, and the mean over 0.5 to 0.95; None for a class without objects."""

    objects: int
    ap50: float | None
    ap50_95: float | None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Mean average precision over the classes that have objects; ``per_class`` is by class id."""

    objects: int
    map50: float | None
    map50_95: float | None
    per_class: Mapping[int, ClassAccuracy]


def evaluate(truths: Sequence[FrameTruth], found: Sequence[Detections], classes: Sequence[int]) -> Accuracy:
    """The accuracy of the detections ``found`` in each frame against ``truths``; only ``classes`` count."""
    table = precisions(truths, found, classes, EVERY_SIZE)[..., 0]
    present = np.concatenate([one.class_id[~one.crowd] for one in truths]) if truths else np.empty(0, np.int64)
    objects = {class_id: int((present == class_id).sum()) for class_id in classes}
    return Accuracy(
        sum(objects.values()),
        mean(table[0]),
        mean(table),
        {
            class_id: ClassAccuracy(objects[class_id], mean(table[0, :, place]), mean(table[:, :, place]))
            for place, class_id in enumerate(classes)
        },
    )


def precisions(
    truths: Sequence[FrameTruth],
    found: Sequence[Detections],
    classes: Sequence[int],
    sizes: Mapping[str, tuple[float, float]],
) -> npt.NDArray[np.float64]:
    """The precision by IoU threshold (10), recall (101), class and size: 4 axes; -1 where there is no object.

    ``sizes`` are ranges of a box's larger side, in pixels. Prints nothing.
    """
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_coco_of_truths(truths, classes), _coco_of_found(found, classes), "bbox")
        evaluation.params.imgIds = list(range(len(truths)))
        evaluation.params.catIds = list(classes)
        evaluation.params.areaRng = [[low**2, high**2] for low, high in sizes.values()]
        evaluation.params.areaRngLbl = list(sizes)
        evaluation.evaluate()
        evaluation.accumulate()
    # The last axis is the number of detections allowed: 1, 10, 100.
    table: npt.NDArray[np.float64] = evaluation.eval["precision"][..., -1]
    return table


def mean(table: npt.NDArray[np.float64]) -> float | None:
    """The mean of a table of `precisions`, over the entries with objects; None when there are none."""
    counted = table[table > -1]
    return float(counted.mean()) if counted.size else None


def _coco_of_truths(truths: Sequence[FrameTruth], classes: Sequence[int]) -> Any:
    return _coco(
        len(truths),
        classes,
        [
            {**_annotation(image, box, class_id), "iscrowd": int(crowd)}
            for image, one in enumerate(truths)
            for box, class_id, crowd in zip(one.xyxy.tolist(), one.class_id.tolist(), one.crowd.tolist(), strict=True)
        ],
    )


def _coco_of_found(found: Sequence[Detections], classes: Sequence[int]) -> Any:
    return _coco(
        len(found),
        classes,
        [
            {**_annotation(image, box, class_id), "iscrowd": 0, "score": score}
            for image, one in enumerate(found)
            for box, class_id, score in zip(
                one.xyxy.tolist(), one.class_id.tolist(), one.confidence.tolist(), strict=True
            )
        ],
    )


def _annotation(image: int, xyxy: Sequence[float], class_id: int) -> dict[str, Any]:
    x1, y1, x2, y2 = xyxy
    wide, high = x2 - x1, y2 - y1
    # pycocotools distinguishes sizes by "area": the square of the larger side makes them those of `precisions`.
    return {"image_id": image, "category_id": class_id, "bbox": [x1, y1, wide, high], "area": max(wide, high) ** 2}


def _coco(images: int, classes: Sequence[int], annotations: list[dict[str, Any]]) -> Any:
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {
        "images": [{"id": image} for image in range(images)],
        "categories": [{"id": class_id} for class_id in classes],
        # From 1: pycocotools reads 0 as "no object".
        "annotations": [{"id": number, **one} for number, one in enumerate(annotations, start=1)],
    }
    coco.createIndex()
    return coco
