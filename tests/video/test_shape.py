"""Pixels that are not square: the shape is reported, and kept in the annotated video, whoever declares it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.stream import VideoStream

import streamer
from streamer.rundir.written import segments_of
from streamer.settings.settings import Settings
from streamer.vendors import pyav
from streamer.verification import verify
from streamer.video.reader import VideoReader
from streamer.video.shape import shown_size
from streamer.video.writer import VideoWriter
from tests.runs import SHARED
from tests.sources.reading import opened, read_all
from tests.sources.servers import http_server
from tests.videos import numbered_picture

WIDE = Fraction(4, 3)


def write_shaped(
    path: Path,
    ratio: Fraction | None,
    *,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rotation: int = 0,
) -> Path:
    """Five pictures whose pixels have this aspect ratio; with None they declare none."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        if ratio is not None:
            stream.codec_context.sample_aspect_ratio = ratio
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number, *size), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def declared_ratios(path: Path) -> tuple[Fraction | None, Fraction | None]:
    """The sample aspect ratios of the container (or its substitute) and of the codec, as PyAV reads them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert isinstance(stream, VideoStream)
        next(container.decode(stream))
        return pyav.exact(stream.sample_aspect_ratio), pyav.exact(stream.codec_context.sample_aspect_ratio)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "declared"),
    [
        ("both.mp4", "libx264", "yuv420p", (WIDE, WIDE)),
        ("both.avi", "mpeg4", "yuv420p", (WIDE, WIDE)),
        ("container.mov", "prores", "yuv422p10le", (WIDE, None)),
        ("codec.ts", "libx264", "yuv420p", (WIDE, WIDE)),
        ("codec.264", "libx264", "yuv420p", (WIDE, WIDE)),
    ],
)
def test_the_shape_is_reported_whether_the_container_or_the_codec_declares_it(
    name: str, codec: str, pixel_format: str, declared: tuple[Fraction | None, Fraction | None], tmp_path: Path
) -> None:
    path = write_shaped(tmp_path / name, WIDE, codec=codec, pixel_format=pixel_format)
    assert declared_ratios(path) == declared
    with VideoReader(path) as reader:
        assert reader.info.sample_aspect_ratio == WIDE
        assert (reader.info.width, reader.info.height) == (64, 48)
        assert reader.info.notes == (f"{name}: its pixels are 4:3: shown 85x48; the detector sees the stored 64x48",)
        assert [doubt for doubt in reader.doubts if "aspect" in doubt] == []


def test_the_container_is_believed_before_the_codec_as_ffmpeg_does(tmp_path: Path) -> None:
    path = write_shaped(tmp_path / "clip.mp4", WIDE)
    content = path.read_bytes()
    at = content.index(b"pasp") + 4
    path.write_bytes(content[:at] + (3).to_bytes(4, "big") + (2).to_bytes(4, "big") + content[at + 8 :])
    assert declared_ratios(path) == (Fraction(3, 2), WIDE)
    with VideoReader(path) as reader:
        assert reader.info.sample_aspect_ratio == Fraction(3, 2)
        assert reader.info.notes[0].endswith("3:2: shown 96x48; the detector sees the stored 64x48")
        while reader.read() is not None:
            pass
        assert reader.doubts == []


@pytest.mark.parametrize("rotation", [90, -90])
def test_pixels_of_a_picture_that_lies_on_its_side_are_turned_with_it(rotation: int, tmp_path: Path) -> None:
    with VideoReader(write_shaped(tmp_path / "clip.mp4", WIDE, rotation=rotation)) as reader:
        assert reader.info.sample_aspect_ratio == 1 / WIDE
        assert reader.info.notes == ("clip.mp4: its pixels are 3:4: shown 48x85; the detector sees the stored 48x64",)


@pytest.mark.parametrize("rotation", [0, 90, 180])
@pytest.mark.parametrize("ratio", [None, Fraction(1), Fraction(1001, 1000)])
def test_square_and_undeclared_pixels_have_no_note(ratio: Fraction | None, rotation: int, tmp_path: Path) -> None:
    with VideoReader(write_shaped(tmp_path / "clip.mp4", ratio, rotation=rotation)) as reader:
        assert reader.info.notes == ()
        assert abs(reader.info.sample_aspect_ratio - 1) < Fraction(2, 1000)


def test_no_side_is_shrunk() -> None:
    assert shown_size(720, 576, Fraction(64, 45)) == (1024, 576)
    assert shown_size(576, 720, Fraction(45, 64)) == (576, 1024)
    assert shown_size(720, 480, Fraction(8, 9)) == (720, 540)
    assert shown_size(720, 480, Fraction(1)) == (720, 480)


@pytest.mark.parametrize(
    ("size", "ratio", "doubt"),
    [
        ((64, 48), Fraction(1), "the sample aspect ratio changes to 1:1 at about frame 5: "),
        ((96, 48), Fraction(3, 2), "the sample aspect ratio changes to 3:2 at about frame 5: "),
        # Scaled to the first size, it has the right shape.
        ((128, 72), Fraction(1), ""),
        ((64, 48), WIDE, ""),
    ],
)
def test_a_shape_that_changes_on_the_way_is_a_doubt(
    size: tuple[int, int], ratio: Fraction, doubt: str, tmp_path: Path
) -> None:
    first = write_shaped(tmp_path / "1.264", WIDE)
    second = write_shaped(tmp_path / "2.264", ratio, size=size)
    joined = tmp_path / "joined.264"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with VideoReader(joined) as reader:
        pictures = [picture for _ in range(10) if (picture := reader.read()) is not None]
        assert [picture.error for picture in pictures] == [None] * 10
        assert reader.info.sample_aspect_ratio == WIDE
        found = [one for one in reader.doubts if "aspect" in one]
        assert found == ([f"{doubt}the annotated video keeps that of the first"] if doubt else [])


def test_the_shape_of_a_live_stream_is_reported_too(tmp_path: Path) -> None:
    clip = write_shaped(tmp_path / "clip.mp4", WIDE, rotation=90)
    with http_server(clip.read_bytes()) as address:
        source = opened(address)
        read_all(source)
    assert source.info.sample_aspect_ratio == 1 / WIDE
    assert source.info.notes == (
        f"{source.info.uri}: its pixels are 3:4: shown 48x85; the detector sees the stored 48x64",
    )


def test_the_shape_is_in_a_video_while_it_is_written_and_when_it_is_closed(tmp_path: Path) -> None:
    path, growing = tmp_path / "out.mp4", tmp_path / "growing.mp4"
    with VideoWriter(path, 63, 48, Fraction(1), Fraction(1), sample_aspect_ratio=WIDE) as writer:
        for number in range(3):
            writer.write(numbered_picture(number, 63, 48), Fraction(number))
        growing.write_bytes(path.read_bytes())
    assert declared_ratios(growing) == declared_ratios(path) == (WIDE, WIDE)
    assert b"pasp" in path.read_bytes()


@pytest.mark.parametrize("rotation", [0, 90])
def test_the_annotated_video_and_each_of_its_segments_keep_the_shape_and_the_run_notes_it(
    rotation: int, tmp_path: Path
) -> None:
    clip, out = write_shaped(tmp_path / "clip.mp4", WIDE, rotation=rotation), tmp_path / "run"
    settings = Settings(engine="null", fps=100, frames=60, loop=True, segment=0.2, chart=False, out=out)
    streamer.replay(clip, settings)
    videos = [*segments_of(out / "annotated.mp4"), out / "annotated.mp4"]
    assert len(videos) > 1
    ratio = 1 / WIDE if rotation else WIDE
    assert [declared_ratios(video) for video in videos] == [(ratio, ratio)] * len(videos)
    notes = json.loads((out / "run.json").read_text(encoding="utf-8"))["notes"]
    assert any(note.startswith("clip.mp4: its pixels are ") for note in notes)
    assert verify(out).reasons == []


@pytest.mark.skipif(not (SHARED / "cases").is_dir(), reason="../shared/cases is absent: its files are not here")
def test_a_pal_picture_of_16_to_9_is_reported_as_it_is_shown() -> None:
    with VideoReader(SHARED / "cases" / "sar.mp4") as reader:
        assert reader.info.sample_aspect_ratio == Fraction(64, 45)
        assert reader.info.notes == (
            "sar.mp4: its pixels are 64:45: shown 1024x576; the detector sees the stored 720x576",
        )
