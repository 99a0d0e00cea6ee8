"""The annotated videos, one per stream: whole, of the source's size, each frame at its own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors.pyav import open_input, time_base
from streamer.verification.csv_table import Array
from streamer.verification.frames_csv import Mask, Rows, milliseconds
from streamer.verification.held_pictures import held_pictures
from streamer.verification.manifest import Document, RunFacts
from streamer.verification.reasons import Reasons, Unreadable
from streamer.verification.schedule import instants, media_times
from streamer.verification.segments import Segments, numbered

NAME = "annotated.mp4"
LOST_US = 2_000_000
"""The most that a full disk can lose, in microseconds: the second that could not be written, and the one begun."""
KILLED_US = 1_000_000
"""The most that a killed process can lose, in microseconds: the second begun."""


@dataclass(frozen=True, slots=True)
class _Film:
    """The annotated video of one stream. Its last ``lost_us`` may be missing when the run failed or was killed."""

    path: Path
    stream: int
    run: RunFacts
    lost_us: int
    reasons: Reasons

    @property
    def torn(self) -> bool:
        """Its end may be missing."""
        return self.lost_us > 0

    @property
    def of_none(self) -> bool:
        """Whether its camera was away all the time, as far as is known: then there is no video."""
        return self.run.streams[self.stream].width is None

    @property
    def name(self) -> str:
        return self.path.name


def video_names(run: RunFacts) -> list[str]:
    """The name of each stream's file."""
    many = len(run.streams) > 1
    return [f"annotated-{number}.mp4" for number in range(len(run.streams))] if many else [NAME]


def check_videos(
    rows: Rows, run: RunFacts, directory: Path, document: Document, cut: Segments, reasons: Reasons
) -> int:
    """Checks structure, size, first and last picture, number and times; returns the number of frames.

    The end may be missing when a run failed or was killed: the frames that were in the encoder. Pictures that hold
    the one before through a long pause are no frames. Raises Unreadable.
    """
    one = len(run.streams) == 1
    names = video_names(run)
    if run.video == "none":
        for name in names:
            if (directory / name).exists():
                reasons.add(f"{name}: is there, though run.video is none")
        return 0
    verdict = document.get("verdict")
    lost_us = LOST_US if verdict == "FAILED" else KILLED_US if run.killed else 0
    frames = dropped = held = 0
    for number, name in enumerate(names):
        film = _Film(directory / name, number, run, lost_us, reasons)
        mine = rows if one else rows.where(rows.stream == number)
        if film.of_none and not film.path.exists() and not mine.of("delivered").any():
            continue
        times, known_from, held_here = _times_in_segments(film, cut.begins[number], media_times(mine, run))
        frames += len(times)
        held += held_here
        if cut.incomplete:
            mine, times = _both_there(mine, times, known_from, run)
        dropped += _check_times(film, mine, times)
    undrawn = document.whole("resources", "undrawn") if document.has("resources", "undrawn") else 0
    # A run that was stopped does not wait for the frames between.
    if verdict == "VALID" and dropped != undrawn and not cut.incomplete:
        found = f"{NAME if one else 'annotated videos'}: found {dropped} dropped frames"
        reasons.add(f"{found} that are not in {'it' if one else 'them'}, expected {undrawn}")
    if document.has("resources", "held_pictures") and not lost_us and not cut.incomplete:
        expected = document.whole("resources", "held_pictures")
        if held != expected:
            found = f"{NAME if one else 'annotated videos'}: found {held} pictures"
            reasons.add(f"{found} that hold the one before, expected resources.held_pictures {expected}")
    return frames


def _times_in_segments(film: _Film, begins: Sequence[Fraction], promised: Array) -> tuple[Array, int, int]:
    """The times of the frames in all segments of the video, the begin of the first segment, and how many are held.

    Times are in microseconds. Each file begins at 0, and all but the last have a number. ``promised`` are the times
    of all frames of the ledger. Raises Unreadable.
    """
    there = [*numbered(film.path).items(), (max(len(begins) - 1, 0), film.path)]
    if any(number >= len(begins) for number, _ in there[:-1]):
        raise Unreadable(f"{there[-2][1].name}: is a segment that run.json does not have")
    begins = begins or [Fraction(0)]
    times, held = zip(*(_times_in(replace(film, path=path), begins[at], promised) for at, path in there), strict=True)
    return np.concatenate(times), round(begins[there[0][0]] * 1_000_000), sum(held)


def _both_there(rows: Rows, times: Array, known_from: int, run: RunFacts) -> tuple[Rows, Array]:
    """The rows and times from which on rows and pictures are complete, in a run with deleted segments."""
    (holes,) = np.nonzero(np.diff(rows.frame, prepend=-1) > 1)
    rows = rows.where(np.arange(len(rows)) >= (holes[-1] if len(holes) else 0))
    media = media_times(rows, run)
    first = max(known_from, int(media.min(initial=np.iinfo(np.int64).max)))
    return rows.where(media >= first), times[times >= first]


def _times_in(film: _Film, begin: Fraction, promised: Array) -> tuple[Array, int]:
    """The times of the video's frames, in microseconds, and how many pictures are held; it begins at ``begin``.

    Raises Unreadable.
    """
    if not film.path.is_file():
        raise Unreadable(f"{film.name}: is missing")
    if not film.torn:
        _check_whole(film)
    try:
        with open_input(str(film.path)) as container:
            if not container.streams.video:
                raise Unreadable(f"{film.name}: has no video in it")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise Unreadable(f"{film.name}: its video is of a kind that cannot be decoded")
            _check_size(film, stream)
            ticks = _ticks(film, container, stream)
            if ticks and not film.torn:
                _check_pictures(film, container, stream, ticks)
                _check_end(film, stream, ticks)
            base = time_base(stream)
            if (begin / base).denominator != 1:
                raise Unreadable(f"{film.name}: begins at {begin} s, which is no multiple of its tick of {base} s")
            times = instants([tick + int(begin / base) for tick in ticks], 1 / base)
            held = held_pictures(ticks, np.isin(times, promised), torn=film.torn)
            return times[~held], int(held.sum())
    except av.FFmpegError as error:
        if not film.torn:
            raise Unreadable(f"{film.name}: cannot be read: {error.strerror}") from error
        return np.empty(0, np.int64), 0  # there was no room for the first second


def _check_times(film: _Film, rows: Rows, found: Array) -> int:
    """Checks that the frames ``found`` in the video, by their times in microseconds, are those of the ledger.

    Every delivered frame has to be there. Returns how many dropped ones are missing, which ``all`` promises.
    """
    run, reasons, name = film.run, film.reasons, film.name
    delivered = rows.of("delivered")
    promised = delivered | rows.of("dropped") if run.video == "all" else delivered
    times, number, is_delivered = media_times(rows, run)[promised], rows.frame[promised], delivered[promised]
    reasons.add_each(
        np.diff(found, prepend=-1) <= 0,
        lambda at: f"{name} frame {at} of the video: at {milliseconds(found[at])} ms, not after the one before",
    )
    reasons.add_each(
        ~np.isin(found, times),
        lambda at: f"{name} frame {at} of the video: at {milliseconds(found[at])} ms, where no frame belongs",
    )
    missing = ~np.isin(times, found)
    if film.torn:
        missing[_lost_from(missing, times, film.lost_us) :] = False
    reasons.add_each(
        missing & is_delivered,
        lambda at: f"{name}: frame {number[at]} is not in it, expected at {milliseconds(times[at])} ms",
    )
    return int((missing & ~is_delivered).sum())


def _lost_from(missing: Mask, times: Array, lost_us: int) -> int:
    """The place from which on frames may be lost: nothing after it is there, and the end is within ``lost_us``."""
    there = np.flatnonzero(~missing)
    after_the_last = int(there[-1]) + 1 if len(there) else 0
    return max(after_the_last, int(np.searchsorted(times, times.max(initial=0) - lost_us)))


def _check_whole(film: _Film) -> None:
    """Checks that the last box ends at the end of the file: an MP4 is a row of boxes that begin with their length.

    A reader does not notice a cut in the end of the index, which holds nothing that it needs.
    """
    size, position = film.path.stat().st_size, 0
    with film.path.open("rb") as file:
        while position < size:
            file.seek(position)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # too long for four bytes
                length = int.from_bytes(head[8:16], "big")
            if length < 8 or position + length > size:
                film.reasons.add(f"{film.name}: is cut off: found {size} bytes, expected {position + length} or more")
                return
            position += length


def _check_size(film: _Film, stream: VideoStream) -> None:
    facts = film.run.streams[film.stream]
    if facts.width is None or facts.height is None:
        if not film.torn:  # a killed run may not have recorded its last moment
            film.reasons.add(f"{film.name}: is there, though streams says that no frame of stream {film.stream} came")
        return
    for name, found, source in (("width", stream.width, facts.width), ("height", stream.height, facts.height)):
        expected = source + source % 2
        if found != expected:
            film.reasons.add(
                f"{film.name} {name}: found {found}, expected {expected}: source.{name} {source}, made even"
            )


def _ticks(film: _Film, container: InputContainer, stream: VideoStream) -> list[int]:
    """The times of all packets, in ticks of the file; in a torn file, of the whole ones. Raises Unreadable."""
    ticks: list[int] = []
    try:
        for packet in container.demux(stream):
            if not packet.size or (film.torn and packet.is_corrupt):
                continue
            if packet.pts is None:
                raise Unreadable(f"{film.name} frame {len(ticks)} of the video: has no time")
            ticks.append(packet.pts)
    except av.FFmpegError:
        if not film.torn:
            raise
    return ticks


def plays_until(path: Path) -> int | None:
    """The time of the last picture that can be decoded, in microseconds; None when there is none."""
    last = None
    try:
        with open_input(str(path)) as container:
            stream = container.streams.video[0]
            tick_s = time_base(stream)
            ticks = [packet.pts for packet in container.demux(stream) if packet.size and packet.pts is not None]
            container.seek(ticks[-1], stream=stream)
            for picture in container.decode(stream):
                if picture.pts is not None and not picture.is_corrupt:
                    last = picture.pts
    except (av.FFmpegError, IndexError):
        pass
    return None if last is None else round(last * tick_s * 1_000_000)


def _check_pictures(film: _Film, container: InputContainer, stream: VideoStream, ticks: list[int]) -> None:
    """Checks that the first and the last frame can be decoded."""
    for which, tick in (("first", ticks[0]), ("last", ticks[-1])):
        try:
            container.seek(tick, stream=stream)
            decoded = any(picture.pts == tick and not picture.is_corrupt for picture in container.decode(stream))
        except av.FFmpegError:
            decoded = False
        if not decoded:
            film.reasons.add(f"{film.name}: its {which} frame cannot be decoded")


def _check_end(film: _Film, stream: VideoStream, ticks: list[int]) -> None:
    """Checks that the last frame is shown for one nominal period, to within a tick."""
    period = 1 / (film.run.rate(film.stream) * time_base(stream))
    found = (stream.start_time or 0) + (stream.duration or 0)
    if abs(found - ticks[-1] - period) > 1:
        seconds = [float(end * time_base(stream)) for end in (found, ticks[-1] + period)]
        film.reasons.add(f"{film.name}: found its end at {seconds[0]:.6f} s, expected {seconds[1]:.6f}")
