"""PyAV, in any version: the one place that knows how versions differ.

Up to version 18 a rate, a ratio or a time base is a Fraction, or None where it is not known. From version 19 on it
is an ``AVRational``: unknown is 0/1, and it has no ``round()``, ``int()`` and ``limit_denominator()``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from threading import Lock
from typing import Any, Protocol, cast

import av
import numpy as np
from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_OPEN_OPTIONS = {"metadata_errors": "replace"} if hasattr(InputContainer, "metadata_errors") else {}
"""Up to version 18, text that is no UTF-8 is an error without this option."""

_QUARTER_TURNS = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))
"""Display matrices for rotations of the picture, counter-clockwise."""

_hearing_lock = Lock()
_hearing = 0
_before: tuple[int | None, bool] = (None, True)
"""PyAV's level and its skipping of repeats before the first block of `warnings_heard`."""
# Warnings outside of such a block are dropped: Python prints those that no logger handles.
logging.getLogger("libav").addHandler(logging.NullHandler())


class _Timed(Protocol):
    """A stream, a packet or a frame, with times in ticks."""

    @property
    def time_base(self) -> Any: ...


def open_input(
    file: str, *, options: dict[str, str] | None = None, timeout: tuple[float, float] | None = None
) -> InputContainer:
    """Opens a file or an address for reading; ``timeout`` is that of opening and of each read, in seconds.

    Raises av.FFmpegError.
    """
    # Any, since the stubs of no version fit both.
    opened: Any = av.open(file, options=options, timeout=timeout, **cast(dict[str, Any], _OPEN_OPTIONS))
    return cast(InputContainer, opened)


def prepare(context: VideoCodecContext) -> None:
    """Makes a decoder use slice threads, or one thread for H.264.

    Frame threads hold frames back, so that these seem to arrive later. They also go on decoding after a frame is
    returned, on the cores on which that frame is measured. Slice threads of H.264 conceal damaged slices, and do not
    mark the frame.
    """
    context.thread_type = "SLICE"
    if context.codec.canonical_name == "h264":
        context.thread_count = 1
    if context.codec.name == "libdav1d":  # has threads of its own, and an option of its own
        context.options = {"max_frame_delay": "1"}


def demux(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The packets of ``stream``; the last one is empty. Raises av.FFmpegError.

    For a stream that begins in the middle of a transport stream PyAV raises IndexError up to version 18, and goes on
    with the next call.
    """
    while True:
        with suppress(IndexError):
            yield from container.demux(stream)
            return


def exact(ratio: Any) -> Fraction | None:
    """A rate, a ratio or a time base of PyAV's as a Fraction; None where it is not known."""
    if ratio is None or not ratio.numerator or not ratio.denominator:
        return None
    return Fraction(ratio.numerator, ratio.denominator)


def has_no_times(container: InputContainer) -> bool:
    """Whether this is a raw stream, whose format has no place for times: its average rate is FFmpeg's own guess."""
    # Formats of pictures without times, which FFmpeg counts.
    piped = container.format.name.endswith("_pipe")
    return piped or bool(container.format.flags & cast(int, Flags.no_timestamps.value))


def says_its_rate(container: InputContainer) -> bool:
    """Whether the format has a place for the frame rate: else the average is an estimate of FFmpeg's."""
    return not (has_no_times(container) or container.format.flags & cast(int, Flags.ts_discont.value))


def time_base(timed: _Timed) -> Fraction:
    """The tick in seconds. FFmpeg gives one to every stream of a container.

    Raises ValueError when it is not known.
    """
    base = exact(timed.time_base)
    if base is None:
        raise ValueError(f"{timed!r} has no time base")
    return base


def display_matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """The upper left quarter of a frame's display matrix, which maps x and y: a and b, c and d.

    Its unit has no fixed size. It is the identity for a frame without a matrix.
    """
    try:
        matrix = cast(Mapping[str, Any], frame.side_data).get("DISPLAYMATRIX")
    except ValueError:
        # Up to version 18, one kind that PyAV does not know (EXIF data, in motion JPEG) makes all of it unreadable.
        # The rotation can still be read; it does not show a mirror image.
        return _QUARTER_TURNS[frame.rotation // 90 % 4]
    if matrix is None:
        return _QUARTER_TURNS[0]
    a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(matrix), np.int32)[:5])
    return a, b, c, d


def comment(container: InputContainer) -> str:
    """The comment in a file or a stream, as text that can be written as UTF-8; empty if there is none."""
    # Version 19 keeps bytes that are no UTF-8 as lone surrogates, which cannot be encoded.
    text = container.metadata.get("comment", "")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def decodes(codec: str) -> bool:
    """Whether this FFmpeg has the decoder of this name."""
    try:
        return av.codec.Codec(codec, "r") is not None
    except av.codec.codec.UnknownCodecError:
        return False


@contextmanager
def warnings_heard(messages: list[str]) -> Iterator[None]:
    """Adds at the end FFmpeg's warnings on this thread meanwhile; those on other threads are dropped.

    PyAV logs for the whole process or not at all: each warning needs the GIL, on whichever thread it comes.
    """
    global _hearing, _before
    with _hearing_lock:
        _hearing += 1
        if _hearing == 1:
            _before = av.logging.get_level(), av.logging.get_skip_repeated()
            av.logging.set_level(av.logging.WARNING)
            av.logging.set_skip_repeated(False)
    heard: list[tuple[int, str, str]] = []
    try:
        with av.logging.Capture() as heard:
            yield
    finally:
        messages += (message for _, _, message in heard)
        with _hearing_lock:
            _hearing -= 1
            if _hearing == 0:
                level, skip = _before
                av.logging.set_level(level)
                av.logging.set_skip_repeated(skip)


def size(container: InputContainer) -> int | None:
    """The size of a served file in bytes; None where the server does not send it."""
    sent: int | None = container.size  # in version 18 an unknown size is -1, and that of an empty answer 0
    return sent if sent is not None and sent > 0 else None
