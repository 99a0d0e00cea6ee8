"""Images and folders of images as a camera."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.errors import SourceError, UsageError
from streamer.frame import Frame, Image
from streamer.sources.base import Unreadable
from streamer.sources.fingerprint import fingerprint
from tests.sources.reading import frames, opened, read_all
from tests.videos import number_of, numbered_picture


def write_image(path: Path, image: Image) -> Path:
    """An image file; its ending chooses the format."""
    path.parent.mkdir(exist_ok=True)
    coded = cv2.imencode(path.suffix, image)[1]
    path.write_bytes(coded.tobytes())
    return path


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".PNG"])
def test_an_image_is_one_frame(tmp_path: Path, suffix: str) -> None:
    path = write_image(tmp_path / f"picture{suffix}", numbered_picture(5))
    source = opened(path)
    info = source.info
    assert (info.uri, info.width, info.height, info.rate, info.frames) == (str(path), 64, 48, Fraction(30), 1)
    assert (info.time_base, info.comment, info.live) == (Fraction(1, 30), "", False)
    (frame,) = frames(read_all(source))
    assert number_of(frame.image) == 5
    assert source.pts(1) is None
    assert source.doubts == []


def test_an_image_with_loop_repeats_for_ever_and_each_frame_is_its_own(tmp_path: Path) -> None:
    source = opened(write_image(tmp_path / "picture.png", numbered_picture(5)), loop=True)
    assert source.info.frames is None
    first, *others = frames(read_all(source, 100))
    first.image[:] = 0
    assert len(others) == 99
    assert {number_of(frame.image) for frame in others} == {5}
    assert others[-1].pts == Fraction(99, 30)


def test_a_folder_is_played_in_natural_order_and_other_files_are_ignored(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    for number in (10, 2, 1, 9, 100):
        write_image(folder / f"img{number}.png", numbered_picture(number))
    write_image(folder / "IMG3.jpg", numbered_picture(3))
    write_image(folder / "below" / "img4.png", numbered_picture(4))
    (folder / "notes.txt").write_text("no image")
    (folder / "._img1.png").write_bytes(b"what macOS leaves")
    (folder / "img5.png").mkdir()
    source = opened(folder)
    assert source.info.frames == 6
    assert [number_of(frame.image) for frame in frames(read_all(source))] == [1, 2, 3, 9, 10, 100]


def test_a_folder_with_loop_starts_again(tmp_path: Path) -> None:
    for number in range(3):
        write_image(tmp_path / f"{number}.png", numbered_picture(number))
    items = frames(read_all(opened(tmp_path, loop=True), 8))
    assert [number_of(frame.image) for frame in items] == [0, 1, 2, 0, 1, 2, 0, 1]


def test_names_that_differ_only_in_zeros_keep_one_order(tmp_path: Path) -> None:
    for number, name in enumerate(["a01.png", "a1.png", "a1b.png", "b.png"]):
        write_image(tmp_path / name, numbered_picture(number))
    assert [number_of(frame.image) for frame in frames(read_all(opened(tmp_path)))] == [0, 1, 2, 3]


def test_letters_of_any_script_in_the_name(tmp_path: Path) -> None:
    path = write_image(tmp_path / "фото 写真 é.png", numbered_picture(7))
    assert number_of(frames(read_all(opened(path)))[0].image) == 7


def test_an_image_that_cannot_be_decoded_costs_one_frame(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "0.jpg").write_bytes(b"")
    (tmp_path / "1.png").write_text("no image")
    for number in (2, 4):
        write_image(tmp_path / f"{number}.png", numbered_picture(number))
    cut = write_image(tmp_path / "3.png", numbered_picture(3))
    cut.write_bytes(cut.read_bytes()[:100])
    source = opened(tmp_path)
    assert source.doubts == []
    items = read_all(source)
    assert [type(item) for item in items] == [Unreadable, Unreadable, Frame, Unreadable, Frame]
    assert isinstance(items[3], Unreadable)
    assert items[3].reason == "is not an image that can be decoded: save it again"
    assert source.doubts == [
        "3 images are not played, as 0.jpg, which is not an image that can be decoded: save it again"
    ]
    assert capfd.readouterr() == ("", "")


def test_an_image_of_another_size_comes_in_its_own_and_is_reported(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", numbered_picture(1))
    write_image(tmp_path / "2.png", numbered_picture(2, 80, 60))
    write_image(tmp_path / "3.png", numbered_picture(3, 48, 64))
    write_image(tmp_path / "4.png", numbered_picture(4))
    source = opened(tmp_path, loop=True)
    assert (source.info.width, source.info.height, source.info.own_sizes) == (64, 48, True)
    items = frames(read_all(source, 8))
    assert [number_of(item.image) for item in items] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert [item.image.shape for item in items[:4]] == [(48, 64, 3), (60, 80, 3), (64, 48, 3), (48, 64, 3)]
    assert source.doubts == [
        "2 images are not 64x48 as the first one is, as 2.png, which is 80x60: each is measured at its own size, and "
        "fitted into 64x48 in a video"
    ]


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no images"):
        opened(tmp_path)


def test_a_folder_in_which_no_image_can_be_decoded_is_refused(tmp_path: Path) -> None:
    for name in ("1.png", "2.jpg"):
        (tmp_path / name).write_text("no image")
    with pytest.raises(SourceError, match=r"none of the 2 images in .* can be read: the first is not an image"):
        opened(tmp_path)
    with pytest.raises(SourceError, match=r"1\.png is not an image that can be decoded: save it again"):
        opened(tmp_path / "1.png")


def test_gray_transparent_and_deep_images_come_out_as_bgr(tmp_path: Path) -> None:
    picture = numbered_picture(6)
    write_image(tmp_path / "1gray.png", picture[:, :, 0].copy())
    write_image(tmp_path / "2alpha.png", np.dstack([picture, picture[:, :, :1]]))
    cv2.imwrite(str(tmp_path / "3deep.png"), picture.astype(np.uint16) * 257)
    for frame in frames(read_all(opened(tmp_path))):
        assert frame.image.shape == (48, 64, 3)
        assert frame.image.dtype == np.uint8
        assert number_of(frame.image) == 6


def test_a_photograph_is_turned_upright_as_its_exif_data_says(tmp_path: Path) -> None:
    path = write_image(tmp_path / "lying.jpg", np.ascontiguousarray(np.rot90(numbered_picture(9))))
    # An EXIF block with one entry: orientation (0x0112) 6, to be turned clockwise by a quarter.
    tiff = b"MM\0*\0\0\0\x08" + b"\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + b"\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    coded = path.read_bytes()
    path.write_bytes(coded[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + coded[2:])
    source = opened(path)
    assert (source.info.width, source.info.height) == (64, 48)
    assert number_of(frames(read_all(source))[0].image) == 9


def test_the_hash_of_a_folder_is_that_of_its_images_and_their_names(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", numbered_picture(1))
    second = write_image(tmp_path / "2.png", numbered_picture(2))
    before = fingerprint(str(tmp_path))
    (tmp_path / "notes.txt").write_text("no image")
    assert fingerprint(str(tmp_path)) == before
    second.rename(tmp_path / "3.png")
    renamed = fingerprint(str(tmp_path))
    write_image(tmp_path / "3.png", numbered_picture(3))
    assert len({before, renamed, fingerprint(str(tmp_path))}) == 3
    assert {fingerprint(uri) for uri in ("camera:0", "synthetic:street", "http://cam/v", "no.mp4")} == {None}


def test_an_image_that_is_a_video_is_not_mistaken_for_one_image(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "clip.gif"), "w") as container:
        stream = container.add_stream("gif", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for number in range(3):
            picture = av.VideoFrame.from_ndarray(numbered_picture(number)[:, :, 0].copy(), format="gray")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    assert len(frames(read_all(opened(tmp_path / "clip.gif")))) == 3
