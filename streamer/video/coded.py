"""The format and the orientation in which a video's pictures come from the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from av.video.frame import VideoFrame

from streamer.frame import Image
from streamer.vendors import pyav
from streamer.vendors.opencv import cv2
from streamer.video.changes import Changes

Orientation = tuple[bool, int | None]
"""Whether to transpose a picture, and then how to flip it: a flip code of OpenCV, or None."""
_AS_STORED: Orientation = (False, None)


@dataclass(frozen=True, slots=True)
class Coded:
    """The pictures as the decoder gives them: their stored size in pixels, and what makes them upright.

    They are transposed first, then flipped by OpenCV's code ``flip``.
    """

    width: int
    height: int
    pixel_format: str
    guessed_colours: bool
    transpose: bool
    flip: int | None

    def upright(self, image: Image) -> Image:
        """The picture upright: height x width x 3."""
        return _upright(image, self.transpose, self.flip)


class DeclaredOrientation:
    """The orientation that a stream declares; ``newest`` is the last one.

    H.264 declares it once for all pictures up to the next key frame, and FFmpeg gives the matrix to one of them.
    """

    def __init__(self) -> None:
        self.newest: Orientation = _AS_STORED

    def update(self, frame: VideoFrame) -> None:
        """Call with each picture of a connection."""
        declared = orientation(frame)
        if declared != _AS_STORED:
            self.newest = declared


class Orientations:
    """Turns pictures upright by the orientation that a camera declares, all in the shape of the ``first``.

    A picture that is turned by a quarter against the first is turned as the first was, and ``doubts`` says so.
    ``lies`` says that the first is stored on its side.
    """

    def __init__(self, first: Orientation) -> None:
        self._first = first
        self._changes = Changes("its shape")
        self.lies, _ = first

    @property
    def doubts(self) -> list[str]:
        """A sentence with each change of shape, if there are any."""
        changes = self._changes.text
        return [f"the picture turns {changes}: it is shown in the shape of the first"] if changes else []

    def upright(self, index: int, declared: Orientation, image: Image) -> Image:
        """The picture of frame ``index``, upright: height x width x 3."""
        fits = declared[0] == self.lies
        self._changes.look(index, "its shape" if fits else "its side")
        return _upright(image, *(declared if fits else self._first))


def _upright(image: Image, transpose: bool, flip: int | None) -> Image:
    if transpose:
        image = cast(Image, cv2.transpose(image))
    return image if flip is None else cast(Image, cv2.flip(image, flip))


def orientation(frame: VideoFrame) -> Orientation:
    """The orientation of a picture, by its display matrix: one of a camera's eight."""
    a, b, c, d = pyav.display_matrix(frame)
    transpose = abs(b) > abs(a)
    mirror_x, mirror_y = (c < 0, b < 0) if transpose else (a < 0, d < 0)
    flips = {(False, False): None, (True, False): 1, (False, True): 0, (True, True): -1}
    return transpose, flips[mirror_x, mirror_y]
