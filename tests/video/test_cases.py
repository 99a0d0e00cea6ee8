"""Odd but ordinary files of other makers play as many pictures as FFmpeg decodes, at their times, and lose none."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest

from streamer.video.reader import VideoReader
from tests.runs import SHARED

CASES = SHARED / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is absent: its files are not here")

RIGHT = {
    "xvid.avi": (98, 25, 3.88),
    "packed.avi": (100, 25, 3.96),
    "paff.ts": (50, 25, 1.96),
    "paff-onepes.ts": (50, 25, 1.96),
    "segcat.ts": (100, 25, 3.96),
    "vp8alt.webm": (100, 25, 3.96),
    "sar.mp4": (25, 25, 0.96),
    "rep.mkv": (99, 14.88, 6.584),
    "rep2.flv": (99, 25, 3.92),
    "gap.mkv": (100, 25, 23.96),
    "prog.m2ts": (100, 25, 3.96),
    "prog204.ts": (100, 25, 3.96),
    "two.mkv": (100, 25, 3.96),
    "thumb0.mp4": (100, 25, 3.96),
}
"""The number of pictures, frames a second, and the time of the last picture in seconds."""


def decoded(path: Path, number: int) -> Iterator[av.VideoFrame]:
    """The pictures that FFmpeg decodes of a video stream of a file."""
    with av.open(str(path)) as container:
        yield from container.decode(video=number)


@pytest.mark.parametrize("name", list(RIGHT))
def test_it_plays_as_ffmpeg_decodes_it(name: str) -> None:
    count, rate, last = RIGHT[name]
    with av.open(str(CASES / name)) as container:
        assert max(sum(1 for _ in decoded(CASES / name, n)) for n in range(len(container.streams.video))) == count
    with VideoReader(CASES / name) as reader:
        pictures = [picture for _ in range(count) if (picture := reader.read()) is not None]
        assert reader.read() is None
    assert [picture.error for picture in pictures] == [None] * count
    assert float(reader.info.rate) == pytest.approx(rate, abs=0.01)
    assert float(pictures[-1].pts) == pytest.approx(last, abs=0.001)


def test_packed_b_frames_play_in_an_mp4_too(tmp_path: Path) -> None:
    path = tmp_path / "packed.mp4"
    with av.open(str(CASES / "packed.avi")) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    with VideoReader(path) as reader:
        pictures = [picture for _ in range(100) if (picture := reader.read()) is not None]
    assert [picture.error for picture in pictures] == [None] * 100
    assert [picture.pts for picture in pictures] == [Fraction(number, 25) for number in range(100)]


@pytest.mark.parametrize("junk", [b"", b"junk" * 30])
@pytest.mark.parametrize("name", ["prog.m2ts", "prog204.ts", "paff.ts"])
def test_a_transport_stream_with_junk_behind_it_is_not_cut_off(name: str, junk: bytes, tmp_path: Path) -> None:
    from streamer.video.truncation import ends_early

    whole = (CASES / name).read_bytes()
    (tmp_path / name).write_bytes(whole + junk)
    assert not ends_early(tmp_path / name, "mpegts")
    (tmp_path / name).write_bytes(whole[:-50])
    assert ends_early(tmp_path / name, "mpegts")


@pytest.mark.parametrize(
    ("name", "note"),
    [
        (
            "two.mkv",
            "two.mkv holds 2 videos: number 1 (320x240) is played, not 0 (160x120); --video-stream N chooses",
        ),
        (
            "thumb0.mp4",
            "thumb0.mp4 holds 2 videos: number 1 (320x240) is played, not 0 (64x64); --video-stream N chooses",
        ),
    ],
)
def test_the_default_video_is_played_and_the_others_are_reported(name: str, note: str) -> None:
    with VideoReader(CASES / name) as reader:
        assert (reader.info.width, reader.info.height) == (320, 240)
        assert reader.info.notes == (note,)
