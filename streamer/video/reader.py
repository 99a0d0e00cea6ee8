"""Decoding a video file frame by frame, with an account of every frame that it promises."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from streamer.errors import SourceError
from streamer.frame import Image
from streamer.vendors import pyav
from streamer.video.aftermath import Aftermath
from streamer.video.coded import Coded, orientation
from streamer.video.contents import Picture, VideoInfo
from streamer.video.frame_times import Schedule
from streamer.video.index import index_video
from streamer.video.opening import open_video
from streamer.video.parts import opened
from streamer.video.picture_notes import field_doubt, has_guessed_colours, is_field, picture_notes
from streamer.video.rescaling import SizeChanges
from streamer.video.sent import NO_PICTURE, SentPackets
from streamer.video.shape import ShapeChanges, sample_aspect_ratio
from streamer.video.stream_choice import not_played


class VideoReader:
    """A video file's frames in the order of presentation; each promised frame comes out once.

    The file's packets are read once on opening, without decoding: ``info`` and ``schedule`` (the time of each
    promised frame, with ``gaps`` as in `VideoIndex`) are known before the first frame is read. All images have the
    size in ``info``. ``doubts`` are sentences about what is wrong with the file; reading may add to them.
    ``video_stream`` chooses one of several videos by its number; without it, players' choice is played.

    Raises UsageError where there is no such file or no such video in it, and SourceError where it cannot be read as a
    video.
    """

    def __init__(self, path: Path, video_stream: int | None = None) -> None:
        self._path = path
        self._requested = video_stream
        self._container, self._number = open_video(path, video_stream)
        with self._container:
            stream = self._container.streams.video[self._number]
            index = index_video(path, self._container, stream, alone=video_stream is not None)
        self._broken = index.broken
        self._timed = index.timed
        self._replaced = index.replaced
        self._missing, self._whole = index.missing, index.whole
        self._parts = index.parts
        self._period = max(1, round(1 / (index.rate * index.schedule.time_base)))
        self._empty = 0
        self.schedule: Schedule = index.schedule
        self.gaps = index.gaps
        self._doubts = index.doubts
        self._sizes = SizeChanges()
        self._shapes = ShapeChanges()
        self._reformatter = VideoReformatter()
        self._coded: Coded | None = None
        self.rewind()
        coded = self._decode_first()
        if self._empty:
            index = index.without_empty()
        self.info = self._describe(coded, index.rate, index.duration, index.variable)

    @property
    def doubts(self) -> list[str]:
        empty = f"{self._empty} packets raised no error and showed nothing: they are not counted as frames"
        return [*self._doubts, *self._sizes.doubts, *self._shapes.doubts, *([empty] if self._empty else [])]

    def read(self) -> Picture | None:
        """The next frame in the order of presentation; None after the last promised one."""
        while not self._pending:
            frame = next(self._frames, None)
            self._enqueue(frame)
            if frame is None and not self._pending:
                return None
        return self._pending.popleft()

    def rewind(self) -> None:
        """Go back to the first frame. Raises SourceError when the file can no longer be opened."""
        self._container.close()
        # Opened anew: seeking to the first frame is not exact in every container.
        self._container, self._number = open_video(self._path, self._requested)
        self._stream = self._container.streams.video[self._number]
        self._frames = self._decode()
        self._errors: list[tuple[int | None, str]] = []  # those that explain no lost picture yet
        self._pending: deque[Picture] = deque()
        self._next = 0

    def close(self) -> None:
        """Close the file: no more frames are read from it. May be called again."""
        self._next = len(self.schedule)
        self._pending.clear()
        self._frames = iter(())
        self._container.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _decode(self) -> Iterator[VideoFrame]:
        """The frames as the decoder gives them; a packet that it refuses is noted and skipped."""
        if not self._parts:
            yield from self._decode_part(self._container, self._stream)
        for part in self._parts:
            with suppress(av.FFmpegError), opened(self._path, part) as (container, stream):
                yield from self._decode_part(container, stream)

    def _decode_part(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        context = stream.codec_context
        pyav.prepare(context)
        self._sent, self._aftermath = SentPackets(context), Aftermath(context)
        for packet in _packets(container, stream):
            if packet is not None:
                self._aftermath.sent(self._sent.mark(packet), packet)
                if self._timed and packet.pts in self._broken:
                    self._aftermath.hurt(self._sent.last)
            try:
                yield from context.decode(packet)
            except av.FFmpegError as error:
                self._aftermath.hurt(self._sent.last)
                self._errors.append((packet.pts if packet and self._timed else None, str(error.strerror)))

    def _enqueue(self, frame: VideoFrame | None) -> None:
        """Append the picture of ``frame`` to the pending ones, after those that it comes behind; None is the end."""
        if self._errors and frame is not None and frame.pts in (ticks := [tick for tick, _ in self._errors]):
            del self._errors[ticks.index(frame.pts)]  # The decoder raised an error, but gave the picture.
        index = len(self.schedule) if frame is None else self._index_of(frame)
        first = self._next
        while self._next < index:
            if (error := self._why_lost(self.schedule.tick(self._next))) is None:
                # A packet that raises no error and shows nothing is no frame.
                self.schedule.remove(self._next)
                self.gaps = tuple(gap - (gap > self._next) for gap in self.gaps)
                self._empty += 1
                index -= 1
                continue
            self._pending.append(Picture(self._next, self.schedule.pts(self._next), None, error))
            self._next += 1
        if frame is not None:
            sent, damaged = self._sent.of(frame), self._is_damaged(frame)
            if self._next > first:
                self._aftermath.hurt(sent.number - 1)
            after_damage = self._aftermath.holds(sent, frame, damaged=damaged)
            self._pending.append(self._picture(index, frame, damaged=damaged, after_damage=after_damage))
            self._next = index + 1

    def _index_of(self, frame: VideoFrame) -> int:
        """The frame's number: by its time, which shows how many are lost before it; without one, the next number.

        No picture is discarded: one that was not promised gets a place in the schedule.
        """
        if not self._timed or frame.pts is None or frame.pts in self._replaced:
            return self._next if self._next < len(self.schedule) else self._inserted(self._next)
        index = self.schedule.index_of(frame.pts)
        if index is not None and index >= self._next:
            return index
        if not self._next or frame.pts > self.schedule.tick(self._next - 1):
            return self._inserted(self.schedule.place_of(frame.pts), frame.pts)
        # It comes out of order, behind a frame that is shown later: it is the next one, and its packet was not empty.
        self._empty -= self._empty > 0
        return self._inserted(self._next)

    def _inserted(self, index: int, tick: int | None = None) -> int:
        """Make room for a frame that was not promised; returns its number."""
        self.schedule.insert(index, self._period, tick)
        self.gaps = tuple(gap + (gap >= index) for gap in self.gaps)
        return index

    def _why_lost(self, tick: int) -> str | None:
        """Why the frame of this tick was not decoded; None where its packet was empty."""
        if tick in self._missing:
            return "it is not in the file"
        if tick in self._broken:
            return "its data is damaged"
        if not self._errors:
            # Behind packets that are known to be damaged, one that shows nothing is not an empty one.
            return NO_PICTURE if self._broken and self._aftermath.lasts else None
        # A decoder that holds pictures back may raise the error of one packet at another.
        ticks = [tick for tick, _ in self._errors]
        return self._errors.pop(ticks.index(tick) if tick in ticks else 0)[1]

    def _is_damaged(self, frame: VideoFrame) -> bool:
        """Whether the decoder has painted over data that it could not read, so that the camera saw something else."""
        marked = frame.is_corrupt and frame.pts not in self._whole
        return marked or (self._timed and frame.pts in self._broken)

    def _picture(self, index: int, frame: VideoFrame, *, damaged: bool, after_damage: bool) -> Picture:
        pts = self.schedule.pts(index)
        if damaged:
            return Picture(index, pts, None, "its data is damaged")
        try:
            return Picture(index, pts, self._image(index, frame), None, after_damage)
        except av.FFmpegError as error:
            return Picture(index, pts, None, f"it could not be converted to BGR: {error.strerror}")

    def _image(self, index: int, frame: VideoFrame) -> Image:
        coded = self._coded = self._coded or self._first_coded(frame)
        self._shapes.look(index, frame, self._stream)
        self._sizes.look(index, frame.width, frame.height)
        # One reformatter for all frames (a new one takes three times as long as the conversion), on this thread only.
        converted = self._reformatter.reformat(frame, coded.width, coded.height, "bgr24", threads=1)
        return coded.upright(np.ascontiguousarray(cast(Image, converted.to_ndarray())))

    def _first_coded(self, frame: VideoFrame) -> Coded:
        width, height = frame.width, frame.height
        if is_field(frame, self._stream.codec_context.codec.canonical_name):
            name = self._path.name
            mend = f"weave them beforehand (ffmpeg -i {name} -vf weave,bwdif=send_frame woven.mp4)"
            self._doubts += (field_doubt(name, width, height, mend),)
        return Coded(width, height, frame.format.name, has_guessed_colours(frame), *orientation(frame))

    def _decode_first(self) -> Coded:
        """Decode up to the first good frame: it alone has size, orientation and pixel format. Raises SourceError."""
        read: list[Picture] = []
        while self._coded is None and (picture := self.read()) is not None:
            read.append(picture)
        if self._coded is None:
            self.close()
            what = f"none of its {len(read)} frames can be decoded" if read else "there are no frames in it"
            raise SourceError(f"{self._path} cannot be played: {what}: record it again")
        self._pending.extendleft(reversed(read))
        return self._coded

    def _describe(self, coded: Coded, rate: Fraction, duration: Fraction, variable: bool) -> VideoInfo:
        stored = sample_aspect_ratio(self._stream)
        pixel = 1 / stored if coded.transpose else stored
        width, height = (coded.height, coded.width) if coded.transpose else (coded.width, coded.height)
        return VideoInfo(
            width=width,
            height=height,
            rate=rate,
            frames=len(self.schedule),
            duration=duration,
            time_base=self.schedule.time_base,
            codec=self._stream.codec_context.codec.canonical_name,
            pixel_format=coded.pixel_format,
            variable=variable,
            comment=pyav.comment(self._container),
            sample_aspect_ratio=pixel,
            notes=(
                *not_played(self._path, self._container, self._number, {part.pid for part in self._parts}),
                *picture_notes(self._path.name, width, height, pixel, guessed_colours=coded.guessed_colours),
            ),
            video_stream=self._number,
        )


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream] | None]:
    """The packets, and None at the end or where the file breaks off: the decoder then gives the pictures it holds."""
    with suppress(av.FFmpegError):
        for packet in pyav.demux(container, stream):
            # An empty packet would end the decoding.
            if packet.size:
                yield packet
    yield None
