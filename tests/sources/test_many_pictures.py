"""Animations and other image files of several pictures: played, or reported as not played."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import pytest
from av.video.stream import VideoStream

from streamer.errors import SourceError
from streamer.sources.images import is_images
from streamer.sources.many_pictures import ANIMATED_PNG, ANIMATED_WEBP, pictures_in
from streamer.vendors import pyav
from tests.sources.reading import frames, opened, read_all
from tests.videos import number_of, numbered_picture


def write_animation(path: Path, count: int = 3) -> Path:
    """A WebP or PNG file of so many pictures, 10 a second."""
    codec, pixel_format = ("libwebp_anim", "yuv420p") if path.suffix == ".webp" else ("apng", "rgb24")
    container_format = "webp" if path.suffix == ".webp" else "apng"
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixel_format
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_still(path: Path, number: int = 0) -> Path:
    """An image file of one picture."""
    path.write_bytes(cv2.imencode(path.suffix, numbered_picture(number))[1].tobytes())
    return path


def tiff(order: str, kinds: list[int | None], *, big: bool = False, tag: int = 254) -> bytes:
    """A TIFF file's directories, one behind the other, each, but for None, with the entry of its kind."""
    offset, count, header = ("Q", "Q", 16) if big else ("I", "H", 8)
    mark = {"<": b"II", ">": b"MM"}[order]
    content = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    assert len(content) == header
    for place, kind in enumerate(kinds):
        entries = [] if kind is None else [(tag, kind)]
        entries.append((256, 64))
        body = struct.pack(order + count, len(entries))
        for each, value in entries:
            field = struct.pack(order + "I", value) if each == 254 else struct.pack(order + "H", value)
            length = 20 if big else 12
            body += (struct.pack(order + "HH" + offset, each, 4 if each == 254 else 3, 1) + field).ljust(
                length, b"\0"
            )
        following = len(content) + len(body) + struct.calcsize(order + offset)
        content += body + struct.pack(order + offset, 0 if place == len(kinds) - 1 else following)
    return content


@pytest.mark.parametrize(("name", "kind"), [("a.png", ANIMATED_PNG), ("a.webp", ANIMATED_WEBP)])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_pictures_of_an_animation_are_counted(name: str, kind: str, count: int, tmp_path: Path) -> None:
    expected = (kind, count) if count > 1 else ("", 1)
    assert pictures_in(write_animation(tmp_path / name, count)) == expected
    assert is_images(tmp_path / name) == (count == 1)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg", ".tiff", ".bmp"])
def test_a_still_image_holds_one_picture(suffix: str, tmp_path: Path) -> None:
    path = write_still(tmp_path / f"still{suffix}")
    assert pictures_in(path) == ("", 1)
    assert is_images(path)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_pages_of_a_tiff_are_counted_without_smaller_copies_and_masks(order: str, big: bool, tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    for kinds, pages in (([None], 1), ([None] * 3, 3), ([0, 1, 4], 1), ([0, 2, 2], 3), ([None, 5, 0], 2)):
        path.write_bytes(tiff(order, list(kinds), big=big))
        assert pictures_in(path)[1] == pages, kinds
    path.write_bytes(tiff(order, [1, 2, 3], big=big, tag=255))  # SubfileType: whole, smaller copy, page
    assert pictures_in(path) == ("TIFF", 2)


def test_a_tiff_whose_directories_go_in_a_circle_ends(tmp_path: Path) -> None:
    content = bytearray(tiff("<", [None, None]))
    content[-4:] = (8).to_bytes(4, "little")
    (tmp_path / "circle.tif").write_bytes(content)
    assert pictures_in(tmp_path / "circle.tif") == ("TIFF", 2)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_a_file_that_ends_anywhere_is_read_without_an_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    whole = tiff("<", [None] * 3) if name == "a.tif" else write_animation(path).read_bytes()
    for length in range(min(len(whole), 200)):
        path.write_bytes(whole[:length])
        assert pictures_in(path)[1] >= 1
    path.unlink()
    assert pictures_in(path) == pictures_in(tmp_path) == ("", 1)


def test_an_animated_png_is_played_as_a_video(tmp_path: Path) -> None:
    source = opened(write_animation(tmp_path / "clip.png"))
    assert (source.info.rate, source.info.frames) == (Fraction(10), 3)
    assert [number_of(frame.image) for frame in frames(read_all(source))] == [0, 1, 2]


@pytest.mark.parametrize("name", ["clip.webp", "CLIP.WEBP", "clip.bin"])
def test_an_animated_webp_is_played_or_refused_with_the_mend(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(write_animation(tmp_path / "animation.webp").read_bytes())
    if pyav.decodes("webp_anim"):
        source = opened(path)
        assert (source.info.rate, source.info.frames) == (Fraction(10), 3)
        assert [number_of(frame.image) for frame in frames(read_all(source))] == [0, 1, 2]
    else:
        with pytest.raises(SourceError) as raised:
            opened(path)
        assert str(raised.value) == (
            f"{path} is an animated WebP of 3 pictures, which PyAV plays from version 19 on: "
            "save it as a GIF or a video, or each picture as an image in a folder"
        )


def test_an_animated_webp_of_one_picture_is_an_image(tmp_path: Path) -> None:
    source = opened(write_animation(tmp_path / "one.webp", 1))
    assert [number_of(frame.image) for frame in frames(read_all(source))] == [0]
    assert source.doubts == []


def test_in_a_folder_the_first_picture_is_one_frame_and_the_others_are_a_doubt(tmp_path: Path) -> None:
    write_still(tmp_path / "0.png")
    write_animation(tmp_path / "1.webp")
    write_animation(tmp_path / "2.png")
    cv2.imwritemulti(str(tmp_path / "3.tiff"), [numbered_picture(0), numbered_picture(1)])
    source = opened(tmp_path, loop=True)
    assert [number_of(frame.image) for frame in frames(read_all(source, 8))] == [0] * 8
    assert source.doubts == [
        "1.webp holds 3 pictures, and only its first is shown (3 such in all): "
        "save each picture as an image of its own"
    ]


def test_the_first_page_of_a_tiff_alone_is_shown_and_the_others_are_a_doubt(tmp_path: Path) -> None:
    cv2.imwritemulti(str(tmp_path / "pages.tif"), [numbered_picture(7), numbered_picture(8)])
    source = opened(tmp_path / "pages.tif")
    assert [number_of(frame.image) for frame in frames(read_all(source))] == [7]
    assert source.doubts == [
        "pages.tif holds 2 pictures, and only its first is shown (1 such in all): "
        "save each picture as an image of its own"
    ]
