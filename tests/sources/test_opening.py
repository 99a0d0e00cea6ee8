"""The source that a text on the command line stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.errors import SourceError, UsageError
from streamer.sources.video_file import VideoSource
from tests.runs import streamer
from tests.sources.reading import frames, opened, read_all
from tests.videos import number_of, write_video


def test_any_other_file_is_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", 5).rename(tmp_path / "12:30")
    source = opened(path)
    assert isinstance(source, VideoSource)
    assert source.info.uri == str(path)
    assert not source.info.live
    assert [number_of(frame.image) for frame in frames(read_all(source))] == list(range(5))


def test_a_video_with_loop_starts_again_and_its_times_go_on(tmp_path: Path) -> None:
    items = frames(read_all(opened(write_video(tmp_path / "clip.mp4", 5), loop=True), 12))
    assert [number_of(frame.image) for frame in items] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]
    assert [frame.pts * 25 for frame in items] == list(range(12))


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("no.mp4", "no such file: no.mp4"),
        ("no.png", "no such file: no.png"),
        ("", "no such file:"),
        ("camera:x", "camera:x is no camera: give its number, as in camera:0"),
        ("camera:", "camera: is no camera"),
        ("camera:-1", "camera:-1 is no camera"),
        ("camera:99999999999", "is no camera"),
    ],
)
def test_a_missing_source_is_a_usage_error(uri: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        opened(uri)


def test_an_unknown_scheme_names_those_there_are_and_hides_the_password() -> None:
    with pytest.raises(UsageError) as raised:
        opened("foo://user:secret@cam/live?token=secret")
    assert str(raised.value).startswith("foo://***@cam/live?token=*** is no source: give a video file, an image,")
    for kind in ("camera:N", "rtsp://", "rtsps://", "http://", "https://", "synthetic:street"):
        assert kind in str(raised.value)


def test_a_file_that_is_no_video_is_a_source_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(SourceError, match="is not a video that can be read"):
        opened(tmp_path / "notes.txt")


def test_the_command_says_in_one_line_that_there_is_no_camera(tmp_path: Path) -> None:
    if Path("/dev/video63").exists():
        pytest.skip("there is a camera 63 here")
    finished = streamer("replay", "camera:63", "--engine", "null", cwd=tmp_path)
    assert finished.code == 1
    assert finished.error.startswith("camera:63 cannot be opened: ")
    assert list(tmp_path.iterdir()) == []
