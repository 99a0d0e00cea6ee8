"""How a video's pictures come from the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from av.video.frame import VideoFrame

from streamer.frame import Image
from streamer.vendors import pyav
from streamer.vendors.opencv import cv2


@dataclass(frozen=True, slots=True)
class Coded:
    """How pictures come from the decoder and become upright: transposed, then flipped as OpenCV counts."""

    width: int
    height: int
    pixel_format: str
    guessed_colours: bool
    transpose: bool
    flip: int | None

    def upright(self, image: Image) -> Image:
        if self.transpose:
            image = cast(Image, cv2.transpose(image))
        return image if self.flip is None else cast(Image, cv2.flip(image, self.flip))


def orientation(frame: VideoFrame) -> tuple[bool, int | None]:
    """Whether to transpose and how to flip, for one of a camera's eight orientations."""
    a, b, c, d = pyav.display_matrix(frame)
    transpose = abs(b) > abs(a)
    mirror_x, mirror_y = (c < 0, b < 0) if transpose else (a < 0, d < 0)
    flips = {(False, False): None, (True, False): 1, (False, True): 0, (True, True): -1}
    return transpose, flips[mirror_x, mirror_y]
