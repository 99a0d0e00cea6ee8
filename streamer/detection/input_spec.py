"""How a camera's picture becomes a model's input: its place, colours and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

PADDING_GRAY = 114


class Fit(StrEnum):
    """How a frame is made to fit the model's input."""

    LETTERBOX = "letterbox"
    LETTERBOX_TOP_LEFT = "letterbox-top-left"
    STRETCH = "stretch"
    CROP = "crop"


class Colour(StrEnum):
    """The order of the colours."""

    RGB = "rgb"
    BGR = "bgr"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """What a model asks of its pictures.

    A byte of the picture, 0 to 255, is laid over ``low`` to ``high``; then ``mean`` is taken away and the rest is
    divided by ``scale``, a number per colour in the model's order of ``colour``. ``fit`` says where the picture goes,
    and ``pad`` is the gray around it, 0 to 255.
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
        """What a byte of each colour is multiplied by, in the model's order: 3."""
        slope = (self.high - self.low) / 255
        return np.array([slope / scale for scale in self.scale], np.float32)

    @property
    def offset(self) -> npt.NDArray[np.float32]:
        """What is added to each colour then, in the model's order: 3."""
        return np.array(
            [(self.low - mean) / scale for mean, scale in zip(self.mean, self.scale, strict=True)], np.float32
        )

    @property
    def padding(self) -> npt.NDArray[np.float32]:
        """The gray around the picture as the model sees it, in its order of colours: 3."""
        return self.factor * np.float32(self.pad) + self.offset
