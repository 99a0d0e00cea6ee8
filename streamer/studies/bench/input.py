"""The one image of the tutorial's benchmark: read, stretched to the model's input, and fed to an engine.

As in OpenVINO's notebook "latency tricks": no letterbox, BGR, divided by 255, which gives float64.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import numpy as np

from streamer.address import kind_of, of_no_file, without_credentials
from streamer.detection.input_spec import Colour, Fit
from streamer.detection.ports import channels_last
from streamer.detection.preprocess import Preprocessing, preprocess_for
from streamer.engines.base import Request
from streamer.engines.variants import EngineSpec, Runtime
from streamer.errors import SourceError, UsageError
from streamer.files.bundled import bundled
from streamer.frame import Frame, Image
from streamer.models.model import Model
from streamer.sources.base import SourceInfo
from streamer.sources.images import IMAGE_SUFFIXES, ImageSource
from streamer.sources.video_file import VideoSource
from streamer.vendors.opencv import cv2


class Feed(StrEnum):
    """The input of the engines."""

    FLOAT32 = "float32"
    """The same for all: float32, but 8 bits where preprocessing is in the graph."""
    TUTORIAL = "tutorial"
    """As in the tutorial: float64, not contiguous, for engines whose input OpenVINO copies."""


def bundled_clip() -> str:
    """The path of the clip whose first frame is the image when none is given. Raises StreamerError."""
    return str(bundled("samples") / "street.mp4")


def read_image(path: str | None) -> tuple[SourceInfo, Image]:
    """The image at a path, or the bundled clip's first frame for None, and its source's info.

    Raises UsageError for a path without a file or of no image file, and SourceError when it cannot be read.
    """
    source = VideoSource(Path(bundled_clip())) if path is None else ImageSource(_image_file(path))
    with closing(source):
        picture = source.read()
        if not isinstance(picture, Frame):
            raise SourceError(f"{source.info.uri} has no first frame that can be decoded: install streamer again")
        return source.info, picture.image


def _image_file(path: str) -> Path:
    if kind_of(path):
        raise UsageError(f"{without_credentials(path)} is no image: give an image file")
    if not os.path.exists(path):
        raise UsageError(f"no such file: {of_no_file(path)}")
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder: give one of its images")
    if Path(path).suffix.lower() not in IMAGE_SUFFIXES:
        raise UsageError(
            f"{path} is no image ({', '.join(sorted(IMAGE_SUFFIXES))}): give one, "
            f"or take a video's closed loop with streamer replay {path} --fps max"
        )
    return Path(path)


def stretched(image: Image, input_size: tuple[int, int]) -> Image:
    """The image resized to the model's ``input_size`` (height, width), without keeping its proportions."""
    height, width = input_size
    return cast(Image, cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def feed(request: Request, spec: EngineSpec, model: Model, picture: Image, how: Feed) -> str:
    """Gives the request a `stretched` picture; returns the type of the numbers in the request's input."""
    port = model.signature.picture_port
    in_bgr = replace(model.input, colour=Colour.BGR, fit=Fit.STRETCH)
    if how is Feed.TUTORIAL and spec.runtime is Runtime.OPENVINO and not spec.shared and _in_numpy(spec):
        # Replaces the array that preprocess would fill: OpenVINO's Python call converts and copies it every time.
        numbers = picture * in_bgr.factor.astype(np.float64) + in_bgr.offset
        tensor = numbers if channels_last(port) else numbers.transpose(2, 0, 1)
        cast(Any, request).input = tensor[(None,) * (len(port.shape) - 3)]
        return str(tensor.dtype)
    preprocess_for(spec.preprocess, port, model.input_size, in_bgr)(picture, request.input)
    return str(request.input.dtype)


def _in_numpy(spec: EngineSpec) -> bool:
    return spec.preprocess is Preprocessing.NUMPY
