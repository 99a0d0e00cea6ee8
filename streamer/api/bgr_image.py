"""The pictures that a detector accepts, and how to convert others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.errors import UsageError
from streamer.frame import Image

_ACCEPTED = "give height x width x 3 of uint8, BGR, as cv2 reads pictures"
_CHANNELS = {1: "cv2.COLOR_GRAY2BGR", 4: "cv2.COLOR_BGRA2BGR"}
"""The conversion to BGR, by the number of channels."""


def check_image(image: Any) -> Image:
    """The image itself, if it is height x width x 3 of uint8, not empty.

    Raises UsageError for any other; the message says how to convert it.
    """
    if (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and image.ndim == 3
        and image.shape[2] == 3
        and image.size
    ):
        return image
    raise UsageError(_why_not(image))


def _why_not(image: object) -> str:
    if image is None:
        return (
            "the image is None: cv2.VideoCapture.read gives that at the end of a video and of a camera that is lost, "
            "and cv2.imread for what is no picture; ask whether it is None first"
        )
    if not isinstance(image, np.ndarray):
        return f"the image is a {type(image).__name__}: {_ACCEPTED}; numpy.asarray makes an array of most"
    shape = " x ".join(map(str, image.shape))
    found = f"the image is an array of {shape or 'no dimensions'}, {image.dtype}"
    return f"{found}: {_mend(image)}"


def _mend(image: npt.NDArray[Any]) -> str:
    if not image.size:
        return f"it has no pixels; {_ACCEPTED}"
    if image.ndim == 4:
        return "one picture at a time; take each of them by itself, as in images[0]"
    channels = image.shape[2] if image.ndim == 3 else 1 if image.ndim == 2 else 0
    if channels != 3 and image.ndim == 3 and image.shape[0] == 3:
        return "its colours come first; image.transpose(1, 2, 0) puts them last"
    if image.dtype.kind == "f":
        return f"{_ACCEPTED}; (image * 255).astype(numpy.uint8) makes bytes of numbers from 0 to 1"
    if channels in _CHANNELS and image.dtype == np.uint8:
        return f"{_ACCEPTED}; cv2.cvtColor(image, {_CHANNELS[channels]}) makes it so"
    return _ACCEPTED
