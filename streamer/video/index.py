"""What a video file promises: how many frames, when each is due, and whether the file is all there.

Found out from the packets alone, without decoding: a pass over the file that takes milliseconds.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, repeat
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.vendors import pyav
from streamer.video.mending import mended
from streamer.video.pictures import picture_count
from streamer.video.transport_stream import jumps
from streamer.video.truncation import ends_early, indexes_every_frame

_FALLBACK_RATE = Fraction(25)
"""Frames per second of a file that says nothing at all about time; FFmpeg's own choice."""

GAP_S, GAP_INTERVALS = 2, 10
"""An interval that is longer than so many seconds, and than so many usual ones, is a gap."""

_Ticks = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
_BACK, _REPEATED = "jump back", "are repeated"

_MOST_INTERLACED = 30
"""Frames per second of the quickest interlaced video there is."""

_LOOKED_AT = 24
"""Pictures after which B-frames have been met where there are any."""
_REORDERED = 16
"""The most frames that can stand in the file before one that is shown before them (H.264 and HEVC)."""


class Schedule:
    """When each promised frame is shown: exact, and compact, being the file's own ticks."""

    def __init__(self, ticks: Sequence[int], time_base: Fraction) -> None:
        self._ticks = array("q", ticks)
        self.time_base = time_base

    def __len__(self) -> int:
        return len(self._ticks)

    def pts(self, index: int) -> Fraction:
        """The time of frame ``index`` in seconds since frame 0."""
        return (self._ticks[index] - self._ticks[0]) * self.time_base

    def tick(self, index: int) -> int:
        """The file's own tick of frame ``index``."""
        return self._ticks[index]

    def extend(self, period: Fraction) -> None:
        """Makes room for one more, ``period`` seconds after the last."""
        self._ticks.append(self._ticks[-1] + max(1, round(period / self.time_base)))

    def remove(self, index: int) -> None:
        """Takes out what turned out to be no frame; those after it move up."""
        del self._ticks[index]

    def index_of(self, tick: int) -> int | None:
        """Which frame the file shows at its own ``tick``; None for a tick that no frame has."""
        index = bisect_left(self._ticks, tick)
        return index if index < len(self._ticks) and self._ticks[index] == tick else None


@dataclass(frozen=True, slots=True)
class VideoIndex:
    """The promised frames, and what is doubtful about them.

    ``timed`` says that the schedule holds the file's own ticks, else it
    counts at ``rate``; ``replaced`` are those that were wrong, and mended. ``broken`` are the ticks of the frames of
    which only a part is in the file, ``missing`` those of frames that are not in it at all, and
    ``whole`` those that FFmpeg calls corrupt, and that are not; ``duration`` is in seconds.
    """

    schedule: Schedule
    rate: Fraction
    variable: bool
    timed: bool
    replaced: frozenset[int]
    duration: Fraction
    broken: frozenset[int]
    missing: frozenset[int]
    whole: frozenset[int]
    doubts: tuple[str, ...]


@dataclass(slots=True)
class _Packets:
    """What the packets of the video stream say, in the order of the file: ``ticks`` are the times of the pictures.

    ``number`` counts the packets. ``flagged`` are time and place of those that FFmpeg calls corrupt: ``broken`` are
    the times of those that are, ``whole`` of those that are not.
    """

    number: int = 0
    ticks: list[int | None] = field(default_factory=list)
    decode_ticks: list[int] = field(default_factory=list)
    flagged: list[tuple[int | None, int]] = field(default_factory=list)
    broken: list[int | None] = field(default_factory=list)
    whole: list[int | None] = field(default_factory=list)


def index_video(path: Path, container: InputContainer, stream: VideoStream) -> VideoIndex:
    """Read all packets of ``stream`` and say which frames it promises; empty when there are none."""
    promised = sum(not entry.is_discard for entry in stream.index_entries)
    packets = _read_packets(container, stream)
    doubts = _judge_flagged(path, stream.id if container.format.name == "mpegts" else None, packets)
    missing = _missing_frames(path, container, stream, promised, packets)
    rates = _said_rates(container, stream, packets)
    trouble = "are missing" if _times_made_up(path, container, stream, packets) else _trouble_with_times(packets)
    wrong: list[int] = []
    mend = _mended(stream, packets) if trouble in (_BACK, _REPEATED) else None
    if trouble and mend is None:
        rate, variable = _rate_to_count_at(packets, pyav.time_base(stream), rates), False
        ticks, time_base = _counted(len(packets.ticks), rate)
        doubts.append(f"frame times {trouble}: the frame rate of {float(rate):g} is used instead")
    else:
        time_base = pyav.time_base(stream)
        ticks, wrong = mend or (sorted(cast(list[int], packets.ticks)), [])
        if mend is not None:
            doubts.append(f"{len(wrong)} of {len(ticks)} frame times {trouble}: mended between those beside them")
            trouble = ""
        # Of a file cut off, the last frames lack some between them, which would have stood after them.
        rate, variable = choose_rate(ticks[:-_REORDERED] if missing != 0 else ticks, time_base, rates)

    doubts += _gaps(ticks, time_base)
    in_file = frozenset(ticks)
    whole = len(packets.ticks) - len(packets.broken)
    if missing is None:
        doubts.append(f"the file is cut off after {whole} frames; how many are missing is not known")
        ticks = _extended(ticks, whole + 1, 1 / (rate * time_base))
    elif missing or (packets.broken and not trouble):
        count = len(ticks) + missing
        doubts.append(f"the file is cut off or damaged: {whole} of {count} frames are whole")
        ticks = _extended(ticks, count, 1 / (rate * time_base))
    schedule = Schedule(ticks, time_base)
    return VideoIndex(
        schedule=schedule,
        rate=rate,
        variable=variable,
        timed=not trouble,
        replaced=frozenset(wrong),
        duration=_duration(schedule, rate, (stream.duration or 0) if variable else 0),
        broken=frozenset(tick for tick in packets.broken if tick is not None),
        missing=frozenset(ticks) - in_file,
        whole=frozenset(tick for tick in packets.whole if tick is not None),
        doubts=tuple(doubts),
    )


def _said_rates(container: InputContainer, stream: VideoStream, packets: _Packets) -> list[Fraction]:
    """The frames per second that the file and FFmpeg tell of, the likelier first."""
    said = [stream.average_rate, stream.guessed_rate, stream.base_rate]
    raw = pyav.has_no_times(container)
    if raw:  # The average is FFmpeg's own guess; the stream itself may say.
        said = [stream.codec_context.framerate, stream.guessed_rate, stream.average_rate]
    rates = [rate for one in said if (rate := pyav.exact(one)) is not None]
    if 4 * len(packets.ticks) > 3 * packets.number:
        return rates
    # A packet holds a field: what counts packets counts fields, and so does what no interlaced video has.
    if raw:
        return [rate if rate <= _MOST_INTERLACED else rate / 2 for rate in rates]
    return [*(rate / 2 for rate in rates), *rates]


def _gaps(ticks: Sequence[int], time_base: Fraction) -> list[str]:
    """A doubt where frames are due so much later than those before them that a run only waits."""
    if len(intervals := _intervals(ticks)) < 1:
        return []
    longest = gap_from(intervals, time_base)
    gaps = [
        (number, later - earlier)
        for number, (earlier, later) in enumerate(pairwise(ticks))
        if later - earlier > longest
    ]
    if not gaps:
        return []
    (after, first), total = gaps[0], sum(ticks for _, ticks in gaps)
    said = f"{len(gaps)} gaps, {float(total * time_base):.1f} s in all, the first" if len(gaps) > 1 else "a gap of"
    return [
        f"the times of the file have {said} {float(first * time_base):.1f} s after frame {after}: "
        "nothing is due meanwhile"
    ]


def _counted(frames: int, rate: Fraction) -> tuple[list[int], Fraction]:
    """Ticks and time base of so many frames evenly spaced."""
    return [number * rate.denominator for number in range(frames)], Fraction(1, rate.numerator)


def choose_rate(ticks: Sequence[int], time_base: Fraction, rates: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """The nominal frames per second, and whether the intervals vary.

    The first of ``rates`` that puts every frame within a tick of its time; else the measured rate, which is the
    average where the intervals vary, gaps left out.
    """
    if len(ticks) < 2:
        return (rates[0] if rates else _FALLBACK_RATE), False
    elapsed = np.asarray(ticks, np.int64) - ticks[0]
    # The limit keeps numerator and denominator within the 32 bits that FFmpeg takes.
    measured = ((len(ticks) - 1) / (int(elapsed[-1]) * time_base)).limit_denominator(1_000_000)
    for rate in rates:
        if _fits(elapsed, 1 / (rate * time_base)):
            return rate, False
    # With a few ticks to the frame nearly every pattern is within a tick of evenly spaced.
    evenly = 1 / (measured * time_base) >= 10 and _fits(elapsed, 1 / (measured * time_base))
    return (measured, False) if evenly else (usual_rate(ticks, time_base, rates), True)


def usual_rate(ticks: Sequence[int], time_base: Fraction, rates: Sequence[Fraction]) -> Fraction:
    """Frames per second by the mean interval, gaps left out.

    Of ``rates`` the one that is next to it, if any is; never that of one tick a frame, which is no rate.
    """
    intervals = _intervals(ticks)
    if not len(intervals):
        return next((rate for rate in rates if rate * time_base != 1), _FALLBACK_RATE)
    no_gaps = intervals[intervals <= gap_from(intervals, time_base)]
    period = Fraction(int(no_gaps.sum()), len(no_gaps)) * time_base
    for rate in rates:
        if abs(1 / rate - period) <= period / 100:
            return rate
    return (1 / period).limit_denominator(1_000_000)


def _intervals(ticks: Sequence[int]) -> _Ticks:
    """Those between frames one after the other, without any that are none."""
    at = np.asarray(ticks, np.int64)
    between = at[1:] - at[:-1]
    return between[between > 0]


def gap_from(intervals: _Ticks, time_base: Fraction) -> int:
    """The longest interval that is no gap, in ticks: up to 2 s or, if that is longer, 10 times the median."""
    return max(int(GAP_S / time_base), GAP_INTERVALS * int(np.sort(intervals)[(len(intervals) - 1) // 2]))


def _rate_to_count_at(packets: _Packets, time_base: Fraction, rates: Sequence[Fraction]) -> Fraction:
    """The rate of frames whose times are of no use: what the file says, else what most of the times say.

    A rate of one tick a frame is often none, but where most of the times say it too.
    """
    usual = usual_rate(sorted({tick for tick in packets.ticks if tick is not None}), time_base, rates)
    return next((rate for rate in rates if rate * time_base != 1 or rate == usual), usual)


def _mended(stream: VideoStream, packets: _Packets) -> tuple[list[int], list[int]] | None:
    """The times in the order of presentation, without the few that are wrong; None where that cannot be."""
    ticks = cast(list[int], packets.ticks)
    if not stream.codec_context.has_b_frames:
        return mended(ticks)  # shown as they stand in the file
    return None if _goes_back(packets.decode_ticks) else mended(sorted(ticks))


def _fits(elapsed: _Ticks, period: Fraction) -> bool:
    """Whether every frame is where its number says, but for the rounding to whole ticks."""
    numbers = np.arange(len(elapsed), dtype=np.int64)
    off = np.abs(elapsed * period.denominator - numbers * period.numerator)
    return int(off.max()) <= (0 if period.denominator == 1 else period.denominator)


def _read_packets(container: InputContainer, stream: VideoStream) -> _Packets:
    packets, count = _Packets(), picture_count(stream)
    try:
        for packet in container.demux(stream):
            # Discarded ones are to be decoded but not shown (an edit list cut them off); an empty one is
            # the end.
            if not packet.size:
                continue
            pictures = count(packet)
            if packet.is_discard:
                continue
            packets.number += 1
            # Of several in one packet only the first has a time.
            packets.ticks += [packet.pts, *repeat(None, pictures - 1)][:pictures]
            if packet.dts is not None:
                packets.decode_ticks.append(packet.dts)
            if packet.is_corrupt:
                packets.flagged.append((packet.pts, packet.pos or 0))
    except av.FFmpegError:
        # The container breaks off here; what its index promised beyond this is found missing below.
        pass
    return packets


def _judge_flagged(path: Path, pid: int | None, packets: _Packets) -> list[str]:
    """Tell packets that are damaged from those that another segment follows, whose counters begin anew.

    FFmpeg calls the packet before a jump of the counters corrupt, whatever the reason. ``pid`` is the stream's in a
    transport stream.
    """
    if not packets.flagged:
        return []
    found = [] if pid is None else jumps(path, pid)
    ends = [place for _, place in packets.flagged[1:]] + [path.stat().st_size]
    for (tick, place), end in zip(packets.flagged, ends, strict=True):
        behind = [jump for jump in found if place < jump.position <= end]
        intact = bool(behind) and all(jump.between for jump in behind)
        (packets.whole if intact else packets.broken).append(tick)
    lost = sum(jump.between and not jump.joined for jump in found)
    return [f"packets are missing between frames in {lost} places: frames may be"] if lost else []


def _times_made_up(path: Path, container: InputContainer, stream: VideoStream, packets: _Packets) -> bool:
    """Times that ignore that pictures stand out of order: an AVI holds none, and packed B-frames share a place."""
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


def _trouble_with_times(packets: _Packets) -> str:
    if None in packets.ticks:
        return "are missing"
    if _goes_back(packets.decode_ticks):
        return _BACK
    if len(set(packets.ticks)) < len(packets.ticks):
        return _REPEATED
    return ""


def _goes_back(ticks: Sequence[int]) -> bool:
    return any(later < earlier for earlier, later in pairwise(ticks))


def _missing_frames(
    path: Path, container: InputContainer, stream: VideoStream, promised: int, packets: _Packets
) -> int | None:
    """How many promised frames are not in the file; None when it is cut off and promised no number."""
    if indexes_every_frame(path):
        return max(0, promised - packets.number)
    if not ends_early(path, container.format.name):
        return 0
    if container.format.name == "avi" and stream.frames:
        return max(0, stream.frames - packets.number)
    if container.format.name == "mpegts" and packets.ticks:
        # Others mark or withhold a packet of which a part is missing; a transport stream hands it over as
        # it is.
        packets.broken.append(packets.ticks[-1])
    return None


def _extended(ticks: list[int], count: int, period: Fraction) -> list[int]:
    """``count`` ticks: the known ones, and the missing ones where an even rhythm has them or at the end."""
    first = ticks[0] if ticks else 0
    grid = [first + round(number * period) for number in range(count)]
    if set(ticks) <= set(grid):
        return grid
    return ticks + [ticks[-1] + round(number * period) for number in range(1, count - len(ticks) + 1)]


def _duration(schedule: Schedule, rate: Fraction, ticks: int) -> Fraction:
    """Seconds until the last frame ends; ``ticks`` are what the container says of it, 0 if nothing."""
    if not len(schedule):
        return Fraction(0)
    last = schedule.pts(len(schedule) - 1)
    said = ticks * schedule.time_base
    return said if said > last else last + 1 / rate
