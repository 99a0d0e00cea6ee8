"""The pictures that FFmpeg decodes of a file, and checks that a VideoReader, or a run, plays them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast
from zlib import crc32

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

import streamer
from streamer import Settings, SourceError, Video
from streamer.frame import Image
from streamer.vendors import pyav
from streamer.verification import verify
from streamer.video.contents import Picture
from streamer.video.mending import MOST_WRONG
from streamer.video.reader import VideoReader
from tests.packets import INTERVAL_MS
from tests.runs import check_conserved
from tests.videos import number_of


@dataclass(frozen=True, slots=True)
class Decoded:
    """The pictures that FFmpeg decodes of a file.

    ``pictures`` are labels in the order in which they come out, and ``whole`` the labels of complete pictures.
    ``times`` are those of all pictures in seconds since the first. They are empty where they cannot be trusted: one
    is missing, they do not rise, or the times of packets go back though pictures are shown in the order of the file,
    and the decoder has only left out the late ones. ``many_wrong`` says that too many of the packets' times repeat
    another or go back for these to be mended. ``refused`` counts the packets that the decoder refused.
    """

    pictures: Sequence[str] = ()
    whole: Sequence[str] = ()
    times: Sequence[Fraction] = ()
    many_wrong: bool = False
    refused: int = 1


def decode(path: Path, *, cut_off: bool) -> Decoded:
    """FFmpeg's plain decoding, which goes on after an error; with ``cut_off`` the file may hold a part of a packet.

    FFmpeg marks packets that it could not read in full, but for the last one of MPEG streams. Decoders paint the rest
    unmarked: such a picture is not whole. FFmpeg also marks packets behind a restart of the stream's counters, as
    where files are joined: where nothing was cut off these are whole. A picture that the decoder marks is not.
    """
    frames: list[VideoFrame] = []
    packets: list[Packet[VideoStream]] = []
    refused = 0
    try:
        container = pyav.open_input(f"file:{path}")
    except av.FFmpegError:
        return Decoded()
    with container:
        if not container.streams.video or container.streams.video[0].codec_context is None:
            return Decoded()
        stream = container.streams.video[0]
        # With threads for slices, incomplete H.264 is painted over and not marked.
        stream.codec_context.thread_count = 1
        for packet in _packets(container, stream):
            if packet is not None:
                packets.append(packet)
                packet = packet if cut_off or not packet.is_corrupt else _unmarked(packet)
            try:
                frames += stream.codec_context.decode(packet)
            except av.FFmpegError:
                refused += 1
        tick_s = pyav.time_base(stream)
        in_parts = [packet for packet in packets if packet.is_corrupt] if cut_off else []
        in_parts += packets[-1:] if cut_off and container.format.name in ("mpegts", "mpeg") else []
        reordered = bool(stream.codec_context.has_b_frames)
    labels = [_label(cast(Image, frame.to_ndarray(format="bgr24"))) for frame in frames]
    partial = {packet.pts for packet in in_parts} - {None}
    damaged = [frame.is_corrupt or frame.pts in partial for frame in frames]
    ticks = [frame.pts for frame in frames if frame.pts is not None]
    stand = [packet.pts for packet in packets if packet.pts is not None]
    trusted = len(ticks) == len(frames) and all(earlier < later for earlier, later in pairwise(ticks))
    trusted &= reordered or stand == sorted(stand)
    decoding = [packet.dts for packet in packets if packet.dts is not None]
    wrong = len(stand) - len(set(stand)) + sum(later < earlier for earlier, later in pairwise(decoding))
    return Decoded(
        pictures=labels,
        whole=[label for label, bad in zip(labels, damaged, strict=True) if not bad],
        times=[(tick - ticks[0]) * tick_s for tick in ticks] if trusted else (),
        many_wrong=wrong > max(1, len(packets) // MOST_WRONG),
        refused=refused,
    )


def _packets(container: av.container.InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream] | None]:
    """The packets up to the end or to where the container breaks off, and None, which empties the decoder."""
    with suppress(av.FFmpegError):
        yield from (packet for packet in container.demux(stream) if packet.size)
    yield None


def _unmarked(packet: Packet[VideoStream]) -> Packet[VideoStream]:
    same = cast("Packet[VideoStream]", av.Packet(bytes(packet)))
    same.pts, same.dts, same.time_base = packet.pts, packet.dts, packet.time_base
    same.is_keyframe = packet.is_keyframe
    return same


def _label(image: Image) -> str:
    """A picture's number, as far as it can be read, and a checksum of its pixels."""
    return f"{number_of(image)}:{crc32(image.tobytes()):08x}"


def check_played(path: Path, *, cut_off: bool) -> Decoded:
    """A VideoReader plays each picture that FFmpeg decodes once, in order, at a time of its own.

    The times are FFmpeg's where these rise; where too many are wrong, they count the clip's interval. Pictures that
    are not whole may be errors. Each error has a cause: a packet that was refused, a picture that is not whole, or a
    missing part of the file. ``cut_off`` is as in ``decode``. Raises AssertionError.
    """
    decoded = decode(path, cut_off=cut_off)
    if not decoded.whole:
        # Pictures that are not whole may be enough to play it.
        with suppress(SourceError), VideoReader(path) as reader:
            assert decoded.pictures, "it plays a file in which FFmpeg finds no picture"
        return decoded
    with VideoReader(path) as reader:
        found = list(_read(reader))
        # Only reading finds packets that show nothing: the promise is final at the end.
        promised = len(reader.schedule)
    pictures = [picture for picture, _ in found]
    played = [label for _, label in found if label is not None]
    assert [picture.index for picture in pictures] == list(range(promised)), f"not {promised} frames, once each"
    lost = _first_out_of_row(decoded.whole, played)
    assert lost is None, f"lost is {lost}: {_listed(played)} of {_listed(decoded.pictures)}"
    # The pixels painted over a missing part depend on the decoder's threads: such pictures are only counted.
    assert len(played) <= len(decoded.pictures), f"made up: {_listed(played)} of {_listed(decoded.pictures)}"
    times = [picture.pts for picture in pictures]
    assert all(earlier < later for earlier, later in pairwise(times)), f"times do not rise: {_seconds(times)}"
    causes = decoded.refused + len(decoded.pictures) - len(decoded.whole)
    errors = [picture.error for picture in pictures if picture.image is None]
    assert cut_off or len(errors) <= causes, f"errors without a cause: {errors}"
    counted = [number * Fraction(INTERVAL_MS, 1000) for number in range(len(times))]
    if decoded.times and not errors and not (decoded.many_wrong and times == counted):
        assert times == decoded.times, f"times differ: {_seconds(times)} not {_seconds(decoded.times)}"
    return decoded


def check_accounted(path: Path, out: Path, *, cut_off: bool, model: Path | None = None) -> None:
    """A run of the null engine into ``out`` has a row and an outcome for each frame, and loses no whole picture.

    Raises AssertionError.
    """
    wanted = Settings(
        engine="null",
        model=None if model is None else str(model),
        fps="max",
        warmup=0,
        video=Video.NONE,
        chart=False,
        out=out,
    )
    decoded = decode(path, cut_off=cut_off)
    if not decoded.whole:
        with suppress(SourceError):
            streamer.replay(path, wanted)
            assert decoded.pictures, "it runs a file in which FFmpeg finds no picture"
        return
    streamer.replay(path, wanted)
    outcomes = check_conserved(out)
    assert set(outcomes) <= {"delivered", "decode_error"}, f"{outcomes}"
    assert len(decoded.whole) <= outcomes["delivered"] <= len(decoded.pictures), f"{outcomes}"
    assert verify(out).reasons == []


def _read(reader: VideoReader) -> Iterator[tuple[Picture, str | None]]:
    while (picture := reader.read()) is not None:
        yield picture, None if picture.image is None else _label(picture.image)


def _first_out_of_row(some: Sequence[str], row: Sequence[str]) -> str | None:
    """The first of ``some`` that does not come in the row, in this order; None where all do."""
    rest = iter(row)
    return next((one for one in some if one not in rest), None)


def _listed(labels: Sequence[str]) -> str:
    return f"{len(labels)} ({' '.join(label.split(':')[0] for label in labels)})"


def _seconds(times: Sequence[Fraction]) -> str:
    return " ".join(f"{float(time):g}" for time in times)
