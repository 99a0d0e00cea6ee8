"""What the heads share that put out a row for each object they have chosen, in one output or in several."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from streamer.detection.head import Array, Floats, floats
from streamer.detection.ports import Signature

MOST_OF_A_SHARE = 2.0
"""A box may reach beyond the picture, but none that is given in shares of it reaches so far."""


def as_rows(output: Array, columns: int) -> Floats:
    """An output of one picture as rows of so many columns, whatever its rank; none of an empty one."""
    return floats(output).reshape(-1, columns)


def in_pixels(xyxy: Floats, input_size: tuple[int, int]) -> Floats:
    """Boxes (n x 4) that are given in shares of an input of ``input_size`` (height, width), in its pixels."""
    height, width = input_size
    return xyxy * np.array([width, height, width, height], np.float32)


def in_shares(xyxy: tuple[float, float, float, float], input_size: tuple[int, int]) -> tuple[float, ...]:
    """Corners in pixels of an input of ``input_size`` (height, width), in shares of it."""
    height, width = input_size
    return tuple(side / whole for side, whole in zip(xyxy, (width, height, width, height), strict=True))


def are_shares(xyxy: Floats) -> bool | None:
    """Whether boxes (n x 4) are given in shares of the picture, by their values; None when there are none."""
    sized = xyxy[(xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)]
    # The median: of thousands that have not been chosen some are far away.
    return bool(np.median(np.abs(sized).max(axis=1)) <= MOST_OF_A_SHARE) if len(sized) else None


def no_classes(column: Array) -> str | None:
    """Why these are no numbers of classes; None when they may be. A row that is not used may have -1."""
    if (column != np.round(column)).any() or (column < -1).any():
        return "it is no such detector: its labels are no class numbers"
    return None


def side_inputs(model: Signature) -> Mapping[int, Array] | None:
    """What goes in beside the picture: height, width and scale (Caffe's ``im_info``); None for other inputs."""
    height, width = model.input_size
    others = {at: port for at, port in enumerate(model.inputs) if at != model.picture}
    if any(port.shape not in ((3,), (1, 3)) for port in others.values()):
        return None
    return {
        at: np.array([height, width, 1], port.dtype).reshape([side or 1 for side in port.shape])
        for at, port in others.items()
    }


def of_one_picture(shape: tuple[int | None, ...], rank: int) -> tuple[int | None, ...] | None:
    """The last ``rank`` sides of an output that may have a batch of one before them; None for another rank."""
    batch = shape[: len(shape) - rank]
    return shape[len(batch) :] if len(shape) >= rank and all(side in (1, None) for side in batch) else None
