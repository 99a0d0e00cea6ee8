"""The annotated video of a camera that is away: its size is known only when the first picture comes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from streamer.frame import Image
from streamer.video.writer import VideoWriter


class LateVideo:
    """A video that is begun with its first picture; ``make`` begins it, and returns None while no size is known."""

    def __init__(self, make: Callable[[], VideoWriter | None]) -> None:
        self._make = make
        self._writer: VideoWriter | None = None

    def write(self, image: Image, pts: Fraction) -> None:
        """As `VideoWriter.write`."""
        self._writer = self._writer or self._make()
        assert self._writer is not None, "a picture has a size"
        self._writer.write(image, pts)

    @property
    def held(self) -> int:
        """As `VideoWriter.held`."""
        return 0 if self._writer is None else self._writer.held

    def go_on(self, finished: Path, comment: str) -> None:
        """As `VideoWriter.go_on`, once there has been a picture."""
        assert self._writer is not None, "what is to be finished has begun"
        self._writer.go_on(finished, comment)

    def close(self) -> None:
        """As `VideoWriter.close`; a camera that never came leaves no video, one without frames an empty one."""
        self._writer = self._writer or self._make()
        if self._writer is not None:
            self._writer.close()


AnyVideo = VideoWriter | LateVideo
