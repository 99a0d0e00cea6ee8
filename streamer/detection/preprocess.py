"""Writes frames into the model's input, and maps boxes back, as the model's `InputSpec` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamer.detection.input_spec import Colour, Fit, InputSpec
from streamer.detection.ports import Port, channels_last
from streamer.frame import Image
from streamer.vendors.opencv import cv2


@dataclass(frozen=True, slots=True)
class Geometry:
    """The place of a frame of ``width`` x ``height`` in the model's input; all in pixels.

    The scaled frame is ``scaled_width`` x ``scaled_height`` and starts at ``left``, ``top``. These are whole pixels,
    except for a cropped frame, which starts before the input's edge.
    """

    width: int
    height: int
    scaled_width: float
    scaled_height: float
    left: float
    top: float

    def to_source(self, xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Boxes in pixels of the model's input (n x 4) as boxes in pixels of the frame, clipped to it."""
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
    if fit is Fit.CROP:
        left, top, across, down = cropped(width, height, input_size)
        wider, higher = input_width / across, input_height / down
        return Geometry(width, height, width * wider, height * higher, -left * wider, -top * higher)
    scale = min(input_width / width, input_height / height)
    scaled_width, scaled_height = max(1, round(width * scale)), max(1, round(height * scale))
    if fit is Fit.LETTERBOX_TOP_LEFT:
        return Geometry(width, height, scaled_width, scaled_height, 0, 0)
    # The 0.1 rounds halves as Ultralytics does, so that boxes agree with its boxes to the pixel.
    left = round((input_width - scaled_width) / 2 - 0.1)
    top = round((input_height - scaled_height) / 2 - 0.1)
    return Geometry(width, height, scaled_width, scaled_height, left, top)


def cropped(width: int, height: int, input_size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of a frame's centre with the input's aspect ratio, in pixels of the frame."""
    input_height, input_width = input_size
    across = max(1, min(width, height * input_width // input_height))
    down = max(1, min(height, width * input_height // input_width))
    return (width - across) // 2, (height - down) // 2, across, down


class Preprocessing(StrEnum):
    """Where colour, layout and scale are converted from the camera's to the model's."""

    NUMPY = "numpy"
    """Before the model: its input is filled in the model's own form."""
    GRAPH = "graph"
    """In the model's graph: its input is 1 x height x width x 3 uint8, BGR."""
    OFF = "off"
    """Nowhere: the input stays gray, which measures the cost of all other steps. Nothing can be detected."""


Tensor = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Area = tuple[slice, slice]
HALF = "float16"


class Preprocessor(Protocol):
    """Writes frames into a request's input. An instance serves one request, whose input is always the same array."""

    def __call__(self, image: Image, tensor: Tensor) -> Geometry:
        """Writes ``image`` (height x width x 3 uint8, BGR) into ``tensor``; returns its place there."""
        ...


def preprocess_for(how: Preprocessing, port: Port, input_size: tuple[int, int], spec: InputSpec) -> Preprocessor:
    """The preprocessor for the input ``port`` of ``input_size`` (height, width), which follows ``spec``."""
    match how:
        case Preprocessing.NUMPY:
            return Preprocess(port, input_size, spec)
        case Preprocessing.GRAPH:
            return GraphPreprocess(input_size, spec)
        case Preprocessing.OFF:
            return NoPreprocess(input_size, spec)


class Preprocess:
    """Fits frames into inputs, and converts colour, layout, type and scale.

    Its plane buffers are allocated once: freeing three 300 KB arrays per frame costs 0.13 ms. An instance serves one
    worker.
    """

    def __init__(self, port: Port, input_size: tuple[int, int], spec: InputSpec) -> None:
        height, width = input_size
        self._canvas = np.empty((height, width, 3), np.uint8)
        self._place = GraphPreprocess(input_size, spec)
        self._write = (_ChannelsLast if channels_last(port) else _Planes)(port, input_size, spec)
        self._shape = (height, width, 3) if channels_last(port) else (3, height, width)

    def __call__(self, image: Image, tensor: Tensor) -> Geometry:
        """Writes ``image`` into ``tensor``, of the port's shape and type; returns its place there."""
        place = self._place(image, self._canvas[None])
        self._write(self._canvas, tensor.reshape(self._shape))
        return place


class _Planes:
    """Writes pictures into inputs of 3 x height x width."""

    def __init__(self, port: Port, input_size: tuple[int, int], spec: InputSpec) -> None:
        height, width = input_size
        self._planes = np.empty((3, height, width), np.uint8)
        blue_to_red = [self._planes[2], self._planes[1], self._planes[0]]
        self._targets = blue_to_red if spec.colour is Colour.RGB else list(self._planes)
        tables = _tables(spec, port.dtype)
        self._numbers = _Arithmetic(spec) if port.dtype != HALF else _TablePerPlane(tables)

    def __call__(self, canvas: Image, tensor: Tensor) -> None:
        cv2.split(canvas, self._targets)
        self._numbers(self._planes, tensor)


class _ChannelsLast:
    """Writes pictures into inputs of height x width x 3."""

    def __init__(self, port: Port, input_size: tuple[int, int], spec: InputSpec) -> None:
        self._swapped = np.empty((*input_size, 3), np.uint8) if spec.colour is Colour.RGB else None
        alike = len({*spec.factor}) == len({*spec.offset}) == 1
        use_table = port.dtype == HALF or not alike
        self._numbers = _Table(_tables(spec, port.dtype)) if use_table else _Arithmetic(spec)

    def __call__(self, canvas: Image, tensor: Tensor) -> None:
        if self._swapped is not None:
            cv2.cvtColor(canvas, cv2.COLOR_BGR2RGB, dst=self._swapped)
            canvas = self._swapped
        self._numbers(canvas, tensor)


class _Arithmetic:
    """Writes bytes into a tensor as the model's numbers. Factors that differ per colour need planes."""

    def __init__(self, spec: InputSpec) -> None:
        self._factor = _alike(spec.factor, neutral=1)
        self._offset = _alike(spec.offset, neutral=0)

    def __call__(self, colours: Bytes, tensor: Tensor) -> None:
        # Converting, then scaling in place, is 1.5 times as fast as one multiplication with conversion.
        np.copyto(tensor, colours, casting="unsafe")
        if self._factor is not None:
            np.multiply(tensor, self._factor, out=tensor)
        if self._offset is not None:
            np.add(tensor, self._offset, out=tensor)


def _alike(numbers: Floats, neutral: float) -> Floats | np.float32 | None:
    """One number where all are the same, which is faster; None where it has no effect."""
    first = np.float32(numbers[0])
    if (numbers != first).any():
        return numbers.reshape(3, 1, 1)
    return None if first == neutral else first


def _tables(spec: InputSpec, dtype: str) -> Tensor:
    """The number for each byte of each colour: 3 x 256, in a type of the same size that OpenCV copies unchanged."""
    numbers = np.arange(256, dtype=np.float32) * spec.factor[:, None] + spec.offset[:, None]
    return _as_opencv_takes_it(numbers.astype(dtype))


def _as_opencv_takes_it(numbers: Tensor) -> Tensor:
    return numbers.view(np.uint16) if numbers.dtype == HALF else numbers


class _TablePerPlane:
    """Writes planes of bytes through a lookup table: NumPy's arithmetic in 16 bits takes 80 times as long."""

    def __init__(self, tables: Tensor) -> None:
        self._tables = tables

    def __call__(self, colours: Bytes, tensor: Tensor) -> None:
        for plane, table, target in zip(colours, self._tables, _as_opencv_takes_it(tensor), strict=True):
            cv2.LUT(plane, table, dst=target)


class _Table:
    """The same for interleaved colours: NumPy's arithmetic per colour takes 15 times as long."""

    def __init__(self, tables: Tensor) -> None:
        self._table = np.ascontiguousarray(tables.T).reshape(256, 1, 3)

    def __call__(self, colours: Bytes, tensor: Tensor) -> None:
        cv2.LUT(colours, self._table, dst=_as_opencv_takes_it(tensor))


class GraphPreprocess:
    """Fits frames into inputs of ``input_size`` (height, width); the model's graph does the rest."""

    def __init__(self, input_size: tuple[int, int], spec: InputSpec) -> None:
        self._input_size = input_size
        self._spec = spec
        self._shape: tuple[int, ...] = ()
        self._place = geometry(1, 1, input_size, spec.fit)
        self._from: Area = (slice(None), slice(None))
        self._into: Area = (slice(None), slice(None))

    def __call__(self, image: Image, tensor: Bytes) -> Geometry:
        """Writes ``image`` into ``tensor`` (1 x height x width x 3, BGR, 0 to 255); returns its place there."""
        tensor = tensor.reshape(*self._input_size, 3)
        if image.shape != self._shape:
            self._expect(image.shape)
            tensor[:] = self._spec.pad
            self._shape = image.shape  # the last step: an interrupted call is then done again
        seen, area = image[self._from], tensor[self._into]
        if seen.shape == area.shape:
            area[:] = seen
        else:
            cv2.resize(seen, area.shape[1::-1], dst=area)
        return self._place

    def _expect(self, shape: tuple[int, ...]) -> None:
        """Sets the places of frames of this shape."""
        height, width = shape[:2]
        self._place = place = geometry(width, height, self._input_size, self._spec.fit)
        if self._spec.fit is Fit.CROP:
            self._from = _area(*cropped(width, height, self._input_size))
        else:
            self._into = _area(int(place.left), int(place.top), int(place.scaled_width), int(place.scaled_height))


def _area(left: int, top: int, width: int, height: int) -> Area:
    return slice(top, top + height), slice(left, left + width)


class NoPreprocess:
    """Leaves the input as it is."""

    def __init__(self, input_size: tuple[int, int], spec: InputSpec) -> None:
        self._input_size = input_size
        self._fit = spec.fit

    def __call__(self, image: Image, tensor: Tensor) -> Geometry:
        height, width = image.shape[:2]
        return geometry(width, height, self._input_size, self._fit)
