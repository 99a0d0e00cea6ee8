"""The annotated video: H.264 in an MP4 that can be played even when the process was killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO, FileIO
from pathlib import Path
from threading import Lock
from types import TracebackType

import av
from av.video.frame import PictureType
from av.video.stream import VideoStream

from streamer.errors import SinkError
from streamer.frame import Image
from streamer.video.planes import Planes

_MICROSECONDS_PER_FRAGMENT = "1000000"
_LEAST_TICKS_PER_SECOND = 10_000
_LONGEST_SAMPLE = 2**31 - 2
"""Ticks of the file: FFmpeg's muxer shortens a longer sample, and every later one, to one tick."""
_HELD_SAMPLE = 2**30
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

    ``width`` and ``height`` are those of the images, in pixels; an odd one is made even, as yuv420p needs it, by
    repeating the last column or row. ``rate`` is the nominal number of frames per second. ``time_base`` is the tick
    in seconds of which each time is a multiple. ``comment`` goes into the file's metadata. Players show a pixel
    ``sample_aspect_ratio`` times as wide as it is high. ``open_file`` makes the file: an ordinary one, or one whose
    disk is full on purpose.

    The encoder holds no frame back: when ``write`` returns, the frame's packet has been muxed. While the file grows,
    it is an MP4 in fragments of a second: one that was never closed plays up to its last second. A closed one is an
    ordinary MP4. A sample of an MP4 lasts 2^31 - 2 ticks at most, which at a tick of 1 us is 35.8 minutes. Through a
    longer gap the picture before it is held: it is shown again every 2^30 ticks, which ``held`` counts.

    Raises SinkError when the file cannot be made or written. A full disk shows when a fragment is written, up to a
    second late. After a failure the file stays playable, and closing it raises no further error.
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
        self.frames = self.held = 0
        self._writing = Lock()
        self._path = path
        self._time_base = time_base
        self._last_tick: int | None = None
        self._file_tick = Fraction(1, _ticks_per_second(time_base))
        self._file_ticks = int(time_base / self._file_tick)
        self._longest, self._held_for = _LONGEST_SAMPLE // self._file_ticks, _HELD_SAMPLE // self._file_ticks
        # In the file's ticks, which are finer: a period of 33.333 ms is no whole number of Matroska's milliseconds.
        self._usual_duration = max(1, round(1 / (rate * self._file_tick)))
        self._begin_tick = 0
        self._open_file = open_file
        # One frame for all: x264 copies it before encode returns.
        self._planes = Planes(width, height)
        self._frame = self._planes.frame
        self._frame.time_base = time_base
        self._begin_file(comment)
        with self._failures_raised():
            self._stream = self._add_stream(rate, sample_aspect_ratio)
            self._encoder = self._stream.codec_context
            self._container.start_encoding()
            # The template of a stream must be in an open container, from version 19 of PyAV on: this one stays empty.
            self._spare = av.open(BytesIO(), "w", format="mp4")
            self._template = self._spare.add_stream_from_template(self._stream, opaque=True)

    def _begin_file(self, comment: str) -> None:
        self._file = _File(self._path, self._open_file)
        options = _mp4_options(self._time_base)
        self._container = av.open(self._file, "w", format="mp4", container_options=options)
        if comment:
            self._container.metadata["comment"] = comment

    def write(self, image: Image, pts: Fraction) -> None:
        """Encode ``image`` (height x width x 3, BGR, uint8), shown from ``pts`` seconds on, and mux its packet.

        Raises ValueError for a time that is no multiple of the time base or not after the one before, and SinkError
        when the file cannot be written.
        """
        with self._writing:
            tick = self._tick(pts)
            self._hold_until(tick)
            self._planes.draw(image)
            self._encode(tick)
            self.frames += 1

    def _encode(self, tick: int) -> None:
        """Encode the picture in the planes, and mux its packet."""
        self._frame.pts = self._begin_tick + tick
        with self._failures_raised():
            for packet in self._encoder.encode(self._frame):
                packet.stream, packet.time_base = self._stream, self._file_tick
                packet.pts = packet.dts = tick * self._file_ticks  # pictures are not reordered
                # PyAV up to version 17 sets none: a file of one picture would have no length.
                packet.duration = self._usual_duration
                self._container.mux(packet)
        self._frame.pict_type = PictureType.NONE
        self._last_tick = tick

    def go_on(self, finished: Path, comment: str) -> None:
        """Finish the file, rename it to ``finished``, and go on in a new one with times from 0 on.

        The encoder stays, and goes on with a key frame: opening another one takes 10 ms, in which all threads of
        Python stand still. Raises SinkError as ``close`` does, and OSError when the file cannot be renamed.
        """
        with self._writing:
            self._finish()
            self._path.rename(finished)
            self._begin_file(comment)
            with self._failures_raised():
                self._stream = self._container.add_stream_from_template(self._template, opaque=True)
                self._stream.time_base = self._time_base
                self._container.start_encoding()
            self._begin_tick += 0 if self._last_tick is None else self._last_tick + 1
            self._last_tick = None
            self._frame.pict_type = PictureType.I

    def close(self) -> None:
        """Finish the file as an ordinary MP4; does nothing more the second time or after a failure.

        While another thread is in ``write``, on a disk that hangs, the file is left as it is, playable in fragments.
        Raises SinkError when the end of the file cannot be written, which leaves it so, too.
        """
        if not self._writing.acquire(blocking=False):
            return
        try:
            self._finish()
            self._spare.close()
        finally:
            self._writing.release()

    def _finish(self) -> None:
        if self._file.closed:
            # PyAV sees the closed file and leaves out the MP4's end, which would make it unplayable.
            self._container.close()
            return
        with self._failures_raised():
            # The encoder is empty.
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
        # Square pixels are not declared, as in cameras' files.
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

    def _hold_until(self, tick: int) -> None:
        """Show the last picture again where it would have to last for too long."""
        while self._last_tick is not None and tick - self._last_tick > self._longest:
            self._encode(self._last_tick + self._held_for)
            self.held += 1

    @contextmanager
    def _failures_raised(self) -> Iterator[None]:
        """Raise a failure of the encoder, the muxer or the file as a SinkError, and write no more."""
        try:
            yield
        except av.FFmpegError as error:
            self._file.close()
            raise SinkError(f"cannot write {self._path} as H.264: {error.strerror}") from error
        if self._file.failure is not None:
            self._file.close()
            raise _sink_error(self._path, self._file.failure) from self._file.failure


class _File:
    """The file below the muxer: unbuffered, and without further writes after the first ``failure``, which it keeps.

    FFmpeg's own file protocol holds back up to 256 KB, which a killed process would lose. A muxer that sees a failed
    write still writes elsewhere in the file: an MP4's end turns the fragments before it into one block that needs the
    index, which is lost. So the failure is hidden from the muxer, and nothing more is written.
    """

    def __init__(self, path: Path, open_file: Callable[[Path], FileIO]) -> None:
        try:
            self._file = open_file(path)
        except OSError as error:
            raise _sink_error(path, error) from error
        self.failure: OSError | None = None

    @property
    def closed(self) -> bool:
        """Whether nothing more will be written; PyAV checks it before it writes the MP4's end."""
        return self._file.closed

    def write(self, chunk: bytes) -> int:
        """Write all of ``chunk``; a failure is kept, and counts as written."""
        rest = memoryview(chunk)
        try:
            while rest and self.failure is None:
                # A nearly full disk accepts a part of the bytes, and fails at the next call.
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.failure = error
        return len(chunk)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; returns the new one in bytes from the start."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position in bytes from the start."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file; a failure is kept as in ``write``."""
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or error


def _ticks_per_second(time_base: Fraction) -> int:
    return time_base.denominator * -(-_LEAST_TICKS_PER_SECOND // time_base.denominator)


def _mp4_options(time_base: Fraction) -> dict[str, str]:
    # Without these the muxer chooses the ticks, and rounds the first frame's start to milliseconds.
    ticks = _ticks_per_second(time_base)
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
