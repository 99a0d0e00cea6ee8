"""Packets put into a file as they are, and the frames that FFmpeg by itself decodes: the reference for the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer

from streamer.frame import Image
from streamer.vendors import pyav


def mux(
    path: Path,
    template: Path,
    packets: Iterable[tuple[bytes, int | None]],
    *,
    time_base: Fraction = Fraction(1, 25),
    format: str | None = None,
    container_options: Mapping[str, str] | None = None,
) -> Path:
    """A file of the video of ``template`` with other packets: each with its time, and in the order of decoding."""
    options = dict(container_options or {})
    with (
        av.open(str(template)) as source,
        av.open(str(path), "w", format=format, container_options=options) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, (data, tick) in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, time_base
            packet.pts, packet.dts = tick, number if tick is None else tick
            packet.is_keyframe = number == 0
            target.mux(packet)
    return path


def decoded(path: Path, stream: int = 0) -> list[tuple[int | None, Image]]:
    """The time in ticks and the picture (BGR) of each frame that FFmpeg gives, in its order."""
    with pyav.open_input(str(path)) as container:
        return _decoded(container, stream)


def _decoded(container: InputContainer, stream: int) -> list[tuple[int | None, Image]]:
    video = container.streams.video[stream]
    found: list[tuple[int | None, Image]] = []
    for packet in container.demux(video):
        try:
            frames = video.codec_context.decode(packet)
        except av.FFmpegError:
            continue
        found += [(frame.pts, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)) for frame in frames]
    return found
