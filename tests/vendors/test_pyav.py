"""What comes from PyAV is a Fraction, a number or text, whichever version it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from streamer.vendors import pyav
from streamer.video.reader import VideoReader
from tests.videos import number_of, numbered_picture, write_video


@dataclass(frozen=True)
class Rational:
    """As much of a rational as PyAV's own has in common with a Fraction."""

    numerator: int
    denominator: int


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        (Fraction(30_000, 1001), Fraction(30_000, 1001)),
        (Rational(30_000, 1001), Fraction(30_000, 1001)),
        (Rational(50, 2), Fraction(25)),
        (Rational(0, 1), None),
        (Rational(1, 0), None),
        (Rational(0, 0), None),
        (None, None),
        (Fraction(0), None),
    ],
)
def test_a_rational_becomes_a_fraction_and_an_unknown_one_none(given: Any, exact: Fraction | None) -> None:
    found = pyav.exact(given)
    assert found == exact
    assert found is None or type(found) is Fraction


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi", "ts", "webm"])
def test_a_streams_rates_and_its_time_base_are_fractions(ending: str, tmp_path: Path) -> None:
    codec = "libvpx" if ending == "webm" else "libx264"
    path = write_video(tmp_path / f"clip.{ending}", 10, rate=Fraction(30_000, 1001), codec=codec)
    with pyav.open_input(str(path)) as container:
        stream = container.streams.video[0]
        assert type(pyav.time_base(stream)) is Fraction
        assert type(pyav.exact(stream.average_rate)) is Fraction
        packet = next(iter(container.demux(stream)))
        assert type(pyav.time_base(packet)) is Fraction


def test_a_stream_that_says_nothing_of_time_has_a_rate_all_the_same(tmp_path: Path) -> None:
    with VideoReader(write_video(tmp_path / "clip.264", 5, format="h264")) as reader:
        assert type(reader.info.rate) is Fraction


def test_what_has_no_time_base_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(ValueError, match="has no time base"):
        pyav.time_base(av.VideoFrame(16, 16, "yuv420p"))


def test_a_comment_that_is_no_utf_8_can_be_written_down(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 3)
    commented = tmp_path / "commented.mp4"
    with av.open(str(path)) as given, av.open(str(commented), "w") as made:
        made.metadata["comment"] = "gar?on"
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = stream
                made.mux(packet)
    commented.write_bytes(commented.read_bytes().replace(b"gar?on", b"gar\xe7on"))
    with VideoReader(commented) as reader:
        comment = reader.info.comment
    assert comment == "gar\N{REPLACEMENT CHARACTER}on"
    (tmp_path / "run.json").write_text(json.dumps(comment, ensure_ascii=False), encoding="utf-8")


def test_the_size_of_what_has_one_is_reported_and_else_none(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 3)
    with pyav.open_input(str(path)) as container:
        assert pyav.size(container) == path.stat().st_size


@pytest.mark.parametrize("orientation", [1, 6])
def test_motion_jpeg_with_exif_data_plays_upright(orientation: int, tmp_path: Path) -> None:
    # One entry: orientation (0x0112); 6 is to be turned clockwise by a quarter.
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + bytes(6)
    exif = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff
    stream = b""
    for number in range(3):
        upright = numbered_picture(number, 64, 64)
        lying = cv2.rotate(upright, cv2.ROTATE_90_COUNTERCLOCKWISE) if orientation == 6 else upright
        coded = cv2.imencode(".jpg", lying)[1].tobytes()
        stream += coded[:2] + exif + coded[2:]
    path = tmp_path / "camera.mjpeg"
    path.write_bytes(stream)
    with VideoReader(path) as reader:
        images = [picture.image for _ in range(3) if (picture := reader.read()) is not None]
    assert [None if image is None else number_of(image) for image in images] == [0, 1, 2]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_display_matrix_is_read_from_a_frame(rotation: int, tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 1, rotation=rotation)
    with pyav.open_input(str(path)) as container:
        a, b, c, d = pyav.display_matrix(next(container.decode(video=0)))
    unit = max(abs(a), abs(b))
    quarter = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))[rotation // 90]
    assert (a // unit, b // unit, c // unit, d // unit) == quarter
