"""The annotated video: H.264 in an MP4 that can be played even when the process was killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import FileIO
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

from streamer.errors import SinkError
from streamer.frame import Image
from streamer.vendors.opencv import cv2

_MICROSECONDS_PER_FRAGMENT = "1000000"
_LEAST_TICKS_PER_SECOND = 10_000
# AVCOL_SPC_, AVCOL_PRI_ and AVCOL_TRC_SMPTE170M are all 6: the BT.601 that OpenCV converts to.
_BT601 = 6
_LIMITED_RANGE = 1
# The encoder shares the cores with the engine that is being measured: veryfast takes twice the time of ultrafast,
# and with it inference is slower, for a file two thirds as large.
_ENCODER = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23"}


def _new_file(path: Path) -> FileIO:
    return FileIO(path, "w")


class VideoWriter:
    """Encodes BGR images as H.264, yuv420p, each at its own time; ``frames`` counts those written.

    The encoder holds no frame back: when ``write`` returns, the frame's packet has been muxed. The file is
    an MP4 in fragments of a second while it grows, so that one that was never closed plays up to its last
    second, and an ordinary MP4 once it is closed. An odd width or height is made even, which yuv420p needs,
    by repeating the last column or row. ``width`` and ``height`` are those of the images, ``rate`` is the
    nominal number of frames per second, ``time_base`` the tick in seconds of which each time is a multiple,
    ``comment`` is kept in the file's metadata; ``sample_aspect_ratio`` is how wide players show a pixel for its
    height. ``open_file`` makes the file: an ordinary one, or one whose disk is full on purpose.

    Raises SinkError when the file cannot be made or written. A full disk shows when a fragment is written, so
    up to a second late. A writer that has failed leaves what is on the disk playable, and closing it raises
    nothing more.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        rate: Fraction,
        time_base: Fraction,
        *,
        comment: str = "",
        sample_aspect_ratio: Fraction = Fraction(1),
        open_file: Callable[[Path], FileIO] = _new_file,
    ) -> None:
        self.frames = 0
        self._writing = Lock()
        self._path = path
        self._time_base = time_base
        self._last_tick: int | None = None
        self._pad = (height % 2, width % 2)
        # One plane buffer for all frames: x264 copies it before encode returns.
        self._planes = np.empty(((height + height % 2) * 3 // 2, width + width % 2), np.uint8)
        self._frame = av.VideoFrame.from_numpy_buffer(self._planes, format="yuv420p")
        self._frame.time_base = time_base
        self._file = _File(path, open_file)
        self._container = av.open(self._file, "w", format="mp4", container_options=_mp4_options(time_base))
        if comment:
            self._container.metadata["comment"] = comment
        with self._failures_raised():
            self._stream = self._add_stream(rate, sample_aspect_ratio)
            self._container.start_encoding()

    def write(self, image: Image, pts: Fraction) -> None:
        """Encode ``image``, shown from ``pts`` seconds on, and mux its packet.

        Raises ValueError for a time that is no multiple of the time base or not after the one before, and
        SinkError when the file cannot be written.
        """
        with self._writing:
            tick = self._tick(pts)
            if any(self._pad):
                padded = cv2.copyMakeBorder(image, 0, self._pad[0], 0, self._pad[1], cv2.BORDER_REPLICATE)
                image = cast(Image, padded)
            cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=self._planes)
            self._frame.pts = tick
            with self._failures_raised():
                self._container.mux(self._stream.encode(self._frame))
            self._last_tick = tick
            self.frames += 1

    def close(self) -> None:
        """Finish the file as an ordinary MP4; does nothing more the second time or after a failure.

        While another thread is in ``write``, on a disk that hangs, the file is left as it is, playable in fragments.
        Raises SinkError when the end of the file cannot be written; it then stays so too.
        """
        if not self._writing.acquire(blocking=False):
            return
        try:
            self._finish()
        finally:
            self._writing.release()

    def _finish(self) -> None:
        if self._file.closed:
            # PyAV sees the closed file and leaves out the MP4's end, which would only spoil what plays.
            self._container.close()
            return
        with self._failures_raised():
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._file.close()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add_stream(self, rate: Fraction, sample_aspect_ratio: Fraction) -> VideoStream:
        stream = self._container.add_stream("libx264", rate=rate, options=_ENCODER)
        stream.width, stream.height = self._frame.width, self._frame.height
        stream.pix_fmt = "yuv420p"
        stream.gop_size = max(1, round(rate))
        stream.codec_context.time_base = self._time_base
        # What is square is left unsaid, as cameras do.
        if sample_aspect_ratio != 1:
            stream.codec_context.sample_aspect_ratio = sample_aspect_ratio
        stream.color_range = _LIMITED_RANGE
        stream.colorspace = stream.color_primaries = stream.color_trc = _BT601
        # On the caller's thread only: on all cores it would disturb the inference that is being measured.
        stream.thread_count = 1
        return stream

    def _tick(self, pts: Fraction) -> int:
        ticks = pts / self._time_base
        if ticks.denominator != 1:
            raise ValueError(f"{pts} s is no multiple of the time base {self._time_base} s")
        if self._last_tick is not None and ticks.numerator <= self._last_tick:
            raise ValueError(f"{pts} s is not after the frame before it")
        return ticks.numerator

    @contextmanager
    def _failures_raised(self) -> Iterator[None]:
        """Raise what fails in the encoder, the muxer or the file as a SinkError, and write no more."""
        try:
            yield
        except av.FFmpegError as error:
            self._file.close()
            raise SinkError(f"cannot write {self._path} as H.264: {error.strerror}") from error
        if self._file.failure is not None:
            self._file.close()
            raise _sink_error(self._path, self._file.failure) from self._file.failure


class _File:
    """The file below the muxer: unbuffered, and deaf after the first failure, which it keeps.

    FFmpeg's own file protocol holds back up to 256 KB, which a killed process would lose. And a muxer that
    is told of a failed write still writes elsewhere in the file (an MP4's end turns the fragments before it
    into one block that only the index, just lost, could explain): so it is told nothing, and nothing more
    is written.
    """

    def __init__(self, path: Path, open_file: Callable[[Path], FileIO]) -> None:
        try:
            self._file = open_file(path)
        except OSError as error:
            raise _sink_error(path, error) from error
        self.failure: OSError | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing more will be written; PyAV asks before it writes the MP4's end."""
        return self._file.closed

    def write(self, chunk: bytes) -> int:
        """Write all of ``chunk``, or keep the failure and take it for written."""
        rest = memoryview(chunk)
        try:
            while rest and self.failure is None:
                # A disk that is nearly full takes a part of the bytes and fails at the next call.
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.failure = error
        return len(chunk)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, which is the new one in bytes from the start."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position in bytes from the start."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file; a failure is kept like one of ``write``."""
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or error


def _mp4_options(time_base: Fraction) -> dict[str, str]:
    # The muxer would otherwise choose the ticks itself, and round the first frame's start to milliseconds.
    ticks = time_base.denominator * -(-_LEAST_TICKS_PER_SECOND // time_base.denominator)
    return {
        # delay_moov: the index at the front is written with the first fragment, when the first time is known.
        "movflags": "hybrid_fragmented+delay_moov",
        "frag_duration": _MICROSECONDS_PER_FRAGMENT,
        "video_track_timescale": str(ticks),
        "movie_timescale": str(ticks),
    }


def _sink_error(path: Path, error: OSError) -> SinkError:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return SinkError(f"disk full while writing {path}: free some space")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return SinkError(f"not allowed to write {path}: choose a directory that can be written")
        case errno.ENOENT | errno.ENOTDIR:
            return SinkError(f"cannot write {path}: there is no such directory: create it")
        case _:
            return SinkError(f"cannot write {path}: {error.strerror}")
