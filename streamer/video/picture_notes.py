"""What a video's first picture tells that no figure shows: its shape, guessed colours, and fields for pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.video.frame import VideoFrame

from streamer.video.shape import shown_size

HD_WIDTH = 1280
SD_HEIGHT = 576
"""From this width on, or above this height, players take an untagged video for BT.709.

That is mpv's rule (libplacebo, pl_color_system_guess_ycbcr in src/colorspace.c); VLC has the same height
(video_format_AdjustColorSpace in include/vlc_es.h).
"""
_UNSPECIFIED = 2
_FIELDS_AS_PICTURES = ("hevc", "vvc")
"""Codecs that have no pictures of two fields coded apart: each field is a picture, which FFmpeg does not weave."""


def has_guessed_colours(frame: VideoFrame) -> bool:
    """FFmpeg converts it as BT.601 and players as BT.709: HD, in YUV, and by which matrix is not said."""
    if frame.colorspace != _UNSPECIFIED or not (frame.width >= HD_WIDTH or frame.height > SD_HEIGHT):
        return False
    kind = frame.format
    # Palettes and gray have no colour difference to convert; XYZ (digital cinema) is no YUV either.
    return len(kind.components) >= 3 and not (kind.is_rgb or kind.has_palette or kind.name.startswith("xyz"))


def is_field(frame: VideoFrame, codec: str) -> bool:
    """It is one field of a picture, of half its height.

    FFmpeg marks such a picture of HEVC or VVC as interlaced, and no other (ff_hevc_set_new_ref in
    libavcodec/hevc/refs.c, by pic_struct): one of two interleaved fields has its full height and no mark. A picture
    of another codec that is marked has its full height.
    """
    return codec in _FIELDS_AS_PICTURES and frame.interlaced_frame


def picture_notes(name: str, width: int, height: int, pixel: Fraction, *, guessed_colours: bool) -> Iterator[str]:
    """Sentences about a video whose upright pictures have this stored size and sample aspect ratio."""
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
    """A sentence about a video each of whose pictures `is_field`, of this stored size."""
    return (
        f"{name} is coded by fields: each of its frames is one field of half height ({width}x{height}), and its rate "
        f"counts fields, two to a picture: {mend}"
    )
