"""How a video's pictures come from the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from av.video.frame import VideoFrame

from streamer.frame import Image
from streamer.vendors import pyav
from streamer.vendors.opencv import cv2
from streamer.video.changes import Changes

Orientation = tuple[bool, int | None]
"""Whether to transpose a picture, and how to flip it then, as OpenCV counts."""
_AS_STORED: Orientation = (False, None)


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
        return _upright(image, self.transpose, self.flip)


class Said:
    """How a stream in use says that its pictures lie: as its frames said last.

    H.264 says it once for all pictures up to the next key frame, and FFmpeg gives the matrix to one of them.
    """

    def __init__(self) -> None:
        self.newest: Orientation = _AS_STORED

    def hear(self, frame: VideoFrame) -> None:
        """A picture has come, the first of a connection or a later one."""
        said = orientation(frame)
        if said != _AS_STORED:
            self.newest = said


class Orientations:
    """Turns pictures upright as a camera says that they lie, all in the shape of the ``first``.

    One that is turned by a quarter against the first is turned as that was, which ``doubts`` tell.
    """

    def __init__(self, first: Orientation) -> None:
        self._first = first
        self._changes = Changes("its shape")
        self.lies, _ = first

    @property
    def doubts(self) -> list[str]:
        told = self._changes.told
        return [f"the picture turns {told}: it is shown in the shape of the first"] if told else []

    def upright(self, index: int, said: Orientation, image: Image) -> Image:
        fits = said[0] == self.lies
        self._changes.look(index, "its shape" if fits else "its side")
        return _upright(image, *(said if fits else self._first))


def _upright(image: Image, transpose: bool, flip: int | None) -> Image:
    if transpose:
        image = cast(Image, cv2.transpose(image))
    return image if flip is None else cast(Image, cv2.flip(image, flip))


def orientation(frame: VideoFrame) -> Orientation:
    """Whether to transpose and how to flip, for one of a camera's eight orientations."""
    a, b, c, d = pyav.display_matrix(frame)
    transpose = abs(b) > abs(a)
    mirror_x, mirror_y = (c < 0, b < 0) if transpose else (a < 0, d < 0)
    flips = {(False, False): None, (True, False): 1, (False, True): 0, (True, True): -1}
    return transpose, flips[mirror_x, mirror_y]
