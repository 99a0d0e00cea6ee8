"""The heads of detectors, recognised by the shape of what they give."""

from __future__ import annotations

from enum import StrEnum

from streamer.errors import ModelError

STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 3
MAX_END_TO_END = 1000
"""More rows than this no end-to-end head puts out: it has chosen among its predictions, by default 300 of them."""


class Head(StrEnum):
    """How a model lays out its raw prediction."""

    OBJECTNESS = "boxes+objectness+classes"
    """1 x predictions x (4 + 1 + classes), as YOLOv5 v7 exports it."""
    CLASSES = "boxes+classes"
    """1 x (4 + classes) x predictions, as Ultralytics exports YOLOv5u, v8 and 11."""
    END_TO_END = "boxes+confidence+class"
    """1 x detections x (corners, confidence, class), as YOLOv10 and YOLO26 export it: nothing is left to suppress."""


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
    ``end_to_end`` the metadata says that it is one. Raises ModelError for anything else.
    """
    if len(output_shape) == 3 and output_shape[0] == 1:
        _, rows, columns = output_shape
        chosen = columns == 6 and 0 < rows <= MAX_END_TO_END
        if chosen and end_to_end:
            return Head.END_TO_END, None
        if rows == ANCHORS_PER_CELL * cells(input_size) and columns > 5:
            return Head.OBJECTNESS, columns - 5
        if columns == cells(input_size) and rows > 4:
            return Head.CLASSES, rows - 4
        if chosen:
            return Head.END_TO_END, None
    raise ModelError(
        f"not a detector that streamer knows: an output of {list(output_shape)} for an input of "
        f"{input_size[1]}x{input_size[0]}; give a YOLO detector exported without NMS"
    )
