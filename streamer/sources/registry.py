"""From SOURCE as it was written to a source that is open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from streamer.address import kind_of, without_credentials
from streamer.errors import UsageError
from streamer.sources.base import Source
from streamer.sources.device import CameraSource
from streamer.sources.images import IMAGE_SUFFIXES, ImageSource
from streamer.sources.network import StreamSource
from streamer.sources.synthetic import parse_synthetic
from streamer.sources.video_file import VideoSource
from streamer.vendors.opencv import load_opencv

STREAMS = ("rtsp", "rtsps", "http", "https")
KINDS = (
    "a video file, an image, a folder of images, camera:N, an address with "
    f"{', '.join(f'{scheme}://' for scheme in STREAMS)}, or synthetic:street"
)


def open_source(uri: str, *, loop: bool, now_us: Callable[[], int]) -> Source:
    """The source that ``uri`` names, with its first frame looked at.

    ``loop`` starts files again at their end. ``now_us`` reads the monotonic clock, in microseconds: live sources say
    by it when a frame arrived. Raises UsageError for what is not there or is no source, and SourceError for what
    cannot be opened or read. Raises LibraryMissing where OpenCV cannot be loaded, which every source's frames need.
    """
    load_opencv()
    kind = kind_of(uri)
    if kind == "camera":
        return CameraSource(_number(uri), now_us=now_us)
    if kind == "synthetic":
        return parse_synthetic(uri)
    if kind in STREAMS:
        return StreamSource(uri, now_us=now_us)
    if kind:
        raise UsageError(f"{without_credentials(uri)} is no source: give {KINDS}")
    if not os.path.exists(uri):
        raise UsageError(f"no such file: {uri}")
    path = Path(uri)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path, loop=loop)
    return VideoSource(path, loop=loop)


def is_live(uri: str) -> bool:
    """It paces itself and has no end: a camera or an address."""
    return kind_of(uri) in ("camera", *STREAMS)


def refuse_live(uri: str) -> None:
    """Raises UsageError for live sources, which show no frame twice."""
    if is_live(uri):
        raise UsageError(f"{without_credentials(uri)} is live and shows no frame twice: record it, and give the file")


def _number(uri: str) -> int:
    number = uri.partition(":")[2]
    if not (number.isascii() and number.isdecimal() and len(number) < 5):
        raise UsageError(f"{uri} is no camera: give its number, as in camera:0")
    return int(number)
