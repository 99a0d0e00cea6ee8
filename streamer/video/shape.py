"""The shape of pixels: players stretch a picture by it, while the detector sees the picture as it is stored."""

from __future__ import annotations

from fractions import Fraction

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.vendors import pyav

SQUARE = Fraction(1)
"""The sample aspect ratio of a video that declares none."""
_SAME_SHAPE = Fraction(1, 100)


def sample_aspect_ratio(stream: VideoStream) -> Fraction:
    """A stored pixel's width over its height, as the container declares it, else the codec; else `SQUARE`.

    That order is the one of FFmpeg's av_guess_sample_aspect_ratio.
    """
    declared = pyav.exact(stream.sample_aspect_ratio) or _of_the_codec(stream)
    return declared if declared > 0 else SQUARE


def shown_size(width: int, height: int, ratio: Fraction) -> tuple[int, int]:
    """Width and height as shown, in square pixels: one side is stretched, and none shrunk, as in mpv."""
    return (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))


class ShapeChanges:
    """Finds pictures to be shown in another shape than the first: the annotated video has one shape for all."""

    def __init__(self) -> None:
        self._first: tuple[Fraction, Fraction] | None = None
        self.doubts: list[str] = []

    def look(self, index: int, frame: VideoFrame, stream: VideoStream) -> None:
        """Call with each frame that the decoder of ``stream`` gives."""
        if self.doubts or not frame.key_frame:  # no codec changes the shape before a key frame
            return
        context, width, height = stream.codec_context, frame.width, frame.height
        # PyAV has the decoder's ratio, not the frame's: the decoder holds frames back, and may be beyond a change.
        if (context.width, context.height) != (width, height):
            return
        pixel = _of_the_codec(stream)
        shape = pixel * width / height
        if self._first is None:
            self._first = pixel, shape
        first_pixel, first_shape = self._first
        # A picture of another size is scaled to the first size, which may give it the right shape.
        if pixel != first_pixel and abs(shape / first_shape - 1) > _SAME_SHAPE:
            self.doubts.append(
                f"the sample aspect ratio changes to {pixel.numerator}:{pixel.denominator} at about frame {index}: "
                "the annotated video keeps that of the first"
            )


def _of_the_codec(stream: VideoStream) -> Fraction:
    return pyav.exact(stream.codec_context.sample_aspect_ratio) or SQUARE
