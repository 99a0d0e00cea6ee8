"""A packet is not a picture: as many pictures come out as FFmpeg decodes, at their times, and none counts as lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.packet import Packet

from streamer.video.contents import Picture
from streamer.video.pictures import picture_count
from streamer.video.reader import VideoReader
from tests import h264_fields, plain
from tests.videos import number_of, write_video

PATTERNS = {
    "a field a packet": ["t", "b"] * 8,
    "bottom field first": ["b", "t"] * 8,
    "both fields in a packet": ["tb"] * 8,
    "frames and fields": ["f", "t", "b", "tb", "f", "b", "t", "bt", "f"],
    "frames": ["f"] * 8,
    "a field without its second": ["t", "b", "t", "t", "b", "f", "t", "b", "f"],
    "fields of one parity": ["t"] * 10,
}
CONTAINERS = {
    "x.mkv": {},
    "x.ts": {},
    "x.m2ts": {"mpegts_m2ts_mode": "1"},
    "x.mp4": {},
    "x.flv": {},
}


def read(path: Path) -> tuple[VideoReader, list[Picture]]:
    """The reader, closed, and all pictures, each at its scheduled time."""
    with VideoReader(path) as reader:
        pictures: list[Picture] = []
        while (picture := reader.read()) is not None:
            assert picture.index == len(pictures)
            pictures.append(picture)
        assert len(pictures) == len(reader.schedule)
        assert [picture.pts for picture in pictures] == [reader.schedule.pts(i) for i in range(len(pictures))]
    return reader, pictures


def check_as_decoded(path: Path) -> tuple[VideoReader, list[Picture]]:
    """Every picture that FFmpeg decodes comes out, and no other, at the file's times if it has any."""
    reader, pictures = read(path)
    expected = plain.decoded(path)
    assert [picture.error for picture in pictures] == [None] * len(expected)
    for picture, (_, image) in zip(pictures, expected, strict=True):
        assert picture.image is not None
        assert (picture.image == image).all()
    ticks = [tick for tick, _ in expected if tick is not None]
    if len(ticks) == len(expected) and ticks == sorted(set(ticks)):
        assert [picture.pts for picture in pictures] == [
            (tick - ticks[0]) * reader.schedule.time_base for tick in ticks
        ]
    return reader, pictures


def write_fields(path: Path, pattern: Sequence[str], options: dict[str, str]) -> Path:
    """Fields at 50 a second."""
    raw = path.with_suffix(".264")
    raw.write_bytes(b"".join(h264_fields.packets(pattern)))
    fields, timed = 0, []
    for item, data in zip(pattern, h264_fields.packets(pattern), strict=True):
        timed.append((data, fields))
        fields += 2 if item == "f" else len(item)
    return plain.mux(path, raw, timed, time_base=Fraction(1, 50), container_options=options)


@pytest.mark.parametrize("name", list(CONTAINERS))
@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_two_fields_are_one_picture(pattern: str, name: str, tmp_path: Path) -> None:
    check_as_decoded(write_fields(tmp_path / name, PATTERNS[pattern], CONTAINERS[name]))


@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_two_fields_of_a_raw_stream_are_one_picture(pattern: str, tmp_path: Path) -> None:
    (tmp_path / "x.264").write_bytes(b"".join(h264_fields.packets(PATTERNS[pattern])))
    reader, _ = check_as_decoded(tmp_path / "x.264")
    assert "frame times are missing: the frame rate of 25 is used instead" in reader.doubts


@pytest.mark.parametrize("name", list(CONTAINERS))
@pytest.mark.parametrize("pattern", ["a field a packet", "bottom field first"])
def test_the_rate_is_that_of_the_pictures(pattern: str, name: str, tmp_path: Path) -> None:
    reader, _ = read(write_fields(tmp_path / name, PATTERNS[pattern], CONTAINERS[name]))
    assert reader.info.rate == 25
    assert not reader.info.variable
    assert reader.doubts == []


def packets_of(path: Path) -> list[tuple[bytes, int]]:
    with av.open(str(path)) as container:
        return [(bytes(packet), packet.pts or 0) for packet in container.demux(video=0) if packet.size]


def test_vp8_pictures_that_are_not_shown_are_no_frames(tmp_path: Path) -> None:
    clip = write_video(
        tmp_path / "clip.mkv", 20, codec="libvpx", time_base=Fraction(1, 1000), ticks=range(0, 800, 40)
    )
    hidden = []
    for number, (data, tick) in enumerate(packets_of(clip)):
        if number % 5 == 3:  # a copy whose bit show_frame is cleared, at the time of the next
            hidden.append((bytes([data[0] & ~0x10]) + data[1:], tick))
        hidden.append((data, tick))
    path = plain.mux(tmp_path / "alt.mkv", clip, hidden, time_base=Fraction(1, 1000))
    reader, pictures = check_as_decoded(path)
    assert len(pictures) == 20
    assert reader.info.rate == 25
    assert reader.doubts == []


def test_a_vp9_packet_that_shows_a_picture_again_is_a_frame(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 20, codec="libvpx-vp9")
    again = b"\x88"  # show_existing_frame, of the first reference
    packets = []
    for number, (data, _) in enumerate(packets_of(clip)):
        packets += [(data, 2 * number), *([(again, 2 * number + 1)] if number in (7, 12) else [])]
    path = plain.mux(tmp_path / "x.mkv", clip, packets, time_base=Fraction(1, 50))
    reader, pictures = check_as_decoded(path)
    assert len(pictures) == 22
    assert reader.doubts == []


@pytest.mark.parametrize(
    ("packet", "pictures"),
    [
        pytest.param(b"\x82\0", 1, id="a key frame"),
        pytest.param(b"\x86\0", 1, id="an inter frame"),
        pytest.param(b"\x84\0", 0, id="a hidden inter frame"),
        pytest.param(b"\x88\0", 1, id="one shown again"),
        pytest.param(b"\xb1\0", 1, id="profile 3, a key frame"),
        pytest.param(b"\xb2\0", 0, id="profile 3, a hidden inter frame"),
        pytest.param(b"\xb4\0", 1, id="profile 3, one shown again"),
        pytest.param(b"\x84\0\xc0\0\0\xc0", 1, id="a superframe"),
    ],
)
def test_the_header_of_a_vp9_frame_says_whether_it_is_shown(packet: bytes, pictures: int) -> None:
    counted: Packet[Any] = av.Packet(packet)
    count = picture_count(av.VideoCodecContext.create("vp9", "r"))
    assert count is not None
    assert count(counted) == pictures


@pytest.mark.parametrize("name", ["x.mkv", "x.mp4"])
def test_pictures_of_mpeg4_that_are_not_coded_are_no_frames(name: str, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 20, codec="mpeg4", options={"bf": "0"})
    # A P picture of 0 s, marker, 5 bits of time (of 25 a second), marker, not coded.
    not_coded = b"\0\0\1\xb6" + int("0101000011001111", 2).to_bytes(2)
    packets = []
    for number, (data, _) in enumerate(packets_of(clip)):
        packets += [(data, 2 * number), *([(not_coded, 2 * number + 1)] if number % 4 == 1 else [])]
    path = plain.mux(tmp_path / name, clip, packets, time_base=Fraction(1, 50))
    reader, pictures = check_as_decoded(path)
    shown = [number_of(picture.image) for picture in pictures if picture.image is not None]
    assert shown in (list(range(20)), list(range(19)))  # FFmpeg up to 8.1.1 keeps the last one of an MP4
    assert reader.info.rate == 25
    assert reader.doubts == []


def test_the_first_pictures_of_an_open_group_are_no_frames(tmp_path: Path) -> None:
    options = {"x265-params": "open-gop=1:bframes=3:keyint=10:min-keyint=10:scenecut=0:log-level=none"}
    clip = write_video(tmp_path / "clip.mkv", 30, codec="libx265", options=options, keyframe_every=10)
    with av.open(str(clip)) as source, av.open(str(tmp_path / "x.mkv"), "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream_from_template(video)
        keys = packets = 0
        for packet in source.demux(video):
            keys += packet.is_keyframe and bool(packet.size)
            if packet.size and keys > 1:
                packet.stream = stream
                target.mux(packet)
                packets += 1
    reader, pictures = check_as_decoded(tmp_path / "x.mkv")
    empty = packets - len(pictures)
    assert 0 < empty < 10
    assert reader.doubts == [f"{empty} packets raised no error and showed nothing: they are not counted as frames"]
