"""The planes of the picture to be encoded, in the frame that PyAV hands to the encoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import av
import numpy as np
from av.video.plane import VideoPlane

from streamer.frame import Image
from streamer.vendors.opencv import cv2


class Planes:
    """Converts BGR images to yuv420p, one after the other in the same ``frame``.

    ``width`` and ``height`` are those of the images, in pixels. Chroma has half the size, so an odd width or height
    is made even by repeating the last column or row.
    """

    def __init__(self, width: int, height: int) -> None:
        self._pad = (height % 2, width % 2)
        width, height = width + width % 2, height + height % 2
        self._i420 = np.empty((height * 3 // 2, width), np.uint8)
        self._copies: list[tuple[Image, Image]] = []
        if height % 4 == 0:
            self.frame = av.VideoFrame.from_numpy_buffer(self._i420, format="yuv420p")
            return
        # PyAV rounds a buffer's height down to a multiple of 4, and so misplaces the chroma planes.
        self.frame = av.VideoFrame(width, height, "yuv420p")
        chroma = self._i420[height:].reshape(2, height // 2, width // 2)
        planes = [self._i420[:height], *chroma]
        self._copies = list(zip(_views(self.frame.planes), planes, strict=True))

    def draw(self, image: Image) -> None:
        """Put ``image`` (height x width x 3, BGR, uint8) into the frame."""
        if any(self._pad):
            padded = cv2.copyMakeBorder(image, 0, self._pad[0], 0, self._pad[1], cv2.BORDER_REPLICATE)
            image = cast(Image, padded)
        cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=self._i420)
        for plane, pixels in self._copies:
            plane[:] = pixels


def _views(planes: tuple[VideoPlane, ...]) -> Iterator[Image]:
    for plane in planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        yield rows[:, : plane.width]
