"""Clips with texture to smear, from which packets of the transport stream are removed, and their decoded pictures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import dropwhile
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from av.video.frame import VideoFrame

from streamer.sources.connecting import only_video
from streamer.sources.live_decoder import Decoded, live_pictures
from streamer.vendors import pyav
from tests.videos import write_video

FRAMES, KEYFRAME_EVERY = 60, 20
PACKET = 188
_X264 = {"threads": "1", "preset": "ultrafast", "crf": "20"}
_X265 = "log-level=none:pools=1:crf=24:keyint=20"

CODECS = {
    "h264": ("libx264", {**_X264, "bf": "0"}),
    "h264 with B-frames": ("libx264", {**_X264, "preset": "veryfast", "bf": "3", "x264-params": "open-gop=1"}),
    "h264 with intra refresh": ("libx264", {**_X264, "bf": "0", "x264-params": "intra-refresh=1"}),
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": f"{_X265}:bframes=0:open-gop=0"}),
    "hevc with B-frames": ("libx265", {"preset": "ultrafast", "x265-params": _X265}),
    "mpeg2": ("mpeg2video", {"bf": "0", "qscale": "4"}),
    "mpeg2 with B-frames": ("mpeg2video", {"bf": "2", "qscale": "4"}),
    "mpeg4": ("mpeg4", {"bf": "0", "qscale": "4"}),
    "mpeg4 with B-frames": ("mpeg4", {"bf": "2", "qscale": "4"}),
}
"""Encoders with their options."""


@cache
def transport_stream(codec: str) -> bytes:
    """A moving texture of 60 pictures, each in several packets, with a key frame at least every 20."""
    name, options = CODECS[codec]
    coarse = np.random.default_rng(1).integers(0, 255, (40, 40, 3), np.uint8)
    texture = coarse.repeat(8, 0).repeat(8, 1)
    pictures = [np.roll(texture, (2 * n, 3 * n), (0, 1))[:144, :192].copy() for n in range(FRAMES)]
    with TemporaryDirectory() as folder:
        path = write_video(
            Path(folder) / "clip.ts", pictures, codec=name, options=options, keyframe_every=KEYFRAME_EVERY
        )
        return path.read_bytes()


def packets_of_pictures(content: bytes) -> list[list[int]]:
    """The numbers of the transport stream's packets that hold each picture, in the order of the file."""
    found: list[list[int]] = []
    for number in range(len(content) // PACKET):
        head = content[number * PACKET : number * PACKET + 4]
        if (head[1] & 0x1F) << 8 | head[2] == 0x100:
            if head[1] & 0x40:
                found.append([])
            found[-1].append(number)
    return found


def without(content: bytes, lost: Collection[int]) -> bytes:
    """The stream without these packets."""
    kept = (number for number in range(len(content) // PACKET) if number not in lost)
    return b"".join(content[number * PACKET : (number + 1) * PACKET] for number in kept)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture: its time in ticks, its pixels, whether FFmpeg calls it corrupt, whether it comes after damage."""

    tick: int | None
    pixels: bytes
    corrupt: bool
    after_damage: bool


def live(path: Path) -> tuple[list[Shown | str], int]:
    """The pictures and reasons of a stream from its first picture on, and the number of its packets."""
    with pyav.open_input(str(path)) as container:
        video = only_video(container)
        assert video is not None
        packets = list(pyav.demux(container, video))
        items = [_item(decoded) for decoded in live_pictures(packets, video)]
        begun = dropwhile(lambda item: isinstance(item, str), items)
        return list(begun), sum(packet.size > 0 for packet in packets)


def plain(path: Path) -> list[Shown]:
    """The pictures that FFmpeg decodes of a stream."""
    with av.open(str(path)) as container:
        pyav.prepare(container.streams.video[0].codec_context)
        return [_picture(frame) for frame in container.decode(video=0)]


def _item(decoded: Decoded) -> Shown | str:
    if isinstance(decoded.what, str):
        return decoded.what
    return _picture(decoded.what, decoded.after_damage)


def _picture(frame: VideoFrame, after_damage: bool = False) -> Shown:
    pixels = frame.to_ndarray(format="gray").tobytes()
    return Shown(frame.pts, pixels, frame.is_corrupt, after_damage)
