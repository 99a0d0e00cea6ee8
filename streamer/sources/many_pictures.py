"""Image files that hold more than one picture, by their bytes alone: animations, and TIFF files of several pages."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from streamer.errors import SourceError
from streamer.vendors import pyav

ANIMATED_PNG = "animated PNG"
ANIMATED_WEBP = "animated WebP"
_LONGEST_MARK = 12
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
_PAGE_KIND, _OLD_PAGE_KIND = 254, 255
_SMALLER_COPY_OR_MASK = 5
_OLD_SMALLER_COPY = 2


def pictures_in(path: Path) -> tuple[str, int]:
    """The kind of a file of several pictures, and their number; ("", 1) for any other file, and an unreadable one.

    In a TIFF file (TIFF 6.0, and BigTIFF) smaller copies and masks do not count.
    """
    # struct.error: the file ends too soon.
    with suppress(OSError, struct.error):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                kind, count = _counter(file.read(_LONGEST_MARK))
                if count is not None:
                    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                        pictures = count(content)
                    if pictures > 1:
                        return kind, pictures
    return "", 1


def is_animation(path: Path) -> bool:
    """Whether an image file is an animation, which is played as a video."""
    return pictures_in(path)[0] in (ANIMATED_PNG, ANIMATED_WEBP)


def refuse_unplayable(path: Path) -> None:
    """Raises SourceError for an animated WebP that FFmpeg cannot play."""
    kind, pictures = pictures_in(path)
    if kind == ANIMATED_WEBP and not pyav.decodes("webp_anim"):
        raise SourceError(
            f"{path} is an {kind} of {pictures} pictures, which PyAV plays from version 19 on: "
            "save it as a GIF or a video, or each picture as an image in a folder"
        )


class OnlyFirst:
    """Counts the images that hold more than one picture, of which only the first is shown."""

    def __init__(self) -> None:
        self._first_found = ""
        self._places: set[int] = set()

    def look(self, place: int, path: Path) -> None:
        """Call when the image at a place of the folder was decoded, for the first time or again."""
        pictures = pictures_in(path)[1]
        if pictures > 1:
            found = f"{path.name} holds {pictures} pictures, and only its first is shown"
            self._first_found = self._first_found or found
            self._places.add(place)

    @property
    def doubts(self) -> list[str]:
        """A sentence with the number of such images, if there are any."""
        mend = f" ({len(self._places)} such in all): save each picture as an image of its own"
        return [self._first_found + mend] if self._first_found else []


def _counter(start: bytes) -> tuple[str, Callable[[mmap.mmap], int] | None]:
    """The kind of a file by its first bytes, and the function that counts its pictures; None where there is one."""
    if start.startswith(_PNG):
        return ANIMATED_PNG, _frames_of_png
    if start.startswith(b"RIFF") and start.endswith(b"WEBP"):
        return ANIMATED_WEBP, _frames_of_webp
    if (order := _TIFF.get(start[:4])) is not None:
        return "TIFF", partial(_pages_of_tiff, order=order, big=b"+" in start[2:4])
    return "", None


def _frames_of_png(content: mmap.mmap) -> int:
    """The number in the acTL chunk, which comes before the first picture (PNG, third edition)."""
    at = len(_PNG)
    while True:
        length, name = struct.unpack_from(">I4s", content, at)
        if name == b"acTL":
            return int(struct.unpack_from(">I", content, at + 8)[0])
        if name in (b"IDAT", b"IEND"):
            return 1
        at += 12 + length


def _frames_of_webp(content: mmap.mmap) -> int:
    """The number of ANMF chunks (RFC 9649)."""
    at, frames = 12, 0
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        frames += name == b"ANMF"
        at += 8 + length + length % 2
    return frames


def _pages_of_tiff(content: mmap.mmap, *, order: str, big: bool) -> int:
    """The number of image file directories that are pages; each has the place of the next."""
    count_as, offset_as, entry, value_at = ("Q", "Q", 20, 12) if big else ("H", "I", 12, 8)
    seen: set[int] = set()
    pages = 0
    at = struct.unpack_from(order + offset_as, content, 8 if big else 4)[0]
    while at and at not in seen:
        seen.add(at)
        entries = struct.unpack_from(order + count_as, content, at)[0]
        first = at + struct.calcsize(count_as)
        pages += not _is_copy_or_mask(content, order, range(first, first + entries * entry, entry), value_at)
        at = struct.unpack_from(order + offset_as, content, first + entries * entry)[0]
    return pages


def _is_copy_or_mask(content: mmap.mmap, order: str, entries: range, value_at: int) -> bool:
    for entry in entries:
        # 3 is a SHORT, which stands at the front of its field.
        tag, kind = struct.unpack_from(order + "HH", content, entry)
        if tag > _OLD_PAGE_KIND:  # tags are sorted
            return False
        value = struct.unpack_from(order + ("H" if kind == 3 else "I"), content, entry + value_at)[0]
        if (tag == _PAGE_KIND and value & _SMALLER_COPY_OR_MASK) or (
            tag == _OLD_PAGE_KIND and value == _OLD_SMALLER_COPY
        ):
            return True
    return False
