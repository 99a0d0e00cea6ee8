"""The grids of a detector, with one or a few predictions per cell: their number and their places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streamer.detection.head import By, Floats

STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
"""The strides of the usual grids of detectors, and those with a coarser grid (P6) and with a finer one (P2)."""
RARE_STRIDES = ((16, 32), (8, 16), (4, 8, 16), (4, 8, 16, 32, 64), (8, 16, 32, 64, 128))
"""The strides of YOLOv3-tiny, of models for small objects, and with two more grids."""


def cells(input_size: tuple[int, int], strides: Sequence[int]) -> int:
    """The number of cells of the grids of ``strides`` together, for an input of ``input_size`` (height, width)."""
    height, width = input_size
    return sum((height // stride) * (width // stride) for stride in strides)


def grids(
    input_size: tuple[int, int],
    predictions: int | None,
    per_cell: int = 1,
    among: Sequence[tuple[int, ...]] = STRIDES,
) -> tuple[int, ...] | None:
    """The first strides ``among`` these whose grids have so many predictions together; None when none have."""
    fitting = (strides for strides in among if per_cell * cells(input_size, strides) == predictions)
    return next(fitting, None)


def by_grids(
    input_size: tuple[int, int],
    predictions: int | None,
    per_cell: int = 1,
    among: Sequence[tuple[int, ...]] = (*STRIDES, *RARE_STRIDES),
) -> By | None:
    """The evidence that so many predictions are those of grids; None when they are not.

    For small pictures one head may have as many cells as another has rows: the usual grids go first.
    """
    strides = grids(input_size, predictions, per_cell, among)
    if strides is None:
        return None
    return By.SHAPE if strides == STRIDES[0] else By.RARE_SHAPE


def rows_are_raw(input_size: tuple[int, int], rows: Floats) -> bool:
    """The first two columns are places in a cell, not in the picture; there is a row for each cell of the grids."""
    strides = grids(input_size, len(rows))
    if strides is None:
        return False
    corner, stride = cell_corners(input_size, strides)
    in_picture = np.abs(rows[:, :2] / stride - corner - 0.5)
    return bool(np.median(np.abs(rows[:, :2] - 0.5)) < np.median(in_picture))


def cell_corners(input_size: tuple[int, int], strides: Sequence[int]) -> tuple[Floats, Floats]:
    """Column and row of each cell (n x 2) in its grid, row by row, and the grid's stride (n x 1)."""
    height, width = input_size
    corners, sizes = [], []
    for stride in strides:
        y, x = np.mgrid[: height // stride, : width // stride]
        corners.append(np.stack([x.ravel(), y.ravel()], axis=1))
        sizes.append(np.full((x.size, 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(sizes).astype(np.float32)
