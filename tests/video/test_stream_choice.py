"""A file with several videos plays players' choice, or the video that is requested by its number."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from av.stream import Disposition

from streamer.errors import UsageError
from streamer.video.reader import VideoReader
from tests.runs import manifest, streamer
from tests.videos import joined_streams, numbered_picture, write_video


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small video first, and a larger one, each of 30 frames."""
    place = tmp_path_factory.mktemp("two")
    small = write_video(place / "small.mkv", 30, size=(64, 48))
    large = write_video(place / "large.mkv", 30, size=(96, 64))
    return joined_streams(place / "two.mkv", [small, large])


def with_cover(path: Path) -> Path:
    """A video behind an attached picture, of a size of its own."""
    picture = write_video(path.with_name("cover.mkv"), [numbered_picture(0, 160, 120)], codec="mjpeg",
                          pixel_format="yuvj420p")  # fmt: skip
    film = write_video(path.with_name("film.mkv"), 5)
    return joined_streams(path, [picture, film], [Disposition.attached_pic, Disposition.default])


@pytest.mark.parametrize(
    ("requested", "size", "note"),
    [
        (None, (96, 64), "number 1 (96x64) is played, not 0 (64x48)"),
        (1, (96, 64), "number 1 (96x64) is played, not 0 (64x48)"),
        (0, (64, 48), "number 0 (64x48) is played, not 1 (96x64)"),
    ],
)
def test_the_note_says_the_numbers_and_a_number_chooses(
    two: Path, requested: int | None, size: tuple[int, int], note: str
) -> None:
    with VideoReader(two, requested) as reader:
        assert (reader.info.width, reader.info.height) == size
        assert reader.info.video_stream == (1 if requested is None else requested)
        assert reader.info.notes == (f"two.mkv holds 2 videos: {note}; --video-stream N chooses",)
        first = [reader.read() for _ in range(30)]
        assert reader.read() is None
        reader.rewind()
        again = reader.read()
    assert again is not None
    assert again.image is not None
    assert again.image.shape[:2] == size[::-1], "after going back it is still the same"
    assert all(one is not None and one.error is None for one in first)


def test_a_number_that_is_not_there_names_those_that_are(two: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^--video-stream 2: .*two.mkv is not there: give 0 \(64x48\) or 1 \(96x64\)$"
    ):
        VideoReader(two, 2)


def test_an_attached_picture_is_no_video_even_when_it_is_requested(tmp_path: Path) -> None:
    path = with_cover(tmp_path / "cover.mp4")
    with av.open(str(path)) as container:
        attached = [bool(one.disposition & Disposition.attached_pic) for one in container.streams.video]
    number = attached.index(True)
    film = attached.index(False)
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height, reader.info.video_stream) == (64, 48, film)
        assert reader.info.notes == ()
    with pytest.raises(UsageError, match=rf"is an attached picture, .*: give {film} \(64x48\)$"):
        VideoReader(path, number)


def test_a_single_picture_beside_a_video_is_played_only_when_it_is_requested(tmp_path: Path) -> None:
    thumb = write_video(tmp_path / "thumb.mkv", 1, size=(160, 120))
    path = joined_streams(tmp_path / "thumb.mp4", [thumb, write_video(tmp_path / "film.mkv", 5)])
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.frames) == (64, 5)
    with VideoReader(path, 0) as reader:
        assert (reader.info.width, reader.info.frames) == (160, 1)


@pytest.mark.parametrize(
    "source", ["camera:0", "synthetic:street", "rtsp://127.0.0.1:9/live", "picture.png", "folder"]
)
def test_a_source_that_is_no_video_file_has_no_such_number(source: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "picture.png").touch()
    done = streamer("replay", source, "--video-stream", "0", "--engine", "null", cwd=tmp_path)
    assert (done.code, done.error) == (2, f"--video-stream 0: {source} is no video file: leave it out")


@pytest.mark.parametrize("number", ["2", "-1", "one"])
@pytest.mark.parametrize("command", [("replay",), ("parity", "--engine", "null"), ("compare", "--engine", "null")])
def test_a_wrong_number_is_one_line_and_a_usage_error(two: Path, command: tuple[str, ...], number: str) -> None:
    done = streamer(*command, two.name, "--video-stream", number, cwd=two.parent)
    assert done.code == 2
    assert "--video-stream" in done.error


def replayed(two: Path, model: Path, out: Path, *more: str) -> Path:
    quick = ("--engine", "null", "--model", model, "--fps", "max", "--video", "none", "--no-chart")
    done = streamer("replay", two, *quick, "--frames", "5", "--out", out, "--quiet", *more, cwd=out.parent)
    assert done.code == 0, done.err
    return out


def test_runs_of_different_videos_of_a_file_are_no_runs_of_the_same_frames(
    two: Path, tiny_model: Path, tmp_path: Path
) -> None:
    usual, large, small = (
        replayed(two, tiny_model, tmp_path / name, *more)
        for name, more in (("usual", ()), ("1", ("--video-stream", "1")), ("0", ("--video-stream", "0")))
    )
    parts = [manifest(one) for one in (usual, large, small)]
    assert [part["run"]["video_stream"] for part in parts] == [None, 1, 0]
    assert [part["streams"][0]["video_stream"] for part in parts] == [1, 1, 0]

    def compared(*runs: Path) -> dict[str, object]:
        done = streamer("compare", *runs, "--json", "--no-chart", "--out", "out", "--overwrite", cwd=tmp_path)
        found: dict[str, object] = json.loads(done.out)
        return found

    same, other = compared(usual, large), compared(usual, small)
    assert same["reference"] is not None
    assert other["reference"] is None, "agreement is of the same frames only"
    assert "streams.video_stream is 1, 0" in str(other["doubts"])
    assert "video_stream" not in str(same["doubts"])
