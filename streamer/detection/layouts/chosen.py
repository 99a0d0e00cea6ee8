"""Functions for heads with a row per selected object, in one output or in several."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from streamer.detection.head import Array, Floats, floats
from streamer.detection.ports import Signature

MOST_OF_A_SHARE = 2.0
"""Boxes may reach beyond the picture, but those in shares of it do not reach so far."""


def as_rows(output: Array, columns: int) -> Floats:
    """An output of one picture as rows of so many columns, for any rank; no rows for an empty one."""
    return floats(output).reshape(-1, columns)


def in_pixels(xyxy: Floats, input_size: tuple[int, int]) -> Floats:
    """Boxes (n x 4) in shares of an input of ``input_size`` (height, width), converted to its pixels."""
    height, width = input_size
    return xyxy * np.array([width, height, width, height], np.float32)


def in_shares(xyxy: tuple[float, float, float, float], input_size: tuple[int, int]) -> tuple[float, ...]:
    """Corners in pixels of an input of ``input_size`` (height, width), converted to shares of it."""
    height, width = input_size
    return tuple(side / whole for side, whole in zip(xyxy, (width, height, width, height), strict=True))


def are_shares(xyxy: Floats) -> bool | None:
    """Whether boxes (n x 4) are in shares of the picture, by their values; None when there are none."""
    sized = xyxy[(xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)]
    # The median: among thousands of unselected boxes some are far away.
    return bool(np.median(np.abs(sized).max(axis=1)) <= MOST_OF_A_SHARE) if len(sized) else None


def no_classes(column: Array) -> str | None:
    """The reason why these are no class ids; None when they may be. An unused row may have -1."""
    if (column != np.round(column)).any() or (column < -1).any():
        return "it is no such detector: its labels are no class numbers"
    return None


def side_inputs(model: Signature) -> Mapping[int, Array] | None:
    """The inputs beside the picture: height, width and scale (Caffe's ``im_info``); None for other inputs."""
    height, width = model.input_size
    others = {at: port for at, port in enumerate(model.inputs) if at != model.picture}
    if any(port.shape not in ((3,), (1, 3)) for port in others.values()):
        return None
    return {
        at: np.array([height, width, 1], port.dtype).reshape([side or 1 for side in port.shape])
        for at, port in others.items()
    }


def of_one_picture(shape: tuple[int | None, ...], rank: int) -> tuple[int | None, ...] | None:
    """The last ``rank`` sides of an output; None for another rank. Sides of 1 may precede them, as a batch."""
    batch = shape[: len(shape) - rank]
    return shape[len(batch) :] if len(shape) >= rank and all(side in (1, None) for side in batch) else None
