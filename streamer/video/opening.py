"""Opening a video file: its container and the stream to play, or why it cannot be played."""

from __future__ import annotations

from pathlib import Path

import av
from av.container import InputContainer

from streamer.errors import SourceError, StreamerError, UsageError
from streamer.vendors import pyav
from streamer.video.stream_choice import choose
from streamer.video.truncation import cut_off_before_its_index


def open_video(path: Path, requested: int | None) -> tuple[InputContainer, int]:
    """The container, open, and the number of the stream to play; ``requested`` is the user's choice of it.

    Raises UsageError where there is no such file or no such video in it, and SourceError where it cannot be read or
    holds none.
    """
    if path.is_dir():
        raise SourceError(f"{path} is a directory: name a video file")
    if not path.exists():
        raise UsageError(f"{path}: no such file")
    if not path.stat().st_size:
        raise SourceError(f"{path} is empty: copy or record it again")
    try:
        # Without the protocol FFmpeg takes a colon in a file's name for the end of one.
        container = pyav.open_input(f"file:{path}")
    except av.FFmpegError as error:
        raise SourceError(_why_not(path, error)) from error
    try:
        number = choose(path, container, requested)
        if number is None:
            raise SourceError(_cut_off(path) or f"{path} holds no video: name a video file")
    except StreamerError:
        container.close()
        raise
    for stream in container.streams:
        if stream.index != container.streams.video[number].index:
            stream.discard = av.stream.Discard.all
    return container, number


def _why_not(path: Path, error: av.FFmpegError) -> str:
    if isinstance(error, PermissionError):
        return f"{path} may not be read: check its permissions"
    return _cut_off(path) or f"{path} is not a video that can be read: {error.strerror}"


def _cut_off(path: Path) -> str:
    if not cut_off_before_its_index(path):
        return ""
    return f"{path} seems to be cut off: its index (moov) is missing: copy or record it again"
