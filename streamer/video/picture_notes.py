"""Notes and doubts by a video's first picture: its shape, guessed colours, and fields that come as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.video.frame import VideoFrame

from streamer.video.shape import shown_size

HD_WIDTH = 1280
SD_HEIGHT = 576
"""From this width on, or above this height, players decode an untagged video as BT.709.

That is mpv's rule (libplacebo, pl_color_system_guess_ycbcr in src/colorspace.c); VLC has the same height
(video_format_AdjustColorSpace in include/vlc_es.h).
"""
_UNSPECIFIED = 2
_FIELDS_AS_PICTURES = ("hevc", "vvc")
"""Codecs in which a separately coded field is a picture of its own; FFmpeg does not weave two of them."""


def has_guessed_colours(frame: VideoFrame) -> bool:
    """Whether its colours are guessed: FFmpeg converts untagged YUV in HD as BT.601, players as BT.709."""
    if frame.colorspace != _UNSPECIFIED or not (frame.width >= HD_WIDTH or frame.height > SD_HEIGHT):
        return False
    kind = frame.format
    # Palettes and gray have no chroma to convert; XYZ (digital cinema) is no YUV either.
    return len(kind.components) >= 3 and not (kind.is_rgb or kind.has_palette or kind.name.startswith("xyz"))


def is_field(frame: VideoFrame, codec: str) -> bool:
    """Whether it is one field of a picture, with half the picture's height.

    In HEVC and VVC FFmpeg marks only such a picture as interlaced (ff_hevc_set_new_ref in libavcodec/hevc/refs.c, by
    pic_struct): a picture of two interleaved fields has its full height and no mark. In other codecs a marked picture
    has its full height.
    """
    return codec in _FIELDS_AS_PICTURES and frame.interlaced_frame


def picture_notes(name: str, width: int, height: int, pixel: Fraction, *, guessed_colours: bool) -> Iterator[str]:
    """Notes about a video by the stored size of its upright pictures, in pixels, and their sample aspect ratio."""
    shown = shown_size(width, height, pixel)
    if shown != (width, height):
        yield (
            f"{name}: its pixels are {pixel.numerator}:{pixel.denominator}: shown {shown[0]}x{shown[1]}; "
            f"the detector sees the stored {width}x{height}"
        )
    if guessed_colours:
        yield (
            f"{name} does not say by which matrix its colours are coded: they are converted as BT.601, as FFmpeg "
            f"does; players take BT.709 for {width}x{height}, so the detector sees colours that are a little off"
        )


def field_doubt(name: str, width: int, height: int, mend: str) -> str:
    """The doubt about a video of fields (`is_field`), with their stored size in pixels."""
    return (
        f"{name} is coded by fields: each of its frames is one field of half height ({width}x{height}), and its rate "
        f"counts fields, two to a picture: {mend}"
    )
