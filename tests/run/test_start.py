"""The start-up ends in a run, or in nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from streamer.pipeline.observer import Silent
from streamer.run.run import run
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from streamer.workers.event_loop import run_in_loop
from tests.runs import environment, streamer
from tests.sources.odd_servers import odd_http, trickling
from tests.videos import write_video

UNTIL_THE_FIRST_ROW = ("--engine", "null,delay_ms=20", "--warmup", "60", "--no-reconnect", "--no-chart")
"""The warm-up gives a camera the time to go away."""


@contextmanager
def camera(folder: Path, pictures: int, *, hangs_up: bool) -> Iterator[str]:
    """Motion JPEG: so many ``pictures``, one every 40 ms, and then the end, or nothing for ever."""
    clip = write_video(folder / "clip.avi", 1, codec="mjpeg", pixel_format="yuvj420p").read_bytes()
    picture = clip[clip.index(b"\xff\xd8") : clip.rindex(b"\xff\xd9") + 2]
    part = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture)

    def parts() -> Iterator[bytes]:
        yield from [part] * pictures
        while not hangs_up:
            yield b""

    with odd_http(trickling(parts(), 0.04, media_type="multipart/x-mixed-replace; boundary=b")) as host:
        yield f"http://{host}/live"


def test_a_camera_that_goes_away_before_the_first_row_leaves_no_directory(tiny_model: Path, tmp_path: Path) -> None:
    with camera(tmp_path, 30, hangs_up=True) as address:
        done = streamer("replay", address, *UNTIL_THE_FIRST_ROW, "--model", tiny_model, "--out", "run", cwd=tmp_path)
    assert done.code == 1
    assert "hung up" in done.error
    assert not (tmp_path / "run").exists()


class _Fails(Silent):
    """Fails when the run begins, as a terminal that has gone away."""

    def started(self, stop: Callable[[str], None], notes: list[str]) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize("video", [Video.NONE, Video.DELIVERED])
def test_what_fails_when_the_run_is_announced_leaves_no_directory(
    video: Video, tiny_model: Path, tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mp4", 5)
    settings = Settings(engine="null", model=str(tiny_model), out=tmp_path / "runs" / "run", video=video)
    with pytest.raises(BrokenPipeError):
        run_in_loop(run, [str(clip)], settings, _Fails())
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to end a process with")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "number"), [(("replay",), signal.SIGTERM), (("soak", "--duration", "10s"), signal.SIGINT)]
)
def test_a_signal_before_the_first_row_leaves_no_directory(
    command: tuple[str, ...], number: signal.Signals, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    begun = out / ("begun.json" if command == ("replay",) else "part-0/begun.json")
    more = (*UNTIL_THE_FIRST_ROW, "--model", str(tiny_model), "--out", str(out), "--source-timeout", "50s")
    with camera(tmp_path, 30, hangs_up=False) as address:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamer", *command, address, *more],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while not begun.is_file():  # frames that the camera has kept are being discarded, and it sends nothing more
            with suppress(subprocess.TimeoutExpired):
                pytest.fail(f"the run ended: {process.communicate(timeout=0.02)[1]}")
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert not out.exists()
