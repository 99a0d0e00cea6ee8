"""What a video file holds: what is known of it as a whole, and each frame that it promises."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from streamer.frame import Image


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A video as it is delivered.

    ``width`` and ``height`` are those of the upright picture, in pixels; ``rate`` is the nominal number of
    frames per second, exact (the average where the intervals vary); ``frames`` counts all that the file
    promises; ``duration`` and ``time_base``, the unit of its times, are in seconds; ``variable`` says that
    the intervals differ by more than the rounding to the time base; ``comment`` is what the file says about
    itself, empty if nothing; ``notes`` are sentences about what is to be known of it. ``sample_aspect_ratio`` is
    how wide a pixel of the upright picture is shown for its height, and ``video_stream`` the number of what is
    played among the file's video streams, from 0.
    """

    width: int
    height: int
    rate: Fraction
    frames: int
    duration: Fraction
    time_base: Fraction
    codec: str
    pixel_format: str
    variable: bool
    comment: str
    sample_aspect_ratio: Fraction
    notes: tuple[str, ...]
    video_stream: int


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One promised frame: its image, or the error that kept it from being decoded, which does not name the frame.

    ``pts`` is in seconds since the first frame, exact; ``image`` is height x width x 3, BGR, uint8. ``after_damage``
    is as in `Frame`.
    """

    index: int
    pts: Fraction
    image: Image | None
    error: str | None
    after_damage: bool = False
