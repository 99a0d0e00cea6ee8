"""Outputs that are tables, with a row or a column for each box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from streamer.detection.head import Array, Floats, floats
from streamer.detection.ports import Signature


def plane(model: Signature, at: int = 0) -> tuple[int, int] | None:
    """Rows and columns of an output, with or without a batch of one; None for another rank or an open size."""
    rows, columns = open_plane(model, at)
    return None if rows is None or columns is None else (rows, columns)


def open_plane(model: Signature, at: int = 0) -> tuple[int | None, int | None]:
    """Rows and columns of an output as in `plane`; None for an open number, and both None for another rank."""
    shape = model.outputs[at].shape
    if len(shape) == 3 and shape[0] in (1, None):
        shape = shape[1:]
    return (shape[0], shape[1]) if len(shape) == 2 else (None, None)


def flat(output: Array) -> Floats:
    """An output of one picture as rows x columns, in float32."""
    return floats(output[0] if output.ndim == 3 else output)


@dataclass(frozen=True, slots=True)
class Table:
    """The output with the boxes: its number, and how many of its columns are coefficients of masks."""

    at: int
    masks: int = 0


def table_of(model: Signature) -> Table | None:
    """The output with the boxes; None when there are outputs that no YOLO has.

    Beside it may be the prototypes of masks (rank 4), or the raw grids (rank 5) from which its boxes are made.
    """
    ranks = [len(port.shape) for port in model.outputs]
    at = next((at for at, rank in enumerate(ranks) if rank in (2, 3)), None)
    if at is None:
        return None
    others = [port.shape for number, port in enumerate(model.outputs) if number != at]
    if len(others) == 1 and len(others[0]) == 4:
        masks = others[0][1]
        return None if masks is None else Table(at, masks)
    return Table(at) if all(len(shape) == 5 for shape in others) else None


def sides_of(model: Signature) -> tuple[tuple[int, int] | None, Table]:
    """Rows and columns of the output with the boxes, None if they are not fixed; and that output."""
    table = table_of(model)
    return (None, Table(0)) if table is None else (plane(model, table.at), table)


def table_in(output: Array) -> Array:
    """A view of an output of one picture as rows x columns, in its own type."""
    return output[0] if output.ndim == 3 else output


def with_room(output: Array, shape: Sequence[int | None], count: int) -> Array:
    """An output with ``count`` rows where its ``shape`` leaves their number open; else the output unchanged."""
    if shape[-2] is not None:
        return output
    return np.zeros((*(side or 1 for side in shape[:-2]), count, output.shape[-1]), output.dtype)


def numbers(column: Array) -> npt.NDArray[np.int32]:
    """Class ids from a column of any type. What is not a finite number becomes -1, which no class has."""
    if column.dtype.kind == "f":
        column = floats(column)
        column = np.where(np.abs(column) < 2**31, column, -1)
    return column.astype(np.int32)


def column_of_classes(column: Floats) -> str | None:
    """The reason why these are no class ids; None when they may be. Numbers that are not finite are ignored."""
    sound = column[np.isfinite(column)]
    if (sound != np.round(sound)).any() or (sound < 0).any():
        return "it is no end-to-end detector: its last column holds no class numbers"
    return None


def parts_of_picture(boxes: Floats) -> bool:
    """All boxes are in shares of the picture, or empty; they may reach over its edges."""
    return bool((np.abs(boxes) <= 1.5).all())
