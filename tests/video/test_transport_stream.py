"""Transport streams that are joined, damaged, or continued by another stream."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.frame import Image
from tests import h264_fields, plain
from tests.sources.damaged import packets_of_pictures, transport_stream
from tests.video.test_pictures import check_as_decoded, read
from tests.videos import number_of, numbered_picture, write_video

SIZE = 188
PID = 256
"""The PID that FFmpeg gives the video."""


def segment(path: Path, first: int, options: dict[str, str] | None = None) -> bytes:
    """A transport stream of 10 frames that are shown from tick ``first`` on."""
    path = path.with_name(f"segment-{first}.ts")
    ticks = range(first, first + 10)
    coded = {"bf": "0", "qp": "0"}
    return write_video(path, pictures(10), ticks=ticks, options=coded, container_options=options).read_bytes()


def pictures(count: int) -> list[Image]:
    """Numbered pictures with noise, which take several packets each."""
    noise = np.random.default_rng(1)
    found = []
    for number in range(count):
        picture = numbered_picture(number)
        picture[24:] = noise.integers(0, 255, picture[24:].shape)
        found.append(picture)
    return found


def packets_of_frame(data: bytes, number: int) -> list[int]:
    """The places at which the packets of the video's frame ``number`` begin."""
    found: list[list[int]] = []
    for at in range(0, len(data), SIZE):
        if (data[at + 1] & 0x1F) << 8 | data[at + 2] == PID:
            if data[at + 1] & 0x40:
                found.append([])
            found[-1].append(at)
    return found[number]


def without(data: bytes, places: list[int]) -> bytes:
    return b"".join(data[at : at + SIZE] for at in range(0, len(data), SIZE) if at not in places)


def widened(data: bytes, before: int, behind: int) -> bytes:
    """The same packets with bytes before and behind each."""
    return b"".join(bytes(before) + data[at : at + SIZE] + bytes(behind) for at in range(0, len(data), SIZE))


@pytest.mark.parametrize("junk", [b"", b"junk" * 30])
@pytest.mark.parametrize(
    "form", [lambda data: data, lambda data: widened(data, 4, 0), lambda data: widened(data, 0, 16)]
)
def test_segments_that_are_joined_are_whole(form: Callable[[bytes], bytes], junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "joined.ts"
    path.write_bytes(junk.join(form(segment(path, first)) for first in (0, 10, 20)))
    reader, pictures = check_as_decoded(path)
    assert [number_of(picture.image) for picture in pictures if picture.image is not None] == [*range(10)] * 3
    assert reader.info.rate == 25
    assert reader.doubts == []


@pytest.mark.parametrize("master", [False, True])
def test_the_segments_of_a_playlist_are_whole(master: bool, tmp_path: Path) -> None:
    for first in (0, 10, 20):
        segment(tmp_path / "x.ts", first)
    lines = [line for first in (0, 10, 20) for line in ("#EXTINF:0.4,", f"segment-{first}.ts")]
    (tmp_path / "media.m3u8").write_text(
        "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:1", *lines, "#EXT-X-ENDLIST", ""])
    )
    (tmp_path / "master.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000\nmedia.m3u8\n")
    reader, pictures = check_as_decoded(tmp_path / ("master.m3u8" if master else "media.m3u8"))
    assert [number_of(picture.image) for picture in pictures if picture.image is not None] == [*range(10)] * 3
    assert reader.info.rate == 25
    assert reader.doubts == []


@pytest.mark.parametrize("which", [1, -1])
def test_a_packet_missing_within_a_frame_damages_it(which: int, tmp_path: Path) -> None:
    path = tmp_path / "hole.ts"
    data = segment(path, 0)
    places = packets_of_frame(data, 4)
    assert len(places) > 2
    path.write_bytes(without(data, [places[which]]))
    reader, pictures = read(path)
    assert len(pictures) == 10
    assert [picture.index for picture in pictures if picture.error is not None] == [4]
    assert reader.doubts == ["the file is cut off or damaged: 9 of 10 frames are whole"]


def test_frames_missing_as_a_whole_damage_no_other_and_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "hole.ts"
    data = segment(path, 0)
    path.write_bytes(without(data, packets_of_frame(data, 4)))
    reader, pictures = read(path)
    assert [picture.error for picture in pictures] == [None] * 9
    assert reader.doubts == ["packets are missing between frames in 1 places: frames may be"]


@pytest.mark.parametrize("tables", [{}, {"mpegts_pmt_start_pid": "0x300"}])
@pytest.mark.parametrize("first", [10, 0])
def test_a_video_that_goes_on_as_another_stream_is_played_to_its_end(
    tables: dict[str, str], first: int, tmp_path: Path
) -> None:
    path = tmp_path / "pids.ts"
    other = {"mpegts_start_pid": "0x200", **tables}
    path.write_bytes(segment(path, 20) + segment(path, 20 + first, other) + segment(path, 20 + 2 * first))
    reader, pictures = read(path)
    assert [number_of(picture.image) for picture in pictures if picture.image is not None] == [*range(10)] * 3
    assert reader.info.rate == 25
    assert [bool("jump back" in doubt) for doubt in reader.doubts] == ([] if first else [True])
    reader.rewind()
    assert reader.read() is not None
    reader.close()


def test_a_second_video_beside_the_first_is_not_played_after_it(tmp_path: Path) -> None:
    path = tmp_path / "both.ts"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg2video", rate=25) for _ in range(2)]
        for stream, size in zip(streams, (64, 32), strict=True):
            stream.width, stream.height, stream.pix_fmt = size, size, "yuv420p"
        for number in range(20):
            for stream, size in zip(streams, (64, 32), strict=True):
                frame = av.VideoFrame(size, size, "yuv420p")
                frame.pts = number
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    reader, pictures = read(path)
    assert len(pictures) == 20
    assert reader.info.width == 64
    assert reader.info.notes == (
        "both.ts holds 2 videos: number 0 (64x64) is played, not 1 (32x32); --video-stream N chooses",
    )


def test_fields_that_come_after_frames_are_paired(tmp_path: Path) -> None:
    frames = write_video(tmp_path / "frames.ts", 10, options={"bf": "0"}).read_bytes()
    raw = tmp_path / "fields.264"
    raw.write_bytes(b"".join(h264_fields.packets(["t", "b"] * 10)))
    timed = [(data, 20 + number) for number, data in enumerate(h264_fields.packets(["t", "b"] * 10))]
    fields = plain.mux(tmp_path / "fields.ts", raw, timed, time_base=Fraction(1, 50)).read_bytes()
    (tmp_path / "both.ts").write_bytes(frames + fields)
    reader, pictures = read(tmp_path / "both.ts")
    assert len(plain.decoded(tmp_path / "both.ts")) == len(pictures) == 20
    assert [picture.error for picture in pictures] == [None] * 20
    assert reader.info.rate == 25


@pytest.mark.parametrize("length", [30, 400])
def test_a_short_rest_with_another_number_is_played(length: int, tmp_path: Path) -> None:
    path = tmp_path / "rest.ts"
    long = write_video(tmp_path / "long.ts", pictures(length), options={"bf": "0", "qp": "0"}).read_bytes()
    other = {"mpegts_start_pid": "0x200"}
    ticks = range(length, length + 10)
    rest = write_video(tmp_path / "b.ts", pictures(10), ticks=ticks, options={"bf": "2"}, container_options=other)
    path.write_bytes(long + rest.read_bytes())
    reader, found = read(path)
    assert len(found) == length + 10
    assert reader.info.notes == ()
    assert reader.doubts == []


def test_a_rest_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "rest.ts"
    other = segment(path, 10, {"mpegts_start_pid": "0x200", "mpegts_pmt_start_pid": "0x300"})
    # Without its tables, and without a decodable picture, the other stream cannot be recognised.
    rows = [other[at : at + SIZE] for at in range(0, len(other), SIZE)]
    rows = [row[:40] + b"\xff" * (SIZE - 40) for row in rows if (row[1] & 0x1F) << 8 | row[2] == 0x200]
    path.write_bytes(segment(path, 0) + b"".join(rows))
    reader, found = read(path)
    assert len(found) == 10
    assert reader.doubts == ["10 frames are not played: the file goes on with a video that cannot be read"]


def test_segments_that_follow_by_chance_count_on_are_joined(tmp_path: Path) -> None:
    """The tables' counter goes on where a segment has a multiple of 16 of them."""
    path = tmp_path / "joined.ts"
    first, second = segment(path, 0), segment(path, 10)
    rows = [second[at : at + SIZE] for at in range(0, len(second), SIZE)]
    tables = [at for at in range(0, len(first), SIZE) if not (first[at + 1] & 0x1F) << 8 | first[at + 2]]
    goes_on, counted = (first[tables[-1] + 3] & 15) + 1, 0
    for number, row in enumerate(rows):
        if not (row[1] & 0x1F) << 8 | row[2]:
            rows[number] = row[:3] + bytes([row[3] & 0xF0 | (goes_on + counted) % 16]) + row[4:]
            counted += 1
    path.write_bytes(first + b"".join(rows))
    reader, found = read(path)
    assert [picture.error for picture in found] == [None] * 20
    assert reader.doubts == []


def test_a_packet_that_shows_nothing_behind_lost_ones_is_lost_and_a_smeared_picture_is_marked(tmp_path: Path) -> None:
    content = transport_stream("hevc with B-frames")
    whole, hurt = tmp_path / "whole.ts", tmp_path / "hurt.ts"
    whole.write_bytes(content)
    of_pictures = packets_of_pictures(content)
    first = of_pictures[5][0]
    lost = [number * SIZE for number in range(first, of_pictures[-2][-1]) if (number - first) % 40 < 3]
    hurt.write_bytes(without(content, lost))
    right = [picture.image for picture in read(whole)[1] if picture.image is not None]
    found = read(hurt)[1]
    with av.open(str(hurt)) as container:
        assert len(found) == sum(packet.size > 0 for packet in container.demux(video=0))
    assert "its data gave no picture" in {picture.error for picture in found}
    smeared = [
        picture
        for picture in found
        if picture.image is not None and not any(np.array_equal(picture.image, image) for image in right)
    ]
    assert smeared
    assert all(picture.after_damage for picture in smeared)
