"""Scaling pictures whose size is not the first one of their stream."""

from __future__ import annotations

from typing import cast

from streamer.frame import Image
from streamer.vendors.opencv import cv2
from streamer.video.changes import Changes


class SizeChanges:
    """Notes changes of size: all pictures are scaled to the size of the first, for one detector and one video."""

    def __init__(self) -> None:
        self._first: tuple[int, int] | None = None
        self._changes = Changes()
        self._scaled = 0

    def look(self, index: int, width: int, height: int) -> None:
        """Adds the size in pixels in which the picture of frame ``index`` came."""
        self._first = self._first or (width, height)
        self._scaled += (width, height) != self._first
        self._changes.look(index, f"{width}x{height}")

    @property
    def doubts(self) -> list[str]:
        """A sentence with each change and the number of scaled pictures, if there are any."""
        changes = self._changes.text
        return (
            [f"the picture size changes {changes}: scaled to the size of the first ({self._scaled} in all)"]
            if changes
            else []
        )


def fitted(image: Image, width: int, height: int) -> Image:
    """The image scaled to fit into ``width`` x ``height`` pixels, centred in black; itself if it has that size."""
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    wide, high = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    left, top = (width - wide) // 2, (height - high) // 2
    scaled = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return cast(
        Image,
        cv2.copyMakeBorder(
            scaled, top, height - high - top, left, width - wide - left, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        ),
    )
