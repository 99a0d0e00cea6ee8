"""How a camera's picture becomes a model's input: its fit, colours and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

PADDING_GRAY = 114


class Fit(StrEnum):
    """How a frame is made to fit the model's input."""

    LETTERBOX = "letterbox"
    """It keeps its aspect ratio and lies in the middle, with padding around it."""
    LETTERBOX_TOP_LEFT = "letterbox-top-left"
    """It keeps its aspect ratio and lies in the upper left corner, with padding right and below."""
    STRETCH = "stretch"
    """It fills the input; its sides are scaled separately."""
    CROP = "crop"
    """Its centre fills the input; the rest is cut off."""


class Colour(StrEnum):
    """The order of the colours."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """The preprocessing that a model needs.

    A byte of the picture, 0 to 255, is mapped to ``low`` to ``high``. Then ``mean`` is subtracted and the result is
    divided by ``scale``; both have a number per colour, in the model's order ``colour``. ``fit`` places the picture
    in the input, and ``pad`` is the gray around it, 0 to 255.
    """

    colour: Colour = Colour.RGB
    low: float = 0.0
    high: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    fit: Fit = Fit.LETTERBOX
    pad: int = PADDING_GRAY

    @property
    def factor(self) -> npt.NDArray[np.float32]:
        """The factor for the bytes of each colour, in the model's order: 3 float32."""
        slope = (self.high - self.low) / 255
        return np.array([slope / scale for scale in self.scale], np.float32)

    @property
    def offset(self) -> npt.NDArray[np.float32]:
        """The number that is then added to each colour, in the model's order: 3 float32."""
        return np.array(
            [(self.low - mean) / scale for mean, scale in zip(self.mean, self.scale, strict=True)], np.float32
        )

    @property
    def padding(self) -> npt.NDArray[np.float32]:
        """The gray around the picture in the model's numbers and order of colours: 3 float32."""
        return self.factor * np.float32(self.pad) + self.offset
