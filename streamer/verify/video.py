"""``annotated.mp4``: whole, of the source's size, each frame at its own time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from streamer.verify.document import Document, RunFacts
from streamer.verify.reasons import Reasons, Unreadable
from streamer.verify.rows import Mask, Rows, milliseconds
from streamer.verify.schedule import instants, media_times
from streamer.verify.table import Array

NAME = "annotated.mp4"
LOST_US = 2_000_000
"""What a full disk can cost: the second that could not be written, and the one begun."""


def check_video(rows: Rows, run: RunFacts, path: Path, document: Document, reasons: Reasons) -> int:
    """Structure, size, first and last picture, number and times; returns how many frames. Raises Unreadable.

    Of a run that failed, the end may be missing: what was in the encoder when the disk was full.
    """
    if run.video == "none":
        if path.exists():
            reasons.add(f"{NAME}: is there, though run.video is none")
        return 0
    if not path.is_file():
        raise Unreadable(f"{NAME}: is missing")
    verdict = document.text("verdict")
    if verdict != "FAILED":
        _check_whole(path, reasons)
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise Unreadable(f"{NAME}: has no video in it")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise Unreadable(f"{NAME}: its video is of a kind that cannot be decoded")
            _check_size(stream, document, reasons)
            ticks = _ticks(container, stream, torn=verdict == "FAILED")
            times = instants(ticks, 1 / Fraction(stream.time_base or 1))
            if ticks and verdict != "FAILED":
                _check_pictures(container, stream, ticks, reasons)
                _check_end(stream, ticks, run, reasons)
    except av.FFmpegError as error:
        if verdict != "FAILED":
            raise Unreadable(f"{NAME}: cannot be read: {error.strerror}") from error
        times = np.empty(0, np.int64)  # there was no room for the first second
    undrawn = document.whole("resources", "undrawn") if document.has("resources", "undrawn") else 0
    _check_times(rows, run, times, reasons, undrawn=undrawn, verdict=verdict)
    return len(times)


def _check_times(rows: Rows, run: RunFacts, found: Array, reasons: Reasons, *, undrawn: int, verdict: str) -> None:
    """The frames ``found`` in the video, by their times in microseconds, are those that the ledger promises.

    Delivered frames are all there, and with ``all`` the dropped ones, but for those ``undrawn``.
    """
    delivered = rows.of("delivered")
    promised = delivered | rows.of("dropped") if run.video == "all" else delivered
    times, number, is_delivered = media_times(rows, run)[promised], rows.frame[promised], delivered[promised]
    reasons.add_each(
        np.diff(found, prepend=-1) <= 0,
        lambda at: f"{NAME} frame {at} of the video: at {milliseconds(found[at])} ms, not after the one before",
    )
    reasons.add_each(
        ~np.isin(found, times),
        lambda at: f"{NAME} frame {at} of the video: at {milliseconds(found[at])} ms, where no frame belongs",
    )
    missing = ~np.isin(times, found)
    if verdict == "FAILED":
        missing[_lost_from(missing, times) :] = False
    reasons.add_each(
        missing & is_delivered,
        lambda at: f"{NAME}: frame {number[at]} is not in it, expected at {milliseconds(times[at])} ms",
    )
    dropped = int((missing & ~is_delivered).sum())
    # A run that was stopped does not wait for the frames between.
    if verdict == "VALID" and dropped != undrawn:
        reasons.add(f"{NAME}: found {dropped} dropped frames that are not in it, expected {undrawn}")


def _lost_from(missing: Mask, times: Array) -> int:
    """The place from which on a full disk may be to blame: nothing after it is there, and it is not long before."""
    there = np.flatnonzero(~missing)
    after_the_last = int(there[-1]) + 1 if len(there) else 0
    return max(after_the_last, int(np.searchsorted(times, times.max(initial=0) - LOST_US)))


def _check_whole(path: Path, reasons: Reasons) -> None:
    """An MP4 is a row of boxes, each with its length first: the last one ends where the file does.

    A reader overlooks it when the end of the index is cut off, where nothing stands that it needs.
    """
    size, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # too long for four bytes
                length = int.from_bytes(head[8:16], "big")
            if length < 8 or position + length > size:
                reasons.add(f"{NAME}: is cut off: found {size} bytes, expected {position + length} or more")
                return
            position += length


def _check_size(stream: VideoStream, document: Document, reasons: Reasons) -> None:
    for name, found in (("width", stream.width), ("height", stream.height)):
        source = document.whole("source", name)
        expected = source + source % 2
        if found != expected:
            reasons.add(f"{NAME} {name}: found {found}, expected {expected}: source.{name} {source}, made even")


def _ticks(container: InputContainer, stream: VideoStream, *, torn: bool) -> list[int]:
    """The times of all packets, in ticks of the file; of a ``torn`` file, of those that are whole."""
    ticks: list[int] = []
    try:
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.pts is None:
                raise Unreadable(f"{NAME} frame {len(ticks)} of the video: has no time")
            ticks.append(packet.pts)
    except av.FFmpegError:
        if not torn:
            raise
    return ticks


def _check_pictures(container: InputContainer, stream: VideoStream, ticks: list[int], reasons: Reasons) -> None:
    """The first and the last frame can be decoded."""
    for which, tick in (("first", ticks[0]), ("last", ticks[-1])):
        try:
            container.seek(tick, stream=stream)
            decoded = any(picture.pts == tick and not picture.is_corrupt for picture in container.decode(stream))
        except av.FFmpegError:
            decoded = False
        if not decoded:
            reasons.add(f"{NAME}: its {which} frame cannot be decoded")


def _check_end(stream: VideoStream, ticks: list[int], run: RunFacts, reasons: Reasons) -> None:
    """The last frame is shown for one nominal period, to within a tick."""
    period = 1 / (run.rate * Fraction(stream.time_base or 1))
    found = (stream.start_time or 0) + (stream.duration or 0)
    if abs(found - ticks[-1] - period) > 1:
        seconds = [float(end * Fraction(stream.time_base or 1)) for end in (found, ticks[-1] + period)]
        reasons.add(f"{NAME}: found its end at {seconds[0]:.6f} s, expected {seconds[1]:.6f}")
