"""Cameras and servers that go away and come back, as real processes and sockets."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest

from streamer.errors import SourceError
from streamer.frame import Frame
from streamer.sources.base import Unreadable
from streamer.verification import verify
from tests import runs
from tests.runs import check_conserved, environment, manifest, rows
from tests.sources.cameras import Pace, mjpeg, streamed
from tests.sources.reading import now_us, opened, read_on
from tests.sources.rtsp_camera import RtspCamera, made_ms, why_not
from tests.sources.servers import refused_port
from tests.verified import runs_verified
from tests.videos import number_of, write_video

ABSENT = why_not()
needs_rtsp = pytest.mark.skipif(ABSENT is not None, reason=ABSENT or "")
SECRET = "secret"


class Running:
    """``streamer replay`` of an address, as a process of its own."""

    def __init__(self, process: subprocess.Popen[str], out: Path) -> None:
        self.process = process
        self.out = out

    def wait_for(self, outcome: str, more: int, stream: int | None = None) -> None:
        """Returns when so many more rows have that outcome, of all streams or of one."""
        wanted = self._count(outcome, stream) + more
        for _ in range(6000):
            if self._count(outcome, stream) >= wanted:
                return
            with suppress(subprocess.TimeoutExpired):
                _, errors = self.process.communicate(timeout=0.02)
                pytest.fail(f"the run ended: {errors}")
        pytest.fail(f"{wanted} rows with {outcome} did not come")

    def interrupt(self) -> tuple[int, str]:
        """Interrupts it; returns its exit code, and its standard error."""
        self.process.send_signal(signal.SIGINT)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors

    def _count(self, outcome: str, stream: int | None) -> int:
        table = self.out / "frames.csv"
        lines = table.read_text().splitlines() if table.is_file() else []
        begin = "" if stream is None else f"{stream},"
        return sum(line.startswith(begin) and f",{outcome}," in line for line in lines)


@contextmanager
def running(addresses: list[str], model: Path, out: Path, *more: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "streamer", "replay", *addresses, "--engine", "null", "--model", str(model)]
    command += ["--quiet", "--warmup", "0", "--out", str(out), *more]
    pipe = subprocess.PIPE
    with (
        runs_verified(out.parent),
        subprocess.Popen(command, env=environment(), cwd=out.parent, stderr=pipe, text=True) as process,
    ):
        try:
            yield Running(process, out)
        finally:
            process.kill()


def stretches(out: Path, stream: int = 0) -> list[tuple[str, int]]:
    """The stretches of delivered and of missed frames in the ledger of a stream, each with its length."""
    here = [row["outcome"] for row in rows(out / "frames.csv") if row["stream"] == str(stream)]
    kept = [outcome for outcome in here if outcome in ("delivered", "source_error")]
    return [(outcome, len(list(group))) for outcome, group in groupby(kept)]


def check_outages(out: Path, count: int) -> dict[str, Any]:
    """The run is verified, and has so many outages in its ledger and in its manifest; returns the latter's part."""
    assert verify(out).reasons == []
    outages: dict[str, Any] = manifest(out)["gaps"]
    missed = [length for outcome, length in stretches(out) if outcome == "source_error"]
    assert len(missed) == outages["count"] == count
    assert missed == [outage["frames"] for outage in outages["each"]]
    return outages


@pytest.mark.slow
@needs_rtsp
def test_a_camera_that_is_restarted_three_times_makes_three_outages_and_every_frame_is_accounted_for(
    tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with RtspCamera() as camera, running([camera.address], tiny_model, out) as run:
        for _ in range(3):
            run.wait_for("delivered", 15)
            camera.off()
            run.wait_for("source_error", 15)
            camera.on()
        run.wait_for("delivered", 15)
        assert run.interrupt() == (130, "")
    check_conserved(out)
    outages = check_outages(out, 3)
    assert outages["attempts"] >= 3
    assert all(outage["why"] for outage in outages["each"])
    assert [outcome for outcome, _ in stretches(out)] == [*("delivered", "source_error") * 3, "delivered"]
    assert manifest(out)["verdict"] == "INTERRUPTED"
    assert any("there was no signal" in doubt for doubt in manifest(out)["doubts"])


@pytest.mark.slow
@needs_rtsp
def test_a_run_that_is_interrupted_or_killed_while_its_camera_is_away_is_complete(
    tiny_model: Path, tmp_path: Path
) -> None:
    with RtspCamera() as camera:
        with running([camera.address], tiny_model, tmp_path / "ended") as run:
            run.wait_for("delivered", 10)
            camera.off()
            run.wait_for("source_error", 10)
            assert run.interrupt() == (130, "")
        outages = check_outages(tmp_path / "ended", 1)
        assert outages["each"][0]["end_ms"] is None
        camera.on()
        with running([camera.address], tiny_model, tmp_path / "killed") as run:
            run.wait_for("delivered", 40)
            camera.off()
            run.wait_for("source_error", 40)
            run.process.kill()
            run.process.communicate()
    found = verify(tmp_path / "killed")
    assert (found.reasons, found.remains is not None) == ([], True)
    done = runs.streamer("verify", "--repair", tmp_path / "killed", cwd=tmp_path)
    assert done.code == 0, done.err
    assert check_outages(tmp_path / "killed", 1)["attempts"] is None


@needs_rtsp
def test_a_camera_that_is_away_for_too_long_ends_the_run_with_all_that_came(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with RtspCamera() as camera, running([camera.address], tiny_model, out, "--give-up", "1s") as run:
        run.wait_for("delivered", 15)
        camera.off()
        _, errors = run.process.communicate(timeout=60)
    assert run.process.returncode == 1
    assert f"{camera.address}: no frame for 1 s, in which " in errors
    assert "connection refused" in errors
    check_conserved(out)
    check_outages(out, 1)
    assert manifest(out)["verdict"] == "FAILED"


@pytest.mark.slow
@needs_rtsp
def test_one_of_two_cameras_goes_away_and_the_other_is_not_affected(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with RtspCamera() as steady, RtspCamera() as loose:
        with running([loose.address, steady.address], tiny_model, out) as run:
            run.wait_for("delivered", 30)
            loose.off()
            run.wait_for("source_error", 20)
            loose.on()
            run.wait_for("delivered", 80)
            assert run.interrupt() == (130, "")
    assert verify(out).reasons == []
    assert [outcome for outcome, _ in stretches(out, 0)][:3] == ["delivered", "source_error", "delivered"]
    assert [outcome for outcome, _ in stretches(out, 1)] == ["delivered"]
    assert [outage["stream"] for outage in manifest(out)["gaps"]["each"]] == [0]


@needs_rtsp
def test_without_reconnect_a_camera_that_goes_away_ends_the_run(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with RtspCamera() as camera, running([camera.address], tiny_model, out, "--no-reconnect") as run:
        run.wait_for("delivered", 15)
        camera.off()
        _, errors = run.process.communicate(timeout=60)
    assert run.process.returncode == 1
    assert errors.count("\n") == 1
    assert camera.address in errors
    check_outages(out, 0)


@needs_rtsp
def test_frames_that_a_server_kept_while_nobody_read_are_discarded_when_it_is_connected_anew() -> None:
    with RtspCamera() as camera:
        source = opened(camera.address)
        for _ in range(10):
            assert isinstance(source.read(), Frame)
        camera.off()
        with pytest.raises(SourceError, match=re.escape(camera.address)):
            read_on(source, [])
        camera.on()
        before_ms = now_us() // 1000
        frame = source.read()
        assert isinstance(frame, Frame)
        # All pictures of the new server are younger; its first ones are discarded when connecting takes long.
        assert (made_ms(frame.image) - before_ms) % (1 << 32) < 60_000
        indices = [frame.index, *(item.index for item in (source.read() for _ in range(5)) if item)]
        assert all(earlier < later for earlier, later in pairwise(indices))
        source.close()


@needs_rtsp
def test_a_motion_jpeg_camera_serves_as_well() -> None:
    with RtspCamera("--codec", "jpeg", "--size", "256x64", "--fps", "10") as camera:
        source = opened(camera.address)
        assert (source.info.width, source.info.height) == (256, 64)
        first, second = source.read(), source.read()
        source.close()
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert 0 < (made_ms(second.image) - made_ms(first.image)) % (1 << 32) < 60_000


@needs_rtsp
def test_refusals_of_a_real_server_are_distinguished_without_the_password() -> None:
    with RtspCamera("--user", f"someone:{SECRET}") as camera:
        with_user = camera.address.replace("rtsp://", f"rtsp://someone:{SECRET}@")
        opened(with_user).close()
        for address, says in (
            (with_user.replace(SECRET, f"not-{SECRET}"), "authentication failed (401): check user and password"),
            (camera.address, "authentication failed (401)"),
            (with_user.replace("/live", "/other"), "not found (404): check the path"),
        ):
            with pytest.raises(SourceError) as refused:
                opened(address)
            assert says in str(refused.value)
            assert SECRET not in str(refused.value)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_is_not_there_when_the_run_begins_is_one_line(
    scheme: str, tiny_model: Path, tmp_path: Path
) -> None:
    address = f"{scheme}://someone:{SECRET}@{refused_port()}/live"
    done = runs.streamer("replay", address, "--engine", "null", "--model", tiny_model, "--out", "run", cwd=tmp_path)
    assert done.code == 1
    assert "connection refused: check that it is switched on, and the port" in done.error
    assert SECRET not in done.err
    assert not (tmp_path / "run").exists()


def test_a_camera_over_http_that_hangs_up_is_connected_anew_and_its_times_go_on() -> None:
    with streamed(Pace(frames=30), "mpegts", keyframe_every=5) as camera:
        source = opened(camera.address)
        items: list[Frame | Unreadable] = []
        for _ in range(3):
            with pytest.raises(SourceError, match="hung up: the connection was closed"):
                read_on(source, items)
        source.close()
    assert len(items) > 24
    assert [item.index for item in items] == sorted({item.index for item in items})
    assert all(earlier.pts < later.pts for earlier, later in pairwise(items))
    came_s = ((items[-1].arrived_us or 0) - (items[0].arrived_us or 0)) / 1e6
    assert float(items[-1].pts - items[0].pts) == pytest.approx(came_s, abs=0.04)
    assert source.doubts == []


def test_a_camera_that_comes_back_at_twice_its_rate_is_read_within_a_second() -> None:
    # Its frames have no times, and none is waited for half as long as the period of those before.
    with mjpeg(Pace(24, frames=80, later=(80, 60))) as camera:
        source = opened(camera.address)
        with pytest.raises(SourceError, match="hung up: the connection was closed"):
            read_on(source, [])
        frame = source.read()
        source.close()
        begun = next(sent.number for sent in camera.sent if sent.connection == 1)
    assert isinstance(frame, Frame)
    assert number_of(frame.image) - begun < 60 + 19  # a second, and an allowance for a busy machine


@pytest.mark.slow
@needs_rtsp
def test_beside_a_camera_a_file_has_its_own_ticks_and_is_watched(tiny_model: Path, tmp_path: Path) -> None:
    clip, out, plan = str(write_video(tmp_path / "clip.mp4", 30)), tmp_path / "both", tmp_path / "plan.toml"
    with RtspCamera() as camera:
        with running([camera.address, clip], tiny_model, out, "--frames", "20") as run:
            assert run.process.wait() == 0
        assert verify(out).reasons == []
        assert [stream["live"] for stream in manifest(out)["streams"]] == [True, False]
        plan.write_text('[[fault]]\nkind = "stall"\nframe = 5\nfor = "60s"\nstream = 1\n')
        out = tmp_path / "stuck"
        with running([camera.address, clip], tiny_model, out, "--faults", str(plan), "--stall", "1s") as run:
            assert run.process.wait() == 1
    assert [stall["stage"] for stall in manifest(out)["stalls"]] == ["source"]
    assert verify(out).reasons == []
