"""Pictures that come in another size than the first of their stream."""

from __future__ import annotations

from typing import cast

from streamer.frame import Image
from streamer.vendors.opencv import cv2
from streamer.video.changes import Changes


class SizeChanges:
    """Names them: pictures are scaled to the size of the first, so that one detector and one video serve them all."""

    def __init__(self) -> None:
        self._first: tuple[int, int] | None = None
        self._changes = Changes()
        self._scaled = 0

    def look(self, index: int, width: int, height: int) -> None:
        """The picture of frame ``index`` came in this size; in another one than the first, it is scaled."""
        self._first = self._first or (width, height)
        self._scaled += (width, height) != self._first
        self._changes.look(index, f"{width}x{height}")

    @property
    def doubts(self) -> list[str]:
        """A sentence with each change and the number of pictures, if there were any."""
        told = self._changes.told
        return (
            [f"the picture size changes {told}: scaled to the size of the first ({self._scaled} in all)"]
            if told
            else []
        )


def fitted(image: Image, width: int, height: int) -> Image:
    """The image scaled to fit into ``width`` x ``height`` pixels, centred in black; itself if it does."""
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
