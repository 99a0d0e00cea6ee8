"""The contents of a video file: its properties, and the frames that it promises."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from streamer.frame import Image


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A video as it is delivered.

    ``width`` and ``height`` are those of the upright picture, in pixels. ``rate`` is the nominal number of frames per
    second, exact; where the intervals vary it is that of the usual one. ``frames`` counts all frames that the file
    promises. ``duration`` and ``time_base``, the unit of its times, are in seconds. ``variable`` says that the
    intervals differ by more than the rounding to the time base. ``comment`` is the file's own description, or empty.
    ``notes`` are sentences to be known before it is played. A pixel of the upright picture is shown
    ``sample_aspect_ratio`` times as wide as it is high. ``video_stream`` is the number, from 0, of the stream that is
    played among the file's video streams.
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
    """A promised frame: its image, or the error that kept it from being decoded, which does not name the frame.

    ``pts`` is in seconds since the first frame, exact. ``image`` is height x width x 3, BGR, uint8. ``after_damage``
    is as in `Frame`.
    """

    index: int
    pts: Fraction
    image: Image | None
    error: str | None
    after_damage: bool = False
