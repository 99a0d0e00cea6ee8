"""An image, or a folder of images, as a camera."""

from __future__ import annotations

import os
import re
from collections.abc import Sized
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np

from streamer.address import writable
from streamer.errors import SourceError, UsageError
from streamer.frame import Frame, Image
from streamer.sources.base import SourceInfo, Unreadable
from streamer.sources.many_pictures import OnlyFirst, is_animation
from streamer.vendors.opencv import cv2, opencv_quiet

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
"""A file with one of these endings, in either case, is read as an image."""
RATE = Fraction(30)
"""Frames per second: images have no times of their own."""


class ImageSource:
    """An image file, or a folder's images in natural order (img2 before img10), each of them one frame.

    With ``loop`` they start again at the end. Each frame has its image's own size; ``info`` has that of the first
    image that can be decoded. An image that cannot be decoded is Unreadable. Images are turned upright by their EXIF
    data. An image file with several pictures gives its first, which ``doubts`` says.

    Raises UsageError for a folder without images, and SourceError when none of them can be decoded.
    """

    def __init__(self, path: Path, *, loop: bool = False, stream: int = 0) -> None:
        self._paths = images_in(path) if path.is_dir() else [path]
        if not self._paths:
            raise UsageError(f"{path} holds no images: name a folder with some ({', '.join(sorted(IMAGE_SUFFIXES))})")
        self._loop = loop
        self._stream = stream
        self._next = 0
        self._newest: tuple[int, Image | str] = (-1, "")
        self._only_first = OnlyFirst()
        height, width = self._first_size(path)
        self._other_sizes: dict[int, str] = {}
        self._undecoded: dict[int, str] = {}
        self.info = SourceInfo(
            uri=writable(str(path)),
            width=width,
            height=height,
            rate=RATE,
            frames=None if loop else len(self._paths),
            time_base=1 / RATE,
            comment="",
            own_sizes=len(self._paths) > 1,
        )

    @property
    def doubts(self) -> list[str]:
        found = self._only_first.doubts
        if self._undecoded:
            found.append(f"{_counted(self._undecoded)} not played, as {next(iter(self._undecoded.values()))}")
        if self._other_sizes:
            size = f"{self.info.width}x{self.info.height}"
            found.append(
                f"{_counted(self._other_sizes)} not {size} as the first one is, as "
                f"{next(iter(self._other_sizes.values()))}: each is measured at its own size, and fitted "
                f"into {size} in a video"
            )
        return found

    def read(self) -> Frame | Unreadable | None:
        index = self._next
        if index >= len(self._paths) and not self._loop:
            return None
        self._next += 1
        place = index % len(self._paths)
        image, pts = self._decoded(place), index / RATE
        if isinstance(image, str):
            self._undecoded.setdefault(place, f"{_shown(self._paths[place])}, which {image}")
            return Unreadable(self._stream, index, pts, image)
        height, width = image.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            self._other_sizes.setdefault(place, f"{_shown(self._paths[place])}, which is {width}x{height}")
        # A copy: boxes are drawn onto a frame, and a single image is shown again.
        return Frame(self._stream, index, pts, image.copy())

    def pts(self, index: int) -> Fraction | None:
        return index / RATE if self._loop or index < len(self._paths) else None

    def close(self) -> None:
        self._paths = []
        self._loop = False

    def _first_size(self, path: Path) -> tuple[int, int]:
        why = ""
        for place in range(len(self._paths)):
            image = self._decoded(place)
            if not isinstance(image, str):
                return image.shape[0], image.shape[1]
            why = why or image
        if path.is_dir():
            raise SourceError(f"none of the {len(self._paths)} images in {path} can be read: the first {why}")
        raise SourceError(f"{path} {why}")

    def _decoded(self, place: int) -> Image | str:
        """The image at a place, or why there is none. The newest is kept, so that a single image is decoded once."""
        if self._newest[0] != place:
            self._newest = place, _decode(self._paths[place])
            self._only_first.look(place, self._paths[place])
        return self._newest[1]


def is_images(path: Path) -> bool:
    """Whether a path is a folder or, by its ending, an image; an animation is a video."""
    return path.is_dir() or (path.suffix.lower() in IMAGE_SUFFIXES and not is_animation(path))


def images_in(folder: Path) -> list[Path]:
    """The images directly in a folder, in natural order, without hidden files. Raises SourceError."""
    try:
        files = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
    except OSError as error:
        raise SourceError(f"{folder} cannot be read ({error.strerror}): check its permissions") from error
    return sorted((path for path in files if not path.name.startswith(".")), key=_natural)


def _counted(images: Sized) -> str:
    return "1 image is" if len(images) == 1 else f"{len(images):,} images are"


def _shown(path: Path) -> str:
    """The name of a file, of which the bytes may be no text."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def _natural(path: Path) -> tuple[list[str | int], str]:
    """A sort key in which numbers count as numbers. Text and numbers alternate: like is compared with like."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], path.name


def _decode(path: Path) -> Image | str:
    try:
        # On Windows cv2.imread does not find a name with letters beyond the code page.
        data = np.fromfile(path, np.uint8)
        with opencv_quiet():
            image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except OSError as error:
        return f"cannot be read ({error.strerror}): check the file"
    except cv2.error as error:
        return f"cannot be decoded ({error.err}): save it again"
    return "is not an image that can be decoded: save it again" if image is None else cast(Image, image)
