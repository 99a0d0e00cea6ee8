"""The heads of detectors, a row each: how one is recognised, and how its raw prediction is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from streamer.errors import ModelError

STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 3
MAX_END_TO_END = 1000
"""More rows than this no end-to-end head puts out: it has chosen among its predictions, by default 300 of them."""

Raw = npt.NDArray[np.float32]
Candidates = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int32]]
"""Boxes, confidence and class_id of predictions, in any order."""
Object = tuple[float, float, float, float, float, int]
"""Centre x and y, width, height, confidence and class of one."""


class Head(StrEnum):
    """How a model lays out its raw prediction."""

    OBJECTNESS = "boxes+objectness+classes"
    """1 x predictions x (4 + 1 + classes), as YOLOv5 v7 exports it."""
    CLASSES = "boxes+classes"
    """1 x (4 + classes) x predictions, as Ultralytics exports YOLOv5u, v8 and 11."""
    END_TO_END = "boxes+confidence+class"
    """1 x detections x (corners, confidence, class), as YOLOv10 and YOLO26 export it: nothing is left to suppress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is known of a head.

    ``fits`` is for an output of rows x columns and an input with so many cells; ``classes`` is then their number,
    None where the shape does not tell. ``decode`` finds the candidates above a confidence: boxes are centre and size,
    or, where the head is ``end_to_end`` and has suppressed what overlaps, corners. ``write`` is the way back: it puts
    as many objects as there is room for into a prediction of zeros.
    """

    fits: Callable[[int, int, int], bool]
    classes: Callable[[int, int], int | None]
    decode: Callable[[Raw, float], Candidates]
    write: Callable[[Raw, Sequence[Object]], None]
    end_to_end: bool = False


def _decode_objectness(rows: Raw, threshold: float) -> Candidates:
    """Candidates among predictions x (box, objectness, classes): confidence = objectness x class score."""
    rows = rows[rows[:, 4] > threshold]
    scores = rows[:, 5:] * rows[:, 4:5]
    class_id = scores.argmax(axis=1)
    confidence = scores[np.arange(len(rows)), class_id]
    above = confidence > threshold
    return rows[above, :4], confidence[above], class_id[above].astype(np.int32)


def _write_objectness(rows: Raw, objects: Sequence[Object]) -> None:
    for row, (*box, confidence, class_id) in zip(rows, objects, strict=False):
        row[:4] = box
        row[4] = 1
        row[5 + class_id] = confidence


def _decode_classes(columns: Raw, threshold: float) -> Candidates:
    """Candidates among (box, classes) x predictions: confidence = class score."""
    above = np.flatnonzero(columns[4:].max(axis=0) > threshold)
    chosen = columns[:, above]
    class_id = chosen[4:].argmax(axis=0)
    confidence = chosen[4:][class_id, np.arange(len(above))]
    return np.ascontiguousarray(chosen[:4].T), confidence, class_id.astype(np.int32)


def _write_classes(columns: Raw, objects: Sequence[Object]) -> None:
    for row, (*box, confidence, class_id) in zip(columns.T, objects, strict=False):
        row[:4] = box
        row[4 + class_id] = confidence


def _decode_end_to_end(rows: Raw, threshold: float) -> Candidates:
    """Candidates among detections x (corners, confidence, class)."""
    rows = rows[rows[:, 4] > threshold]
    return rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32)


def _write_end_to_end(rows: Raw, objects: Sequence[Object]) -> None:
    for row, (x, y, width, height, confidence, class_id) in zip(rows, objects, strict=False):
        row[:] = x - width / 2, y - height / 2, x + width / 2, y + height / 2, confidence, class_id


HEADS: Mapping[Head, Row] = {
    Head.OBJECTNESS: Row(
        fits=lambda rows, columns, cells: rows == ANCHORS_PER_CELL * cells and columns > 5,
        classes=lambda rows, columns: columns - 5,
        decode=_decode_objectness,
        write=_write_objectness,
    ),
    Head.CLASSES: Row(
        fits=lambda rows, columns, cells: columns == cells and rows > 4,
        classes=lambda rows, columns: rows - 4,
        decode=_decode_classes,
        write=_write_classes,
    ),
    Head.END_TO_END: Row(
        fits=lambda rows, columns, cells: columns == 6 and 0 < rows <= MAX_END_TO_END,
        classes=lambda rows, columns: None,
        decode=_decode_end_to_end,
        write=_write_end_to_end,
        end_to_end=True,
    ),
}
"""The first one that fits an output is its head."""


def cells(input_size: tuple[int, int]) -> int:
    """How many cells the three grids of an input of ``input_size`` (height, width) have together."""
    height, width = input_size
    return sum((height // stride) * (width // stride) for stride in STRIDES)


def recognise_head(
    output_shape: tuple[int, ...], input_size: tuple[int, int], *, end_to_end: bool = False
) -> tuple[Head, int | None]:
    """The head that puts out ``output_shape`` for an input of ``input_size``, and its number of classes.

    The number of predictions follows from the input's size, so the raw layouts cannot be mistaken for others; six
    columns of any other number are those of an end-to-end head, which does not tell its classes (None). With
    ``end_to_end`` the metadata says that it is one, which goes before the order of HEADS. Raises ModelError for
    anything else.
    """
    if len(output_shape) == 3 and output_shape[0] == 1:
        _, rows, columns = output_shape
        fitting = [head for head, row in HEADS.items() if row.fits(rows, columns, cells(input_size))]
        if fitting:
            head = max(fitting, key=lambda head: end_to_end and HEADS[head].end_to_end)
            return head, HEADS[head].classes(rows, columns)
    raise ModelError(
        f"not a detector that streamer knows: an output of {list(output_shape)} for an input of "
        f"{input_size[1]}x{input_size[0]}; give a YOLO detector exported without NMS"
    )
