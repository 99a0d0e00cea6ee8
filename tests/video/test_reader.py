"""Reading videos of all kinds, whole and broken: every promised frame comes out once, at its own time."""

from __future__ import annotations

import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.errors import SourceError, UsageError
from streamer.video.contents import Picture
from streamer.video.reader import VideoReader
from tests.videos import FASTSTART, cut_off, damage, number_of, numbered_picture, write_video

NTSC = Fraction(30000, 1001)
QUIET_X265 = {"x265-params": "log-level=none"}


def read_all(reader: VideoReader) -> list[Picture]:
    """All pictures, which are the promised ones: each index once and in order, at its scheduled time."""
    pictures = []
    while (picture := reader.read()) is not None:
        pictures.append(picture)
    assert [picture.index for picture in pictures] == list(range(len(reader.schedule)))
    assert [picture.pts for picture in pictures] == [
        reader.schedule.pts(index) for index in range(len(reader.schedule))
    ]
    assert all((picture.image is None) == (picture.error is not None) for picture in pictures)
    assert len(pictures) == reader.info.frames
    return pictures


def read_file(path: Path) -> tuple[VideoReader, list[Picture]]:
    """The closed reader, for its info and doubts, and all its pictures."""
    with VideoReader(path) as reader:
        return reader, read_all(reader)


def numbers(pictures: list[Picture]) -> list[int | None]:
    """The number each image carries; None for one that could not be decoded."""
    return [None if picture.image is None else number_of(picture.image) for picture in pictures]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264.mp4", "libx264"),
        ("h264.mkv", "libx264"),
        ("h264.ts", "libx264"),
        ("mpeg4.avi", "mpeg4"),
        ("mpeg2.mpg", "mpeg2video"),
        ("vp9.webm", "libvpx-vp9"),
    ],
)
def test_every_frame_comes_out_once_and_in_order(tmp_path: Path, name: str, codec: str) -> None:
    options = {"libvpx-vp9": {"cpu-used": "8"}, "libx264": {}}.get(codec, {"bf": "2"})
    path = write_video(tmp_path / name, 40, codec=codec, options=options)
    reader, pictures = read_file(path)
    assert numbers(pictures) == list(range(40))
    assert [picture.pts for picture in pictures] == [Fraction(number, 25) for number in range(40)]
    assert reader.info.rate == 25
    assert reader.info.duration == Fraction(40, 25)
    assert not reader.info.variable
    assert reader.doubts == []


@pytest.mark.slow
def test_ten_minutes_at_29_97_do_not_drift(tmp_path: Path) -> None:
    count = 17982
    blank = np.zeros((48, 64, 3), np.uint8)
    options = {"preset": "ultrafast", "bf": "0"}
    path = write_video(tmp_path / "long.mp4", [blank] * count, rate=NTSC, options=options, keyframe_every=250)
    with VideoReader(path) as reader:
        assert reader.info.rate == NTSC
        assert reader.info.duration == count / NTSC
        assert reader.schedule.pts(count - 1) == (count - 1) / NTSC
        assert not reader.info.variable


def test_rounding_to_milliseconds_is_not_a_variable_rate(tmp_path: Path) -> None:
    reader, pictures = read_file(write_video(tmp_path / "rounded.mkv", 40, rate=NTSC))
    assert reader.info.time_base == Fraction(1, 1000)
    assert (reader.info.rate, reader.info.variable) == (NTSC, False)
    assert pictures[1].pts == Fraction(33, 1000)
    assert pictures[2].pts == Fraction(67, 1000)


@pytest.mark.parametrize("name", ["uneven.mp4", "uneven.mkv", "uneven.avi"])
def test_uneven_frame_times_are_kept_exactly(tmp_path: Path, name: str) -> None:
    ticks = [0, 1, 5, 6, 9, 30]
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    reader, pictures = read_file(write_video(tmp_path / name, 6, ticks=ticks, codec=codec))
    assert [picture.pts for picture in pictures] == [Fraction(tick, 25) for tick in ticks]
    assert numbers(pictures) == list(range(6))
    assert reader.info.variable
    assert reader.info.rate == Fraction(5) / Fraction(30, 25)
    assert reader.doubts == []


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "late.ts", 5, ticks=range(100, 105))
    _, pictures = read_file(path)
    assert [picture.pts for picture in pictures] == [Fraction(number, 25) for number in range(5)]


def test_odd_sizes_come_out_as_they_are(tmp_path: Path) -> None:
    path = write_video(tmp_path / "odd.mkv", 3, size=(81, 61), codec="ffv1", pixel_format="yuv444p")
    reader, pictures = read_file(path)
    assert (reader.info.width, reader.info.height) == (81, 61)
    image = pictures[2].image
    assert image is not None
    assert image.shape == (61, 81, 3)
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - numbered_picture(2, 81, 61)).max() <= 4


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_picture_rotated_by_metadata_comes_out_upright(tmp_path: Path, rotation: int) -> None:
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:24, :32], upright[:24, 32:], upright[24:, :32] = (0, 0, 220), (0, 220, 0), (220, 0, 0)
    # The camera lay on its side: its picture has to be turned counter-clockwise by the rotation.
    lying = np.ascontiguousarray(np.rot90(upright, -rotation // 90))
    path = write_video(tmp_path / "phone.mp4", [lying] * 2, rotation=rotation)
    reader, pictures = read_file(path)
    assert (reader.info.width, reader.info.height) == (64, 48)
    image = pictures[1].image
    assert image is not None
    # Away from the edges, where the chroma of neighbours mixes.
    for y, x in [(10, 10), (10, 54), (38, 10), (38, 54)]:
        assert np.abs(image[y, x].astype(int) - upright[y, x]).max() < 30


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("ten.mp4", "libx265", "yuv420p10le"),
        ("full.avi", "mjpeg", "yuvj420p"),
        ("gray.mp4", "libx264", "gray"),
        ("gray10.mp4", "libx264", "gray10le"),
        ("rgb.mkv", "ffv1", "bgr0"),
        ("palette.gif", "gif", "pal8"),
    ],
)
def test_every_pixel_format_comes_out_as_bgr(tmp_path: Path, name: str, codec: str, pixel_format: str) -> None:
    if codec == "gif":
        # Pixels of one grey palette, because FFmpeg does not choose palettes on its own.
        path = write_gray_gif(tmp_path / name)
    else:
        options = QUIET_X265 if codec == "libx265" else {}
        path = write_video(tmp_path / name, 3, codec=codec, pixel_format=pixel_format, options=options)
    _, pictures = read_file(path)
    assert numbers(pictures) == [0, 1, 2]
    image = pictures[1].image
    assert image is not None
    assert image.dtype == np.uint8
    assert image.shape == (48, 64, 3)
    assert np.abs(image.astype(int) - numbered_picture(1)).mean() < 4


def write_gray_gif(path: Path) -> Path:
    """Three numbered pictures as an animation."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number)[:, :, 0].copy(), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_4k_frames_are_read(tmp_path: Path) -> None:
    options = {"preset": "ultrafast"}
    reader, pictures = read_file(write_video(tmp_path / "4k.mp4", 3, size=(3840, 2160), options=options))
    assert (reader.info.width, reader.info.height) == (3840, 2160)
    assert numbers(pictures) == [0, 1, 2]


def test_a_raw_stream_without_times_is_timed_by_its_frame_rate(tmp_path: Path) -> None:
    reader, pictures = read_file(write_video(tmp_path / "raw.h264", 30, rate=Fraction(20)))
    assert numbers(pictures) == list(range(30))
    assert pictures[29].pts == 29 / reader.info.rate
    assert reader.doubts == [
        f"frame times are missing: the frame rate of {float(reader.info.rate):g} is used instead"
    ]


def test_frame_times_that_jump_back_are_replaced_by_the_frame_rate(tmp_path: Path) -> None:
    path = write_video(tmp_path / "joined.ts", 30)
    path.write_bytes(path.read_bytes() * 2)
    reader, pictures = read_file(path)
    assert numbers(pictures) == [*range(30), *range(30)]
    assert pictures[59].pts == Fraction(59, 25)
    assert reader.doubts == ["frame times jump back: the frame rate of 25 is used instead"]


def test_rewinding_starts_over_with_the_same_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "loop.mp4", 20)
    with VideoReader(path) as reader:
        for _ in range(7):
            reader.read()
        reader.rewind()
        assert numbers(read_all(reader)) == list(range(20))
        reader.rewind()
        assert numbers(read_all(reader)) == list(range(20))
        assert reader.read() is None


def test_an_mp4_cut_off_accounts_for_every_frame_its_index_promises(tmp_path: Path) -> None:
    options = {"bf": "3"}
    path = write_video(tmp_path / "cut.mp4", 60, container_options=FASTSTART, options=options, keyframe_every=8)
    reader, pictures = read_file(cut_off(path, 0.8))
    errors = [picture for picture in pictures if picture.error]
    whole = 60 - len(errors)
    assert len(pictures) == 60
    assert 20 < whole < 60
    assert numbers(pictures)[:10] == list(range(10))
    assert all(number in (None, index) for index, number in enumerate(numbers(pictures)))
    assert pictures[59].pts == Fraction(59, 25)
    assert reader.info.rate == 25
    assert not reader.info.variable
    assert reader.doubts == [f"the file is cut off or damaged: {whole} of 60 frames are whole"]


def test_an_avi_cut_off_accounts_for_every_frame_its_header_promises(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.avi", 60, codec="mjpeg", pixel_format="yuvj420p")
    reader, pictures = read_file(cut_off(path, 0.6))
    whole = sum(picture.error is None for picture in pictures)
    assert len(pictures) == 60
    assert 20 < whole < 60
    assert numbers(pictures) == [*range(whole), *[None] * (60 - whole)]
    assert reader.doubts == [f"the file is cut off or damaged: {whole} of 60 frames are whole"]


@pytest.mark.parametrize("name", ["cut.mkv", "cut.ts"])
def test_a_file_cut_off_without_an_index_ends_with_one_error(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, 60, codec="mpeg2video")
    reader, pictures = read_file(cut_off(path, 0.601))
    assert 20 < len(pictures) < 60
    assert numbers(pictures) == [*range(len(pictures) - 1), None]
    assert reader.doubts == [
        f"the file is cut off after {len(pictures) - 1} frames; how many are missing is not known"
    ]


def test_a_whole_file_is_not_mistaken_for_cut_off_because_of_skipped_frames(tmp_path: Path) -> None:
    # An AVI fills gaps with empty chunks, which its header counts as frames.
    reader, pictures = read_file(write_video(tmp_path / "gaps.avi", 3, codec="mpeg4", ticks=[0, 10, 20]))
    assert numbers(pictures) == [0, 1, 2]
    assert reader.doubts == []


@pytest.mark.parametrize("name", ["hurt.avi", "hurt.mp4"])
def test_a_damaged_frame_is_one_error_and_reading_goes_on(tmp_path: Path, name: str) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    options = {"bf": "0"}
    path = write_video(tmp_path / name, 40, size=(160, 120), codec=codec, options=options)
    _, pictures = read_file(damage(path, 12, 0x00 if codec == "libx264" else 0xFF))
    assert pictures[12].error in ("its data is damaged", "Invalid data found when processing input")
    assert numbers(pictures)[:12] == list(range(12))
    # From the next key frame on the pictures are whole again.
    assert numbers(pictures)[24:] == list(range(24, 40))


def test_a_damaged_slice_of_several_is_seen(tmp_path: Path) -> None:
    options = {"x264-params": "slices=4:bframes=0"}
    path = write_video(tmp_path / "slices.mp4", 20, size=(160, 128), options=options, keyframe_every=10)
    _, pictures = read_file(damage(path, 5, 0x00))
    assert pictures[5].error is not None
    assert numbers(pictures)[10:] == list(range(10, 20))


def test_a_change_of_size_is_scaled_to_the_first_size_with_one_doubt(tmp_path: Path) -> None:
    small = write_video(tmp_path / "small.ts", 10, size=(64, 48))
    large = write_video(tmp_path / "large.ts", 10, size=(128, 96))
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    reader, pictures = read_file(path)
    images = [picture.image for picture in pictures if picture.image is not None]
    assert {image.shape for image in images} == {(48, 64, 3)}
    assert numbers(pictures) == [*range(10), *range(10)]
    changes = [doubt for doubt in reader.doubts if "picture size changes" in doubt]
    assert changes == ["the picture size changes at frame 10 to 128x96: scaled to the size of the first (10 in all)"]


def test_pictures_are_not_overwritten_by_later_ones(tmp_path: Path) -> None:
    _, pictures = read_file(write_video(tmp_path / "kept.mp4", 30))
    images = [picture.image for picture in pictures if picture.image is not None]
    assert all(not np.shares_memory(first, second) for first, second in pairwise(images))
    assert numbers(pictures) == list(range(30))


def test_a_colon_in_the_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "plain.mp4", 3).rename(tmp_path / "12:30.mp4")
    _, pictures = read_file(Path("12:30.mp4"))
    assert numbers(pictures) == [0, 1, 2]


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


def write_prose(path: Path) -> None:
    path.write_text("not a video at all\n" * 100)


def write_sound(path: Path) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))


def write_half_an_mp4(path: Path) -> None:
    cut_off(write_video(path, 30), 0.7)


def write_unreadable_frames(path: Path) -> None:
    write_video(path, 3, codec="libx264")
    for index in range(3):
        damage(path, index, 0x00)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("empty.mp4", write_nothing, "is empty: copy or record it again"),
        ("prose.mp4", write_prose, "is not a video that can be read"),
        ("prose.txt", write_prose, "holds no video"),
        ("sound.wav", write_sound, "holds no video"),
        ("half.mp4", write_half_an_mp4, "seems to be cut off: its index (moov) is missing"),
        ("noise.mp4", write_unreadable_frames, "none of its 2 frames can be decoded"),
        ("folder", Path.mkdir, "is a directory: name a video file"),
    ],
)
def test_a_file_that_is_no_video_is_refused_in_one_line(
    tmp_path: Path, name: str, write: object, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert callable(write)
    write(tmp_path / name)
    capfd.readouterr()
    with pytest.raises(SourceError) as caught:
        VideoReader(tmp_path / name)
    assert message in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.mp4: no such file"):
        VideoReader(tmp_path / "nowhere.mp4")


def test_a_broken_file_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "cut.mp4", 60, container_options=FASTSTART)
    capfd.readouterr()
    read_file(cut_off(path, 0.6))
    assert capfd.readouterr() == ("", "")


def test_a_closed_reader_gives_no_more_frames_and_closes_again(tmp_path: Path) -> None:
    reader = VideoReader(write_video(tmp_path / "short.mp4", 3))
    reader.close()
    reader.close()
    assert reader.read() is None
