"""``detections.csv``: as many rows per frame as the ledger says, each a possible detection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from streamer.verify.csv_table import Array, Block, Form, blocks
from streamer.verify.frames_csv import Rows
from streamer.verify.manifest import Document
from streamer.verify.reasons import Reasons

NAME = "detections.csv"
SIDES = ("x1", "y1", "x2", "y2")
HEADER = ("stream", "frame", "class_id", "label", "confidence", *SIDES)

_NUMBER = Form(r"\d{1,9}", "a number")
_CONFIDENCE = Form(r"[01]\.\d{4}", "0 to 1 with four decimals")
_PIXELS = Form(r"-?\d{1,9}\.\d{2}", "pixels with two decimals")


def check_objects(rows: Rows, path: Path, document: Document, reasons: Reasons, *, incomplete: bool) -> int:
    """Counts, boxes, confidence and classes; returns how many rows there were. Raises Unreadable.

    With ``incomplete`` pieces of either table have been let go: then nothing is counted.
    """
    return _check(rows, path, document, reasons, whole=True, incomplete=incomplete)[0]


def count_objects(rows: Rows, path: Path, document: Document, reasons: Reasons) -> tuple[int, int]:
    """The same of a killed run, where rows of frames that are not in the ledger are to be expected.

    Returns how many rows there were, and how many of such frames. Raises Unreadable.
    """
    return _check(rows, path, document, reasons, whole=False, incomplete=False)


def _check(
    rows: Rows, path: Path, document: Document, reasons: Reasons, *, whole: bool, incomplete: bool
) -> tuple[int, int]:
    classes = document.whole("model", "classes")
    keys = np.append(_keys(rows.stream, rows.frame), -1)  # where a frame beyond the last would stand
    counted = np.zeros(len(rows), np.int64)
    total = strays = 0
    for block in blocks(path, HEADER, whole=whole):
        stream, frame = block.numbers("stream", _NUMBER), block.numbers("frame", _NUMBER)
        _check_block(block, frame, classes, reasons)
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


def _check_block(block: Block, frame: Array, classes: int, reasons: Reasons) -> None:
    """Boxes, confidence and classes of some rows."""

    def place(at: int, column: str) -> str:
        return f"{NAME} row {block.first + at}, frame {frame[at]}, {column}"

    confidence, class_id = block.numbers("confidence", _CONFIDENCE), block.numbers("class_id", _NUMBER)
    reasons.add_each(
        confidence > 10_000,
        lambda at: f"{place(at, 'confidence')}: found {confidence[at] / 1e4:.4f}, expected {_CONFIDENCE.expected}",
    )
    reasons.add_each(
        class_id >= classes,
        lambda at: f"{place(at, 'class_id')}: found {class_id[at]}, expected less than {classes}, model.classes",
    )
    x1, y1, x2, y2 = (block.numbers(side, _PIXELS) for side in SIDES)
    for axis, low, high in (("x", x1, x2), ("y", y1, y2)):
        reasons.add_each(low > high, partial(_turned, place, axis, low, high))


def _turned(place: Callable[[int, str], str], axis: str, low: Array, high: Array, at: int) -> str:
    return (
        f"{place(at, f'{axis}2')}: found {high[at] / 100:.2f}, expected {low[at] / 100:.2f} or more, which is {axis}1"
    )


def _keys(stream: Array, frame: Array) -> Array:
    """One number for stream and frame, in their order."""
    return (stream << 31) + frame


def _check_counts(rows: Rows, counted: Array, reasons: Reasons) -> None:
    """A delivered frame has all its rows; one that the sink never took, none; one that it failed on, none or all."""
    all_there = counted == rows.detections
    none_there = counted == 0
    right = np.where(
        rows.of("delivered"), all_there, np.where(rows.has("sink_start"), all_there | none_there, none_there)
    )
    # Of frames that are in the ledger twice, the first has all the rows; that they are twice is said elsewhere.
    keys = _keys(rows.stream, rows.frame)
    right[1:] |= keys[1:] == keys[:-1]
    reasons.add_each(
        ~right,
        lambda at: (
            f"{NAME} frame {rows.frame[at]}: found {counted[at]} rows, expected "
            f"{rows.detections[at] if rows.has('sink_start')[at] else 0}"
        ),
    )
