"""From a frame to the model's input, and the way back for boxes.

The geometry is Ultralytics' letterbox: scaled to fit, centred, padded with gray 114; ``stretch`` fills the input
instead and changes the aspect ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamer.frame import Image
from streamer.vendors.opencv import cv2

PADDING_GRAY = 114


class Fit(StrEnum):
    """How a frame is made to fit the model's input."""

    LETTERBOX = "letterbox"
    STRETCH = "stretch"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a frame of ``width`` x ``height`` lies in the model's input; all in pixels.

    The frame scaled is ``scaled_width`` x ``scaled_height`` and starts at ``left``, ``top``.
    """

    width: int
    height: int
    scaled_width: int
    scaled_height: int
    left: int
    top: int

    def to_source(self, xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Boxes of the model's input (n x 4), as boxes of the frame, clipped to it."""
        scale = np.array([self.width / self.scaled_width, self.height / self.scaled_height] * 2, np.float32)
        offset = np.array([self.left, self.top] * 2, np.float32)
        limit = np.array([self.width, self.height] * 2, np.float32)
        boxes: npt.NDArray[np.float32] = np.clip((xyxy - offset) * scale, 0, limit)
        return boxes


@lru_cache(maxsize=16)
def geometry(width: int, height: int, input_size: tuple[int, int], fit: Fit) -> Geometry:
    """The geometry of a frame of ``width`` x ``height`` in an input of ``input_size`` (height, width)."""
    input_height, input_width = input_size
    if fit is Fit.STRETCH:
        return Geometry(width, height, input_width, input_height, 0, 0)
    scale = min(input_width / width, input_height / height)
    scaled_width, scaled_height = max(1, round(width * scale)), max(1, round(height * scale))
    # The 0.1 settles halves as Ultralytics does, so that boxes agree with it to the pixel.
    left = round((input_width - scaled_width) / 2 - 0.1)
    top = round((input_height - scaled_height) / 2 - 0.1)
    return Geometry(width, height, scaled_width, scaled_height, left, top)


class Preprocessing(StrEnum):
    """Where colour, layout and scale are changed from the camera's to the model's."""

    NUMPY = "numpy"
    """Here, before the model: its input is 1 x 3 x height x width float32."""
    GRAPH = "graph"
    """In the model's graph: its input is 1 x height x width x 3 uint8, BGR."""
    OFF = "off"
    """Nowhere: the input keeps the gray it has, which tells the rest's own cost. Nothing can be detected."""


class Preprocessor(Protocol):
    """Writes frames into a request's input. One instance serves one request, whose input stays the same array."""

    def __call__(self, image: Image, tensor: npt.NDArray[Any]) -> Geometry:
        """Writes ``image`` into ``tensor``; returns where it lies there."""
        ...


def preprocess_for(how: Preprocessing, input_size: tuple[int, int], fit: Fit) -> Preprocessor:
    """What prepares frames for inputs of ``input_size`` (height, width)."""
    match how:
        case Preprocessing.NUMPY:
            return Preprocess(input_size, fit)
        case Preprocessing.GRAPH:
            return GraphPreprocess(input_size, fit)
        case Preprocessing.OFF:
            return NoPreprocess(input_size, fit)


class Preprocess:
    """Letterboxes frames into inputs of ``input_size`` (height, width), and changes colour, layout and scale.

    Its plane buffers are allocated once: freeing three 300 KB arrays a frame costs 0.13 ms. One instance serves one
    worker.
    """

    def __init__(self, input_size: tuple[int, int], fit: Fit) -> None:
        height, width = input_size
        self._canvas = np.empty((height, width, 3), np.uint8)
        self._letterbox = GraphPreprocess(input_size, fit)
        self._planes = np.empty((3, height, width), np.uint8)

    def __call__(self, image: Image, tensor: npt.NDArray[np.float32]) -> Geometry:
        """Writes ``image`` into ``tensor`` (1 x 3 x height x width, RGB, 0 to 1); returns where it lies there."""
        place = self._letterbox(image, self._canvas[None])
        red, green, blue = self._planes
        cv2.split(self._canvas, [blue, green, red])
        # Converting, then scaling in place, is 1.5 times as fast as one multiplication with conversion.
        np.copyto(tensor[0], self._planes)
        tensor *= np.float32(1 / 255)
        return place


class GraphPreprocess:
    """Letterboxes frames into inputs of ``input_size`` (height, width); the model's graph does the rest."""

    def __init__(self, input_size: tuple[int, int], fit: Fit) -> None:
        self._input_size = input_size
        self._fit = fit
        self._padded_for: Geometry | None = None

    def __call__(self, image: Image, tensor: npt.NDArray[np.uint8]) -> Geometry:
        """Writes ``image`` into ``tensor`` (1 x height x width x 3, BGR, 0 to 255); returns where it lies there."""
        height, width = image.shape[:2]
        place = geometry(width, height, self._input_size, self._fit)
        if place != self._padded_for:
            tensor[:] = PADDING_GRAY
            self._padded_for = place
        area = tensor[0, place.top :, place.left :][: place.scaled_height, : place.scaled_width]
        if (width, height) == (place.scaled_width, place.scaled_height):
            area[:] = image
        else:
            cv2.resize(image, (place.scaled_width, place.scaled_height), dst=area)
        return place


class NoPreprocess:
    """Leaves the input as it is."""

    def __init__(self, input_size: tuple[int, int], fit: Fit) -> None:
        self._input_size = input_size
        self._fit = fit

    def __call__(self, image: Image, tensor: npt.NDArray[Any]) -> Geometry:
        height, width = image.shape[:2]
        return geometry(width, height, self._input_size, self._fit)
