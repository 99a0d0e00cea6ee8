"""The picture that the kit shows: three objects, each a patch of one colour, and where they lie in a model's input.

Nothing here is streamer's: it says again, by itself, what a model's preprocessing is to come to.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from streamer.detection.input_spec import Colour, Fit, InputSpec

GRID = 64
"""Boxes are given in sixty-fourths of the input's sides."""
BACKGROUND = (20, 20, 20)
TOLERANCE = 10.0
"""How far a patch may be from its colour, on average over its pixels and of 255: one pixel aside is too far."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A patch of the picture: its corners, its colour (red, green, blue; 0 to 255), and how sure a model is of it."""

    box: tuple[int, int, int, int]
    rgb: tuple[int, int, int]
    confidence: float
    class_id: int


def objects(input_size: tuple[int, int]) -> tuple[Shown, ...]:
    """What the picture for an input of this height and width shows; all of it in the half that a crop leaves.

    None is of class 0, which is the background in some models.
    """
    height, width = input_size
    return tuple(
        Shown(_in_pixels(box, width, height), rgb, confidence, class_id)
        for box, rgb, confidence, class_id in (
            ((36, 8, 64, 28), (220, 60, 40), 0.9, 1),
            ((64, 32, 92, 56), (40, 220, 90), 0.8, 3),
            ((68, 4, 88, 24), (60, 90, 230), 0.7, 2),
        )
    )


def _in_pixels(box: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """In steps of 4, so that halves are whole pixels too."""
    x1, y1, x2, y2 = (side * size // (4 * GRID) * 4 for side, size in zip(box, (width, height) * 2, strict=True))
    return x1, y1, x2, y2


def picture(input_size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The picture in BGR: twice as wide as the input, and as high."""
    height, width = input_size
    image = np.full((height, 2 * width, 3), BACKGROUND, np.uint8)
    for one in objects(input_size):
        x1, y1, x2, y2 = one.box
        image[y1:y2, x1:x2] = one.rgb[::-1]
    return image


def place(box: tuple[int, int, int, int], input_size: tuple[int, int], fit: Fit) -> tuple[int, int, int, int]:
    """Where a box of the picture lies in the input."""
    height, width = input_size
    across, down, left, top = {
        Fit.LETTERBOX: (2, 2, 0, height // 4),
        Fit.LETTERBOX_TOP_LEFT: (2, 2, 0, 0),
        Fit.STRETCH: (2, 1, 0, 0),
        Fit.CROP: (1, 1, -(width // 2), 0),
    }[fit]
    x1, y1, x2, y2 = box
    return x1 // across + left, y1 // down + top, x2 // across + left, y2 // down + top


def numbers(rgb: tuple[int, int, int], spec: InputSpec) -> npt.NDArray[np.float32]:
    """A colour as the model is to get it: 3 numbers, in its order."""
    ordered = rgb if spec.colour is Colour.RGB else rgb[::-1]
    return np.array(
        [
            (spec.low + (spec.high - spec.low) * value / 255 - mean) / scale
            for value, mean, scale in zip(ordered, spec.mean, spec.scale, strict=True)
        ],
        np.float32,
    )


def tolerance(spec: InputSpec) -> npt.NDArray[np.float32]:
    """`TOLERANCE` in each of the model's numbers."""
    return np.array([TOLERANCE / 255 * abs((spec.high - spec.low) / scale) for scale in spec.scale], np.float32)


def of_bytes(spec: InputSpec) -> InputSpec:
    """The same for a model that takes bytes as they are, and scales them itself."""
    return replace(spec, low=0.0, high=255.0, mean=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0))
