"""A frame as the camera delivers it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""Height x width x 3, BGR, uint8."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of one stream.

    ``index`` counts from 0 within the stream; ``pts`` is its presentation time in seconds since the stream's
    first frame, exact; ``image`` is height x width x 3, BGR, uint8; ``arrived_us`` is the clock's
    reading in microseconds when the frame of a live source arrived, None for other sources. A frame ``after_damage``
    may look damaged: a frame it refers to was damaged or is missing, and no key frame has come since.
    """

    stream: int
    index: int
    pts: Fraction
    image: Image
    arrived_us: int | None = None
    after_damage: bool = False
