"""Cameras and network streams over the loopback: their frames, and their failures, which do not show the password."""

from __future__ import annotations

import traceback
import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from streamer.errors import SourceError, UsageError
from streamer.frame import Frame
from streamer.pipeline.checks import check_live
from streamer.pipeline.drop_policy import Policy
from streamer.settings.settings import Settings
from streamer.sources import live
from streamer.sources.access import Access
from streamer.sources.base import SourceInfo, Unreadable
from tests.sources.cameras import Pace, hls
from tests.sources.reading import frames, now_us, opened, read_all, read_on
from tests.sources.servers import http_server, refused_port, rtsp_server, silent_server
from tests.videos import FASTSTART, damage, number_of, write_video

SECRET = "secret"
ONE_SLICE = {"bf": "0", "x264-params": "sliced-threads=0"}


IMPATIENT = Access(timeout_s=0.3)


def failure(uri: str, access: Access | None = None) -> str:
    """The message with which opening fails: one line, without the password, as is the whole traceback."""
    with pytest.raises(SourceError) as raised:
        opened(uri, access=access)
    return checked(raised.value)


def checked(error: SourceError) -> str:
    """The error's message, which holds no password, nor does the traceback that --debug shows."""
    shown = "".join(traceback.format_exception_only(error)) + repr(error.__cause__)
    assert SECRET not in shown
    assert error.__suppress_context__ or error.__context__ is None
    assert "\n" not in str(error)
    return str(error)


def test_a_video_over_http_comes_whole_and_ends(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 30)
    with http_server(clip.read_bytes()) as address:
        before = now_us()
        source = opened(address)
        items = frames(read_all(source))
    info = source.info
    assert info.live
    assert (info.width, info.height, info.rate, info.frames) == (64, 48, Fraction(25), None)
    assert info.uri == address.replace("user:secret", "***").replace("secret", "***")
    assert [number_of(frame.image) for frame in items] == list(range(30))
    assert [frame.pts for frame in items] == [Fraction(index, 25) for index in range(30)]
    assert all(frame.pts % info.time_base == 0 for frame in items)
    arrivals = [frame.arrived_us or 0 for frame in items]
    assert before < arrivals[0]
    assert arrivals[-1] < now_us()
    assert all(earlier <= later for earlier, later in pairwise(arrivals))
    assert source.pts(0) is None
    assert source.doubts == []


def test_user_and_password_of_the_address_are_used_and_not_shown(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mkv", 5)
    with http_server(clip.read_bytes(), protected=True) as address:
        source = opened(address)
        assert len(read_all(source)) == 5
        assert SECRET not in repr(source.info)
        message = failure(address.replace("user:secret@", "user:secret-too@"))
    assert "authentication failed (401)" in message


def test_a_video_lying_on_its_side_comes_upright(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.mp4", 5, rotation=180, container_options=FASTSTART)
    upright = frames(read_all(opened(clip)))[3].image
    with http_server(clip.read_bytes()) as address:
        image = frames(read_all(opened(address)))[3].image
    assert (image == upright).all()


def test_a_damaged_frame_is_unreadable_and_the_others_come(tmp_path: Path) -> None:
    clip = damage(write_video(tmp_path / "clip.avi", 30, codec="mpeg4", size=(160, 120), options={"bf": "0"}), 12)
    with http_server(clip.read_bytes()) as address:
        source = opened(address)
        items = read_all(source)
    lost = [item for item in items if isinstance(item, Unreadable)]
    assert len(lost) < 18
    assert {item.reason for item in lost} <= {"its data is damaged", "Invalid data found when processing input"}
    assert all(item.arrived_us is not None for item in items)
    assert all(earlier.pts < later.pts for earlier, later in pairwise(items))
    assert number_of(frames(items)[-1].image) == 29
    assert source.doubts == []


def test_a_change_of_size_is_scaled_to_the_first_with_one_doubt(tmp_path: Path) -> None:
    small = write_video(tmp_path / "small.ts", 10, size=(64, 48))
    large = write_video(tmp_path / "large.ts", 10, size=(128, 96), ticks=range(10, 20))
    with http_server(small.read_bytes() + large.read_bytes()) as address:
        source = opened(address)
        items = frames(read_all(source))
    assert {frame.image.shape for frame in items} == {(48, 64, 3)}
    assert [doubt for doubt in source.doubts if "picture size changes" in doubt] == [
        "the picture size changes at frame 10 to 128x96: scaled to the size of the first (10 in all)"
    ]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "not found (404): check the path"),
        (401, "authentication failed (401): check user and password"),
        (403, "authentication failed (403)"),
        (503, "cannot be read (Server returned 5XX Server Error reply)"),
    ],
)
def test_http_refusals_are_distinguished(status: int, message: str) -> None:
    with http_server(status=status) as address:
        assert message in failure(address)


@pytest.mark.parametrize("content", [b"", b"<html><body>Welcome</body></html>\n" * 100, b"some text\n" * 1000])
def test_a_page_that_is_no_video_is_refused(content: bytes) -> None:
    with http_server(content) as address:
        assert "is not a video that can be read" in failure(address)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    with http_server((tmp_path / "sound.wav").read_bytes()) as address:
        assert "is no video: check the address" in failure(address)


def test_a_video_without_a_picture_that_can_be_decoded_is_refused(tmp_path: Path) -> None:
    clip = damage(write_video(tmp_path / "clip.mkv", 1), 0, 0x00)
    with http_server(clip.read_bytes()) as address:
        assert "gives no picture that can be decoded" in failure(address)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_port_at_which_nobody_listens(scheme: str) -> None:
    message = failure(f"{scheme}://user:secret@{refused_port()}/live?token=secret")
    assert "connection refused: check that it is switched on, and the port" in message


@pytest.mark.parametrize("scheme", ["rtsp", "http", "HTTP"])
def test_a_server_that_never_answers(scheme: str) -> None:
    with silent_server() as host:
        message = failure(f"{scheme}://user:secret@{host}/live?token=secret", IMPATIENT)
    assert "timed out: nothing came for 0.3 s" in message


def test_a_recording_of_which_segments_are_missing_has_not_ended() -> None:
    items: list[Frame | Unreadable] = []
    with hls(Pace(50), segments=12, on_demand=True, absent=range(6, 12)) as camera:
        source = opened(camera.address)
        with pytest.raises(SourceError, match="ended before its playlist does: segments of it are missing"):
            read_on(source, items)
        source.close()
    assert [number_of(frame.image) for frame in frames(items)] == list(range(60))


def test_a_network_camera_gives_frames_until_it_hangs_up(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.ts", 90, options=ONE_SLICE, keyframe_every=10)
    with rtsp_server(clip) as address:
        source = opened(address)
        items: list[Frame | Unreadable] = []
        with pytest.raises(SourceError, match="hung up: the connection was closed"):
            read_on(source, items)
        source.close()
    assert source.info.live
    assert (source.info.width, source.info.height, source.info.rate) == (64, 48, Fraction(25))
    numbers = [number_of(frame.image) for frame in frames(items)]
    # The frames that were read to probe the stream and measure its rate are left out; then every frame comes.
    assert numbers == list(range(numbers[0], 90))
    # The times are the frames' own, but where one came so early that the first must have been late.
    intervals = [later.pts - earlier.pts for earlier, later in pairwise(items)]
    assert intervals.count(Fraction(1, 25)) > 3 * len(intervals) // 4


def test_a_network_camera_that_falls_silent_has_failed(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.ts", 90, options=ONE_SLICE, keyframe_every=10)
    with rtsp_server(clip, hangs_up=False) as address, pytest.raises(SourceError) as raised:
        read_all(opened(address, access=IMPATIENT))
    assert "timed out: nothing came for 0.3 s" in checked(raised.value)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("404 Not Found", "not found (404)"),
        ("401 Unauthorized", "authentication failed (401)"),
        ("403 Forbidden", "authentication failed (403)"),
        ("500 Internal Server Error", "cannot be read (Server returned 5XX"),
    ],
)
def test_rtsp_refusals_are_distinguished(answer: str, message: str) -> None:
    with rtsp_server(None, answer=answer) as address:
        assert message in failure(address)


def test_a_camera_that_is_not_there_is_one_line_and_opencv_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    if Path("/dev/video63").exists():
        pytest.skip("there is a camera 63 here")
    assert failure("camera:63").startswith("camera:63 cannot be opened: ")
    assert capfd.readouterr() == ("", "")


LIVE = SourceInfo("rtsp://cam/live", 64, 48, Fraction(30), None, live.MICROSECOND, "", live=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(fps=30), "--fps 30: rtsp://cam/live is live and comes at its own pace: leave --fps out"),
        (Settings(fps="max"), "--fps max: rtsp://cam/live is live"),
        (Settings(policy=Policy.WAIT), "--policy wait: rtsp://cam/live is live and cannot be held back"),
        (Settings(loop=True), "--loop: rtsp://cam/live is live and cannot start again: leave --loop out"),
        (
            Settings(skip_gaps=True),
            "--skip-gaps: rtsp://cam/live is live and comes at its own pace: leave --skip-gaps out",
        ),
    ],
)
def test_settings_that_no_live_source_can_follow_are_refused(settings: Settings, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_live(LIVE, fps=settings.fps, policy=settings.policy, loop=settings.loop, skip_gaps=settings.skip_gaps)


def test_other_settings_and_other_sources_are_left_alone() -> None:
    check_live(LIVE, fps="source", policy=Policy.DROP_NEWEST, loop=False)
    recorded = SourceInfo("clip.mp4", 64, 48, Fraction(30), 5, Fraction(1, 30), "")
    check_live(recorded, fps=30, policy=None, loop=True)
