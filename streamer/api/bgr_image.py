"""What a detector takes for a picture, and how anything else becomes one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.errors import UsageError
from streamer.frame import Image

_TAKEN = "give height x width x 3 of uint8, BGR, as cv2 reads pictures"
_CHANNELS = {1: "cv2.COLOR_GRAY2BGR", 4: "cv2.COLOR_BGRA2BGR"}
"""How pictures of so many channels become BGR."""


def check_image(image: Any) -> Image:
    """The same image, if it is one that a detector takes. Raises UsageError, which says how it becomes one."""
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
        return f"the image is a {type(image).__name__}: {_TAKEN}; numpy.asarray makes an array of most"
    shape = " x ".join(map(str, image.shape))
    told = f"the image is an array of {shape or 'no dimensions'}, {image.dtype}"
    return f"{told}: {_mend(image)}"


def _mend(image: npt.NDArray[Any]) -> str:
    if not image.size:
        return f"it has no pixels; {_TAKEN}"
    if image.ndim == 4:
        return "one picture at a time; take each of them by itself, as in images[0]"
    channels = image.shape[2] if image.ndim == 3 else 1 if image.ndim == 2 else 0
    if channels != 3 and image.ndim == 3 and image.shape[0] == 3:
        return "its colours come first; image.transpose(1, 2, 0) puts them last"
    if image.dtype.kind == "f":
        return f"{_TAKEN}; (image * 255).astype(numpy.uint8) makes bytes of numbers from 0 to 1"
    if channels in _CHANNELS and image.dtype == np.uint8:
        return f"{_TAKEN}; cv2.cvtColor(image, {_CHANNELS[channels]}) makes it so"
    return _TAKEN
