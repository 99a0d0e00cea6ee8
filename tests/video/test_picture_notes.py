"""Guessed colours, and fields that come as pictures, are reported; similar videos are not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import av
import pytest
from av.video.stream import VideoStream

from streamer.video.picture_notes import has_guessed_colours, is_field
from streamer.video.reader import VideoReader
from tests.sources.reading import opened, read_all
from tests.sources.servers import http_server
from tests.videos import numbered_picture

UNTAGGED, BT709, BT601 = 2, 1, 6


@pytest.mark.parametrize(
    ("size", "guessed"),
    [
        ((1280, 720), True),
        ((720, 1280), True),
        ((1280, 64), True),
        ((64, 578), True),
        ((1279, 575), False),
        ((1278, 576), False),
        ((720, 576), False),
        ((64, 48), False),
    ],
)
def test_untagged_yuv_is_guessed_from_the_size_on_from_which_players_take_it_for_bt709(
    size: tuple[int, int], guessed: bool
) -> None:
    assert has_guessed_colours(av.VideoFrame(*size, "yuv420p")) == guessed


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p10le", "nv12", "yuvj422p", "yuva420p"])
@pytest.mark.parametrize("tag", [UNTAGGED, BT709, BT601, 0, 9])
def test_colours_that_are_tagged_are_not_guessed(pixel_format: str, tag: int) -> None:
    frame = av.VideoFrame(1920, 1080, pixel_format)
    frame.colorspace = tag
    assert has_guessed_colours(frame) == (tag == UNTAGGED)


@pytest.mark.parametrize(
    "pixel_format", ["rgb24", "gbrp", "bgra", "gray", "gray10le", "ya8", "pal8", "monow", "xyz12le"]
)
def test_a_format_without_chroma_is_not_guessed(pixel_format: str) -> None:
    assert not has_guessed_colours(av.VideoFrame(1920, 1080, pixel_format))


def write(
    path: Path, codec: str, size: tuple[int, int], tag: int = UNTAGGED, options: Mapping[str, str] | None = None
) -> Path:
    """Four pictures at 50 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=50, options=dict(options or {}))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.colorspace = tag
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number, *size), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_an_untagged_hd_video_is_reported_with_what_it_means(tmp_path: Path) -> None:
    path = write(tmp_path / "untagged.mp4", "libx264", (1280, 720))
    note = (
        "does not say by which matrix its colours are coded: they are converted as BT.601, as FFmpeg does; "
        "players take BT.709 for 1280x720, so the detector sees colours that are a little off"
    )
    with VideoReader(path) as reader:
        assert reader.info.notes == (f"untagged.mp4 {note}",)
    with http_server(path.read_bytes()) as address:
        source = opened(address)
        read_all(source)
    assert source.info.notes == (f"{source.info.uri} {note}",)


@pytest.mark.parametrize(("size", "tag"), [((1280, 720), BT709), ((1280, 720), BT601), ((720, 576), UNTAGGED)])
def test_a_tagged_or_small_video_is_not_worth_a_word(size: tuple[int, int], tag: int, tmp_path: Path) -> None:
    with VideoReader(write(tmp_path / "clip.mp4", "libx264", size, tag)) as reader:
        assert reader.info.notes == ()


def test_the_tag_may_be_the_containers_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mkv", "mpeg4", (1280, 720), BT709)
    with VideoReader(path) as reader:
        assert reader.info.notes == ()


FIELDS = {"x265-params": "interlace=tff:log-level=none"}
"""The encoder gets fields, and marks each picture as one."""


@pytest.mark.parametrize("ending", ["ts", "mp4", "mkv", "hevc"])
def test_hevc_that_is_coded_by_fields_is_a_doubt_with_its_mend(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"fields.{ending}", "libx265", (128, 48), options=FIELDS)
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height, reader.info.frames) == (128, 48, 4)
        assert [doubt for doubt in reader.doubts if "frame times are missing" not in doubt] == [
            f"fields.{ending} is coded by fields: each of its frames is one field of half height (128x48), and its "
            "rate counts fields, two to a picture: weave them beforehand "
            f"(ffmpeg -i fields.{ending} -vf weave,bwdif=send_frame woven.mp4)"
        ]
        reader.rewind()
        while reader.read() is not None:
            pass
        assert sum("fields" in doubt for doubt in reader.doubts) == 1


def test_a_camera_that_sends_fields_is_a_doubt_too(tmp_path: Path) -> None:
    path = write(tmp_path / "fields.ts", "libx265", (128, 48), options=FIELDS)
    with http_server(path.read_bytes()) as address:
        source = opened(address)
        read_all(source)
    (doubt,) = [doubt for doubt in source.doubts if "fields" in doubt]
    assert doubt.endswith(
        "(128x48), and its rate counts fields, two to a picture: let the camera send progressive pictures"
    )


@pytest.mark.parametrize(
    ("name", "codec", "options", "marked"),
    [
        ("mbaff.mp4", "libx264", {"x264-params": "tff=1"}, True),
        ("interlaced.mpg", "mpeg2video", {"flags": "+ildct+ilme"}, True),
        ("progressive.mp4", "libx265", {"x265-params": "log-level=none"}, False),
    ],
)
def test_two_fields_in_one_picture_are_not_mistaken_for_one(
    name: str, codec: str, options: dict[str, str], marked: bool, tmp_path: Path
) -> None:
    path = write(tmp_path / name, codec, (128, 96), options=options)
    with av.open(str(path)) as container:
        first = next(container.decode(video=0))
        assert first.interlaced_frame == marked
        assert not is_field(first, container.streams.video[0].codec_context.codec.canonical_name)
    with VideoReader(path) as reader:
        assert reader.info.height == 96
        assert reader.doubts == []
