"""The frames that a video file promises: their number and times, and whether the file is complete.

They are read from the packets alone, without decoding, in a pass over the file that takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.damage import damaged, missing_frames
from streamer.video.frame_times import Schedule
from streamer.video.mending import mended
from streamer.video.packets import Packets, read_packets
from streamer.video.parts import Part
from streamer.video.rate import choose_rate, declared_rates, gap_from, intervals_of, rate_to_count_at

_BACK, _REPEATED = "jump back", "are repeated"

_LOOKED_AT = 24
"""Pictures among which there are B-frames if the video has any."""
_REORDERED = 16
"""The most frames in the file before one that is shown before them (H.264 and HEVC)."""


@dataclass(frozen=True, slots=True)
class VideoIndex:
    """The promised frames, and the doubts about them.

    ``timed`` says that the schedule holds the file's own ticks; else frames are counted at ``rate``. ``replaced`` are
    the wrong ticks that were mended. ``broken`` are the ticks of frames of which only a part is in the file,
    ``missing`` those of frames that are not in it at all, and ``whole`` those of frames that FFmpeg calls corrupt and
    that are not. ``duration`` is in seconds. ``declared_rates`` are in frames per second. ``gaps`` are the numbers of
    the frames after a pause; the number of all frames stands for a pause between the last and the end.
    """

    schedule: Schedule
    rate: Fraction
    variable: bool
    timed: bool
    replaced: frozenset[int]
    duration: Fraction
    gaps: tuple[int, ...]
    broken: frozenset[int]
    missing: frozenset[int]
    whole: frozenset[int]
    parts: tuple[Part, ...]
    declared_rates: tuple[Fraction, ...]
    doubts: tuple[str, ...]

    def without_empty(self) -> VideoIndex:
        """The index by the frames that are left, after packets at the beginning turned out to show nothing."""
        if not self.timed or not len(self.schedule):
            return self
        rate, variable = choose_rate(self.schedule.ticks, self.schedule.time_base, self.declared_rates)
        return replace(self, rate=rate, variable=variable, duration=_duration(self.schedule, rate, 0))


def index_video(path: Path, container: InputContainer, stream: VideoStream, *, alone: bool) -> VideoIndex:
    """The index of ``stream``, of which all packets are read; empty where there are none.

    Unless it is to be played ``alone``, it may go on as another stream.
    """
    packets = read_packets(path, container, stream, alone=alone)
    if stream.codec_context.codec.canonical_name == "h264" and _may_be_fields(packets.in_order()):
        with pyav.open_input(f"file:{path}") as again:
            same = next(video for video in again.streams.video if video.index == stream.index)
            packets = read_packets(path, again, same, alone=alone, closely=True)
    broken, whole, between = damaged(path, container, packets)
    missing = missing_frames(path, container, stream, packets)
    if missing is None and container.format.name == "mpegts" and packets.ticks:
        # Other demuxers mark or withhold an incomplete packet; that of transport streams gives it unmarked.
        broken.append(packets.ticks[-1])
    times = _times(path, container, stream, packets, cut_off=missing != 0)
    doubts = [*times.doubts]
    if between:
        doubts.append(f"packets are missing between frames in {between} places: frames may be")
    if packets.unplayed:
        doubts.append(f"{packets.unplayed} frames are not played: the file goes on with a video that cannot be read")
    ticks, period = times.ticks, 1 / (times.rate * times.time_base)
    good = len(packets.ticks) - len(broken)
    if missing is None:
        doubts.append(f"the file is cut off after {good} frames; how many are missing is not known")
        ticks = _extended(ticks, good + 1, period)
    elif missing or (broken and times.timed):
        count = len(ticks) + missing
        doubts.append(f"the file is cut off or damaged: {good} of {count} frames are whole")
        ticks = _extended(ticks, count, period)
    schedule = Schedule(ticks, times.time_base)
    duration = _duration(schedule, times.rate, (stream.duration or 0) if times.variable else 0)
    return VideoIndex(
        schedule=schedule,
        rate=times.rate,
        variable=times.variable,
        timed=times.timed,
        replaced=times.replaced,
        duration=duration,
        gaps=_gaps(ticks, times.time_base, duration),
        broken=frozenset(tick for tick in broken if tick is not None),
        missing=frozenset(ticks).difference(times.ticks) if len(ticks) > len(times.ticks) else frozenset(),
        whole=frozenset(tick for tick in whole if tick is not None),
        parts=packets.parts,
        declared_rates=times.declared_rates,
        doubts=tuple(doubts),
    )


def _may_be_fields(ticks: Sequence[int]) -> bool:
    """Whether some packets follow in half the time of others, as where a stream goes on in fields."""
    intervals = intervals_of(ticks)
    return len(intervals) > 0 and 3 * int(intervals.min()) < 2 * int(intervals.max())


@dataclass(frozen=True, slots=True)
class _Times:
    """The times of the frames in the file, its own or counted; the fields are those of the index."""

    ticks: list[int]
    time_base: Fraction
    rate: Fraction
    variable: bool = False
    timed: bool = True
    replaced: frozenset[int] = frozenset()
    declared_rates: tuple[Fraction, ...] = ()
    doubts: tuple[str, ...] = ()


def _times(path: Path, container: InputContainer, stream: VideoStream, packets: Packets, *, cut_off: bool) -> _Times:
    """The file's own times where they can be trusted, with a few wrong ones mended; else the frames are counted."""
    time_base, rates = pyav.time_base(stream), declared_rates(container, stream, packets)
    made_up = _times_made_up(path, container, stream, packets)
    trouble = "are missing" if made_up else _trouble_with_times(packets)
    mend = _mended(packets) if trouble and not made_up else None
    if trouble and mend is None:
        rate = rate_to_count_at(packets, time_base, rates)
        doubt = f"frame times {trouble}: the frame rate of {float(rate):g} is used instead"
        return _Times(*_counted(len(packets.ticks), rate), rate, timed=False, doubts=(doubt,))
    ticks, wrong = mend or (packets.in_order(), [])
    # In a file that is cut off, frames between the last ones are missing, which would have stood after them.
    rate, variable = choose_rate(ticks[:-_REORDERED] if cut_off else ticks, time_base, rates)
    doubt = f"{len(wrong)} of {len(ticks)} frame times {trouble}: mended between those beside them"
    doubts = [doubt] if mend is not None else []
    # For motion JPEG, which declares none, FFmpeg gives its guess as the codec's rate, too.
    says = pyav.exact(stream.codec_context.framerate) and stream.codec_context.codec.canonical_name != "mjpeg"
    if pyav.has_no_times(container) and not says:
        doubts.append(f"the file says no frame rate, and its times are FFmpeg's guess: {float(rate):g} is used")
    return _Times(
        ticks,
        time_base,
        rate,
        variable,
        replaced=frozenset(wrong),
        declared_rates=tuple(rates),
        doubts=tuple(doubts),
    )


def _gaps(ticks: Sequence[int], time_base: Fraction, duration: Fraction) -> tuple[int, ...]:
    """The numbers of the frames after an interval so long that a run only waits.

    The number of all frames stands for such a pause between the last frame and the end.
    """
    at = np.asarray(ticks, np.int64)
    steps = at[1:] - at[:-1]
    if not np.any(steps > 0):
        return ()
    longest = gap_from(steps[steps > 0], time_base)
    gaps = (np.flatnonzero(steps > longest) + 1).tolist()
    after_the_last = duration - (ticks[-1] - ticks[0]) * time_base
    return (*gaps, len(ticks)) if after_the_last > longest * time_base else tuple(gaps)


def _counted(frames: int, rate: Fraction) -> tuple[list[int], Fraction]:
    """The ticks and the time base of so many frames, evenly spaced."""
    return [number * rate.denominator for number in range(frames)], Fraction(1, rate.numerator)


def _mended(packets: Packets) -> tuple[list[int], list[int]] | None:
    """The times in the order of presentation, mended, and the few wrong ones; None where that cannot be."""
    if not packets.reordered:
        # A missing time is mended as one that repeats the time before it.
        known: list[int] = []
        for tick in (next((tick for tick in packets.ticks if tick is not None), 0), *packets.ticks):
            known.append(known[-1] if tick is None else tick)
        return mended(known[1:])
    if None in packets.ticks or _goes_back(packets):
        return None
    return mended(packets.in_order())


def _times_made_up(path: Path, container: InputContainer, stream: VideoStream, packets: Packets) -> bool:
    """Whether times ignore that pictures stand out of order: an AVI holds none, and packed B-frames share a place."""
    context = stream.codec_context
    if not context.has_b_frames:
        return False
    if context.name == "mpeg4":
        return _comes_out_of_order(path, stream.index)
    in_file_order = None not in packets.ticks and packets.ticks == sorted(cast(list[int], packets.ticks))
    return container.format.name == "avi" and context.name in ("h264", "hevc") and in_file_order


def _comes_out_of_order(path: Path, index: int) -> bool:
    """Whether a picture that is shown after another one has an earlier time."""
    latest: int | None = None
    with suppress(av.FFmpegError), pyav.open_input(f"file:{path}") as container:
        for number, frame in enumerate(container.decode(container.streams[index])):
            if frame.pts is not None:
                if latest is not None and frame.pts < latest:
                    return True
                latest = frame.pts
            if number == _LOOKED_AT:
                break
    return False


def _trouble_with_times(packets: Packets) -> str:
    if None in packets.ticks:
        return "are missing"
    if _goes_back(packets):
        return _BACK
    if len(intervals_of(packets.in_order())) < len(packets.ticks) - 1:
        return _REPEATED
    return ""


def _goes_back(packets: Packets) -> bool:
    """Whether times start again, as where files are joined: they go back by more than reordered frames do."""
    steps = np.diff(np.asarray(packets.decode_ticks if packets.reordered else packets.ticks, np.int64))
    forth = np.sort(steps[steps > 0])
    most = _REORDERED * int(forth[len(forth) // 2]) if packets.reordered and len(forth) else 0
    return bool(np.any(steps < -most))


def _extended(ticks: list[int], count: int, period: Fraction) -> list[int]:
    """``count`` ticks: the known ones, and the missing ones at their places in an even rhythm, or at the end."""
    first = ticks[0] if ticks else 0
    grid = [first + round(number * period) for number in range(count)]
    if set(ticks) <= set(grid):
        return grid
    return ticks + [ticks[-1] + round(number * period) for number in range(1, count - len(ticks) + 1)]


def _duration(schedule: Schedule, rate: Fraction, ticks: int) -> Fraction:
    """Seconds until the last frame ends; ``ticks`` is the duration that the container declares, or 0."""
    if not len(schedule):
        return Fraction(0)
    last = schedule.pts(len(schedule) - 1)
    declared = ticks * schedule.time_base
    return declared if declared > last else last + 1 / rate
