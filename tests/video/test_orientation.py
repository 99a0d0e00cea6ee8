"""Cameras that turn or mirror their picture: it comes upright from a file and over the network, in the same shape."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.frame import Frame, Image
from streamer.sources.base import Unreadable
from tests.sources.lost_connections import lost_connections
from tests.sources.reading import frames, opened, read_all, read_on
from tests.sources.servers import http_server
from tests.video.test_shape import write_shaped
from tests.videos import FASTSTART, ORIENTATIONS, as_it_lies, copied, set_matrix, write_video

WIDE = Fraction(4, 3)
Matrix = tuple[int, int, int, int]

SEI = dict(
    zip(
        ORIENTATIONS,
        (
            *("rotate=0", "rotate=0:flip=horizontal", "rotate=180:flip=horizontal", "rotate=180"),
            *("rotate=90:flip=horizontal", "rotate=270", "rotate=90", "rotate=90:flip=vertical"),
        ),
        strict=True,
    )
)
"""The same eight, as FFmpeg writes them into H.264."""


def upright_picture() -> Image:
    """A picture whose corners show how it was turned and mirrored."""
    image = np.full((48, 64, 3), 128, np.uint8)
    image[:24, :32], image[:24, 32:], image[24:, :32] = (0, 0, 220), (0, 220, 0), (220, 0, 0)
    return image


def is_upright(image: Image) -> bool:
    """Whether it looks as the upright picture does, away from the edges, where the chroma of neighbours mixes."""
    there, expected = (one[10:48:28, 10:64:44].astype(int) for one in (image, upright_picture()))
    return image.shape == (48, 64, 3) and bool(np.abs(there - expected).max() < 30)


def written(path: Path, matrix: Matrix) -> Path:
    """A video whose pictures are stored as a camera of this orientation stores them."""
    lying, frames, rate = as_it_lies(upright_picture(), matrix), 30 if path.suffix == ".ts" else 2, Fraction(100)
    options = {"bf": "0"}
    if path.suffix == ".ts":
        plain = write_video(path.with_name("plain.ts"), [lying] * frames, rate=rate, options=options)
        return copied(plain, path, f"h264_metadata=display_orientation=insert:{SEI[matrix]}")
    if path.suffix == ".mkv":
        return copied(written(path.with_suffix(".mp4"), matrix), path)
    return set_matrix(
        write_video(path, [lying] * frames, rate=rate, options=options, container_options=FASTSTART), matrix
    )


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "ts"])
@pytest.mark.parametrize("matrix", ORIENTATIONS, ids=str)
def test_all_eight_orientations_come_upright_from_a_file_and_over_the_network(
    matrix: Matrix, ending: str, tmp_path: Path
) -> None:
    clip = written(tmp_path / f"camera.{ending}", matrix)
    of_file = frames(read_all(opened(clip)))
    with http_server(clip.read_bytes()) as address:
        source = opened(address)
        of_stream = frames(read_all(source))
    assert (source.info.width, source.info.height) == (64, 48)
    assert [is_upright(frame.image) for frame in of_file] == [True] * len(of_file)
    assert len(of_stream) > 0
    for here, there in zip(of_file[-len(of_stream) :], of_stream, strict=True):
        assert (here.image == there.image).all()
        assert there.image.flags.c_contiguous
    assert [doubt for doubt in source.doubts if "turns" in doubt] == []


@pytest.mark.parametrize("matrix", ORIENTATIONS, ids=str)
def test_pixels_that_are_not_square_are_turned_with_the_picture(matrix: Matrix, tmp_path: Path) -> None:
    clip = set_matrix(write_shaped(tmp_path / "clip.mov", WIDE), matrix)
    of_file = opened(clip)
    with http_server(clip.read_bytes()) as address:
        of_stream = opened(address)
        read_all(of_stream)
    of_file.close()
    ratio = 1 / WIDE if matrix[1] else WIDE
    assert of_file.info.sample_aspect_ratio == of_stream.info.sample_aspect_ratio == ratio
    assert (of_stream.info.width, of_stream.info.height) == ((48, 64) if matrix[1] else (64, 48))


def test_a_camera_that_is_turned_on_the_way_keeps_its_shape_and_that_is_reported(tmp_path: Path) -> None:
    # A half turn is followed; a quarter would change the shape of the picture.
    parts = [written(tmp_path / f"{turn}.ts", ORIENTATIONS[turn]) for turn in (0, 3, 6)]
    with http_server(b"".join(part.read_bytes() for part in parts)) as address:
        source = opened(address)
        items = frames(read_all(source))
    assert {frame.image.shape for frame in items} == {(48, 64, 3)}
    ups = [is_upright(frame.image) for frame in items]
    turned = len(items) - 30
    assert ups == [True] * turned + [False] * 30
    assert [doubt for doubt in source.doubts if "turns" in doubt] == [
        f"the picture turns at frame {turned} to its side: it is shown in the shape of the first"
    ]


def test_a_camera_that_comes_back_upright_is_not_turned_any_more(tmp_path: Path) -> None:
    parts = [written(tmp_path / f"{turn}.ts", ORIENTATIONS[turn]).read_bytes() for turn in (3, 0)]
    items: list[Frame | Unreadable] = []
    with lost_connections(parts) as address:
        source = opened(address)
        for _ in parts:
            with pytest.raises(SourceError):
                read_on(source, items)
        source.close()
    assert len(items) > 30
    assert all(is_upright(frame.image) for frame in frames(items))
