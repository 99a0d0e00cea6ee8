"""``detections.csv``: as many rows per frame as the ledger says, each a possible detection."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from streamer.verification.csv_table import Array, Form, blocks
from streamer.verification.frames_csv import Rows
from streamer.verification.manifest import Document, RunFacts
from streamer.verification.reasons import Reasons

NAME = "detections.csv"
SIDES = ("x1", "y1", "x2", "y2")
HEADER = ("stream", "frame", "class_id", "label", "confidence", *SIDES)

Place = Callable[[int, str], str]
"""Names the place of a row and a column in the file, for messages."""

_NUMBER = Form(r"\d{1,9}", "a number")
_CONFIDENCE = Form(r"\d{1,9}\.\d{4}", "0 to 1 with four decimals")
_CERTAIN, _ROUNDING = 10_000, 100
_MORE_THAN_CERTAIN = "the model is more than certain"
"""The head of the doubt of a run whose model outputs confidences above 1 by more than rounding."""
_PIXELS = Form(r"-?\d{1,9}\.\d{2}", "pixels with two decimals")


@dataclass(frozen=True, slots=True)
class Boxes:
    """Some rows, each field (rows,): confidences in 1/10,000, and ``sides``, as in SIDES, in 1/100 of a pixel."""

    frame: Array
    class_id: Array
    confidence: Array
    sides: tuple[Array, ...]


def check_objects(
    rows: Rows, run: RunFacts | None, path: Path, document: Document, reasons: Reasons, *, incomplete: bool
) -> int:
    """Checks counts, boxes, confidences and classes; returns the number of rows. Raises Unreadable.

    ``incomplete`` says that segments of either table have been deleted: then rows per frame are not counted.
    """
    return _check(rows, run, path, document, reasons, whole=True, incomplete=incomplete)[0]


def count_objects(
    rows: Rows, run: RunFacts, path: Path, document: Document, reasons: Reasons, *, incomplete: bool
) -> tuple[int, int]:
    """Checks the same for a killed run, where rows of frames that the ledger does not have are expected.

    Returns the number of rows, and how many of them are of such frames. Raises Unreadable.
    """
    return _check(rows, run, path, document, reasons, whole=False, incomplete=incomplete)


def _check(
    rows: Rows,
    run: RunFacts | None,
    path: Path,
    document: Document,
    reasons: Reasons,
    *,
    whole: bool,
    incomplete: bool,
) -> tuple[int, int]:
    named, surest = document.get("model", "classes") is not None, _surest(document)
    classes = document.whole("model", "classes") if named else None
    keys = np.append(_keys(rows.stream, rows.frame), -1)  # where a frame beyond the last would stand
    counted = np.zeros(len(rows), np.int64)
    labels: dict[int, str] = {}
    total = strays = 0
    for block in blocks(path, HEADER, whole=whole):
        stream, frame = block.numbers("stream", _NUMBER), block.numbers("frame", _NUMBER)
        boxes = Boxes(
            frame,
            block.numbers("class_id", _NUMBER),
            block.numbers("confidence", _CONFIDENCE),
            tuple(block.numbers(side, _PIXELS) for side in SIDES),
        )
        place = partial(_place, block.first, frame)
        _check_block(boxes, classes, surest, place, reasons)
        if run is not None:
            _check_bounds(boxes, stream, run, place, reasons)
        if not named:
            labels.update((one, f"class_{one}") for one in np.unique(boxes.class_id).tolist())
        _check_labels(boxes.class_id, block.cells("label"), labels, place, reasons)
        here = _keys(stream, frame)
        at_row = np.searchsorted(keys[:-1], here)
        known = keys[at_row] == here
        if whole and not incomplete:
            reasons.add_each(~known, partial(_unknown, block.first, frame))
        strays += int((~known).sum())
        np.add.at(counted, at_row[known], 1)
        total += len(frame)
    if not incomplete:
        _check_counts(rows, counted, reasons)
    return total, strays


def _unknown(first: int, frame: Array, at: int) -> str:
    return f"{NAME} row {first + at}, frame: found {frame[at]}, which the ledger has not"


def _place(first: int, frame: Array, at: int, column: str) -> str:
    return f"{NAME} row {first + at}, frame {frame[at]}, {column}"


def _surest(document: Document) -> int:
    """The highest confidence that is accepted, in 1/10,000: any, where the run doubts its confidences itself.

    The doubts of a killed run are not known.
    """
    killed = not document.has("doubts") or document.has("repaired")
    if killed or any(str(doubt).startswith(_MORE_THAN_CERTAIN) for doubt in document.many("doubts")):
        return np.iinfo(np.int64).max
    return _CERTAIN + _ROUNDING


def _check_block(boxes: Boxes, classes: int | None, surest: int, place: Place, reasons: Reasons) -> None:
    """Checks boxes, confidence and classes of some rows; ``classes`` is None when their number is not known."""
    confidence, class_id = boxes.confidence, boxes.class_id
    reasons.add_each(
        confidence > surest,
        lambda at: f"{place(at, 'confidence')}: found {confidence[at] / 1e4:.4f}, expected {_CONFIDENCE.expected}",
    )
    if classes is not None:
        reasons.add_each(
            class_id >= classes,
            lambda at: f"{place(at, 'class_id')}: found {class_id[at]}, expected less than {classes}, model.classes",
        )
    x1, y1, x2, y2 = boxes.sides
    for axis, low, high in (("x", x1, x2), ("y", y1, y2)):
        reasons.add_each(low > high, partial(_turned, place, axis, low, high))


def _check_bounds(boxes: Boxes, stream: Array, run: RunFacts, place: Place, reasons: Reasons) -> None:
    """Checks that confidences reach the requested least one, and that boxes are within the picture."""
    least = math.floor(run.confidence * 10_000)
    reasons.add_each(
        boxes.confidence < least,
        lambda at: (
            f"{place(at, 'confidence')}: found {boxes.confidence[at] / 1e4:.4f}, "
            f"expected {least / 1e4:.4f} or more, run.confidence"
        ),
    )
    for number, facts in enumerate(run.streams):
        if facts.own_sizes or facts.width is None or facts.height is None:
            continue
        here = stream == number
        for side, values in zip(SIDES, boxes.sides, strict=True):
            most = 100 * (facts.width if side.startswith("x") else facts.height)
            reasons.add_each(here & ((values < 0) | (values > most)), partial(_outside, place, side, values, most))


def _outside(place: Place, side: str, values: Array, most: int, at: int) -> str:
    return f"{place(at, side)}: found {values[at] / 100:.2f}, expected 0.00 to {most / 100:.2f}, within the picture"


def _check_labels(
    class_id: Array, found: Sequence[str], labels: dict[int, str], place: Place, reasons: Reasons
) -> None:
    """Checks that each class has one label; ``labels`` are those met so far, or the stand-ins of unnamed classes."""
    expected = [labels.setdefault(one, label) for one, label in zip(class_id.tolist(), found, strict=True)]
    reasons.add_each(
        np.array([one != other for one, other in zip(found, expected, strict=True)], bool),
        lambda at: (
            f"{place(at, 'label')}: found {found[at]!r}, expected {expected[at]!r} as class {class_id[at]} before"
        ),
    )


def _turned(place: Place, axis: str, low: Array, high: Array, at: int) -> str:
    return (
        f"{place(at, f'{axis}2')}: found {high[at] / 100:.2f}, expected {low[at] / 100:.2f} or more, which is {axis}1"
    )


def _keys(stream: Array, frame: Array) -> Array:
    """One number for stream and frame, in their order."""
    return (stream << 31) + frame


def _check_counts(rows: Rows, counted: Array, reasons: Reasons) -> None:
    """Checks the rows per frame: all of a delivered frame, none of one that the sink never began.

    A frame on which the sink failed has none or all.
    """
    all_there = counted == rows.detections
    none_there = counted == 0
    right = np.where(
        rows.of("delivered"), all_there, np.where(rows.has("sink_start"), all_there | none_there, none_there)
    )
    # A frame that is in the ledger twice has all its rows at the first; another check reports the repeat.
    keys = _keys(rows.stream, rows.frame)
    right[1:] |= keys[1:] == keys[:-1]
    reasons.add_each(
        ~right,
        lambda at: (
            f"{NAME} frame {rows.frame[at]}: found {counted[at]} rows, expected "
            f"{rows.detections[at] if rows.has('sink_start')[at] else 0}"
        ),
    )
