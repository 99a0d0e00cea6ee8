"""The shape of pixels: players stretch a picture by it, and the detector sees the picture as it is stored."""

from __future__ import annotations

from fractions import Fraction

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from streamer.vendors import pyav

SQUARE = Fraction(1)
"""The sample aspect ratio of a video that says none."""
_SAME_SHAPE = Fraction(1, 100)


def sample_aspect_ratio(stream: VideoStream) -> Fraction:
    """How wide a stored pixel is shown for its height: what the container says, else the codec, else `SQUARE`.

    In the order in which FFmpeg's av_guess_sample_aspect_ratio asks them.
    """
    said = pyav.exact(stream.sample_aspect_ratio) or _of_the_codec(stream)
    return said if said > 0 else SQUARE


def shown_size(width: int, height: int, ratio: Fraction) -> tuple[int, int]:
    """Width and height as they are shown, in square pixels: one side is stretched, as mpv does, and none shrunk."""
    return (round(width * ratio), height) if ratio > 1 else (width, round(height / ratio))


class ShapeChanges:
    """Looks for pictures to be shown in another shape than the first: the annotated video has one for all."""

    def __init__(self) -> None:
        self._first: tuple[Fraction, Fraction] | None = None
        self.doubts: list[str] = []

    def look(self, index: int, frame: VideoFrame, stream: VideoStream) -> None:
        """The decoder of ``stream`` has given frame ``index``."""
        if self.doubts or not frame.key_frame:  # before which no codec changes it
            return
        context, width, height = stream.codec_context, frame.width, frame.height
        # PyAV has the decoder's ratio, not the frame's: it holds frames back, and may be beyond a change by now.
        if (context.width, context.height) != (width, height):
            return
        pixel = _of_the_codec(stream)
        shape = pixel * width / height
        if self._first is None:
            self._first = pixel, shape
        first_pixel, first_shape = self._first
        # One of another size is scaled to the first, which may be all that its pixels need.
        if pixel != first_pixel and abs(shape / first_shape - 1) > _SAME_SHAPE:
            self.doubts.append(
                f"the sample aspect ratio changes to {pixel.numerator}:{pixel.denominator} at about frame {index}: "
                "the annotated video keeps that of the first"
            )


def _of_the_codec(stream: VideoStream) -> Fraction:
    return pyav.exact(stream.codec_context.sample_aspect_ratio) or SQUARE
