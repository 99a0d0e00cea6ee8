"""Several live sources over real sockets: opened side by side, and a run that begins without one that is away."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import av
import pytest

from streamer.verification import verify
from tests import runs
from tests.runs import manifest, rows
from tests.sources.coded import jpeg
from tests.sources.rtsp_camera import RtspCamera
from tests.sources.servers import http_server, refused_port, silent_server
from tests.sources.test_reconnect import needs_rtsp, running, stretches
from tests.videos import write_video

SECRET, RATE = "secret", 25


def away() -> str:
    """The address of a camera that is switched off."""
    return f"rtsp://someone:{SECRET}@{refused_port()}/live"


class Server(ThreadingHTTPServer):
    daemon_threads = False  # when it is closed, so are the connections


@contextmanager
def serving(clip: Sequence[bytes], *, away_for: int = 0, together: Barrier | None = None) -> Iterator[str]:
    """A camera over HTTP that sends the segments of a clip, 25 a second, and then hangs up.

    The first ``away_for`` requests are refused. With ``together`` it answers when as many servers have a request at
    once.
    """
    requests: list[str] = []
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            here = len(requests) > away_for
            if together is not None:
                together.wait(60)
            self.send_response(200 if here else 404)
            self.end_headers()
            with suppress(ConnectionError):
                for segment in clip if here else ():
                    self.wfile.write(segment)
                    over.wait(1 / RATE)

        def log_message(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://someone:{SECRET}@127.0.0.1:{server.server_port}/live.ts"
        finally:
            over.set()
            server.shutdown()
            thread.join()


def segments_of(path: Path) -> list[bytes]:
    """A transport stream, cut where its pictures begin."""
    content = path.read_bytes()
    with av.open(str(path)) as container:
        begins = sorted(packet.pos for packet in container.demux(video=0) if packet.pos)
    edges = [0, *begins, len(content)]
    return [content[begin:end] for begin, end in pairwise(edges)]


def replayed(tmp_path: Path, model: Path, *arguments: str) -> runs.Finished:
    """``streamer replay`` with the null engine, into ``run``."""
    common = ("--engine", "null", "--model", model, "--warmup", "0", "--no-chart", "--out", "run")
    return runs.streamer("replay", *common, *arguments, cwd=tmp_path)


def checked(out: Path) -> dict[str, Any]:
    """The ``run.json`` of a run that is verified: each frame of each stream has a row."""
    document = manifest(out)
    checked = verify(out)
    assert checked.reasons == []
    for stream in document["streams"]:
        here = [row for row in rows(out / "frames.csv") if row["stream"] == str(stream["stream"])]
        assert [int(row["frame"]) for row in here] == list(range(stream["scheduled"]))
    return document


def sockets_of(process: int) -> int:
    """The number of sockets that a process has open."""
    targets = []
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            targets.append(os.readlink(descriptor))
    return sum(target.startswith("socket:") for target in targets)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A source that is always there: a file of 20 s, which takes no time to decode."""
    return str(write_video(tmp_path_factory.mktemp("there") / "there.mp4", 600, rate=Fraction(30)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The segments that a camera sends in 8 s."""
    return segments_of(write_video(tmp_path_factory.mktemp("clip") / "clip.ts", 200, options={"bf": "0"}))


def test_live_sources_are_opened_side_by_side(clip: list[bytes], tiny_model: Path, tmp_path: Path) -> None:
    together = Barrier(3)  # each answers when all have a request: opened in turn, the first would never answer
    with serving(clip, together=together) as a, serving(clip, together=together) as b:
        with serving(clip, together=together) as c:
            done = replayed(tmp_path, tiny_model, a, b, c, "--frames", "3", "--video", "none")
    assert done.code == 0, done.err
    assert [stream["scheduled"] for stream in checked(tmp_path / "run")["streams"]] == [3, 3, 3]


def test_several_cameras_away_are_reported_in_one_line_and_nothing_is_left(tiny_model: Path, tmp_path: Path) -> None:
    with http_server(status=404) as absent:
        done = replayed(tmp_path, tiny_model, away(), absent)
    assert done.code == 1
    first, second = done.error.split("; ")
    assert first.endswith("connection refused: check that it is switched on, and the port")
    assert second.endswith("not found (404): check the path")
    assert SECRET not in done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", [("--no-reconnect",), ()])
def test_a_camera_that_is_away_is_an_error_without_reconnect_or_another_source(
    more: tuple[str, ...], there: str, tiny_model: Path, tmp_path: Path
) -> None:
    sources = [away(), there] if more else [away()]
    done = replayed(tmp_path, tiny_model, *sources, *more)
    assert done.code == 1
    assert "connection refused" in done.error
    assert not (tmp_path / "run").exists()


def test_a_name_of_no_source_is_an_error_whoever_is_away_and_open_sources_are_closed(
    clip: list[bytes], tiny_model: Path, tmp_path: Path
) -> None:
    before = sockets_of(os.getpid())
    with serving(clip) as camera:
        for sources in ([camera, away(), "absent.mp4"], [camera, "ftp://nowhere"]):
            done = replayed(tmp_path, tiny_model, *sources)
            assert done.code == (1 if "absent.mp4" in sources else 2)
            assert "no such file: absent.mp4" in done.error or "ftp://nowhere is no source" in done.error
    assert sockets_of(os.getpid()) == before
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [
        (b"", 401, "authentication failed (401)"),
        (b"", 403, "authentication failed (403)"),
        (b"<html><body>Welcome</body></html>\n" * 100, 200, "is not a video that can be read"),
        (jpeg(7), 200, "is a still image: give the address of the camera's video"),
    ],
)
def test_an_address_that_never_will_be_a_source_is_an_error_and_not_away(
    content: bytes, status: int, says: str, there: str, tiny_model: Path, tmp_path: Path
) -> None:
    with http_server(content, status=status) as address:
        done = replayed(tmp_path, tiny_model, there, address)
    assert done.code == 1
    assert says in done.error
    assert not (tmp_path / "run").exists()


def test_an_interrupt_while_they_are_opened_ends_it_at_once(tiny_model: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, silent_server() as other:
        address = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        with running([address, f"rtsp://{other}/live"], tiny_model, tmp_path / "run") as run:
            with silent.accept()[0]:
                code, errors = run.interrupt()
    assert code == 130  # not 1: it did not wait for the time-out
    assert errors == ""
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("first", [True, False])
def test_a_run_begins_without_a_camera_that_is_away_and_says_so(
    first: bool, there: str, tiny_model: Path, tmp_path: Path
) -> None:
    absent, number = away(), 0 if first else 1
    sources = [absent, there] if first else [there, absent]
    done = replayed(tmp_path, tiny_model, *sources, "--frames", "10")
    assert done.code == 0, done.err
    shown = absent.replace(f"someone:{SECRET}@", "***@")
    note = f"stream {number}: {shown} is away: connection refused: check that it is switched on, and the port"
    assert SECRET not in done.out + done.err
    document = checked(tmp_path / "run")
    assert note in document["notes"]
    present, missing = document["streams"][1 - number], document["streams"][number]
    assert (missing["scheduled"], missing["delivered"]) == (10, 0)
    assert (missing["width"], missing["height"], missing["fps"]) == (None, None, present["fps"])
    assert stretches(tmp_path / "run", number) == [("source_error", 10)]
    assert document["source"]["width"] == (None if first else present["width"])
    assert any(f"{shown} was away when the run began: 30 frames a second" in doubt for doubt in document["doubts"])
    (outage,) = document["gaps"]["each"]
    assert (outage["stream"], outage["begin_ms"], outage["frames"]) == (number, 0.0, 10)
    assert outage["why"] == ["connection refused: check that it is switched on, and the port"]
    assert not (tmp_path / "run" / f"annotated-{number}.mp4").exists()
    assert (tmp_path / "run" / f"annotated-{1 - number}.mp4").exists()


def test_a_video_of_a_camera_that_never_came_is_found_by_verify(there: str, tiny_model: Path, tmp_path: Path) -> None:
    assert replayed(tmp_path, tiny_model, there, away(), "--frames", "3").code == 0
    out = tmp_path / "run"
    (out / "annotated-1.mp4").write_bytes((out / "annotated-0.mp4").read_bytes())
    assert any("annotated-1.mp4: is there, though" in reason for reason in verify(out).reasons)


def test_a_camera_that_comes_later_has_frames_a_size_and_a_video(
    clip: list[bytes], there: str, tiny_model: Path, tmp_path: Path
) -> None:
    with serving(clip, away_for=1) as late:
        done = replayed(tmp_path, tiny_model, there, late, "--frames", "150")
    assert done.code == 0, done.err
    document = checked(tmp_path / "run")
    late_stream = document["streams"][1]
    assert (late_stream["width"], late_stream["height"], late_stream["fps"]) == (64, 48, "30")
    assert late_stream["delivered"] > 0
    (before, missed), (then, _), *_ = stretches(tmp_path / "run", 1)
    assert (before, then) == ("source_error", "delivered")
    assert missed >= 14  # the next attempt came after 0.5 s
    (first, *_) = document["gaps"]["each"]
    assert (first["stream"], first["begin_ms"], first["frames"]) == (1, 0.0, missed)
    assert first["why"] == ["not found (404): check the path"]
    assert any(
        "30 frames a second, which most of the others have, are assumed as its rate" in doubt
        for doubt in document["doubts"]
    )
    assert len(runs.video_times(tmp_path / "run" / "annotated-1.mp4")) == late_stream["delivered"]


def test_a_camera_that_is_lost_before_the_run_begins_is_away(
    clip: list[bytes], there: str, tiny_model: Path, tmp_path: Path
) -> None:
    late = ("--engine", "null,delay_ms=20", "--warmup", "150")  # meanwhile all of its frames are sent
    with serving(clip[:60]) as camera:
        done = replayed(tmp_path, tiny_model, there, camera, "--frames", "30", "--video", "none", *late)
        alone = replayed(tmp_path, tiny_model, camera, "--video", "none", *late, "--out", "alone")
    assert done.code == 0, done.err
    document = checked(tmp_path / "run")
    assert any("is away: hung up: the connection was closed" in note for note in document["notes"])
    (outage, *_) = document["gaps"]["each"]
    assert (outage["stream"], outage["begin_ms"]) == (1, 0.0)
    assert any("hung up" in why for why in outage["why"])
    assert alone.code == 1
    assert "hung up" in alone.error


def test_a_camera_that_never_comes_ends_the_run_when_it_is_given_up(
    there: str, tiny_model: Path, tmp_path: Path
) -> None:
    done = replayed(tmp_path, tiny_model, there, away(), "--give-up", "1s")
    assert done.code == 1
    assert "no frame for 1 s, in which 1 attempts to connect failed; connection refused" in done.err
    assert checked(tmp_path / "run")["verdict"] == "FAILED"
    assert not (tmp_path / "run" / "annotated-1.mp4").exists()


@pytest.mark.parametrize("video", ["delivered", "none"])
def test_the_size_of_a_camera_that_came_is_known_when_the_run_is_killed(
    video: str, clip: list[bytes], there: str, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with serving(clip, away_for=1) as late:
        with running([there, late], tiny_model, out, "--video", video) as run:
            run.wait_for("delivered", 1, stream=1)
            run.wait_for("delivered", 60, stream=0)  # the size is written now and then, between frames
            run.process.kill()
            run.process.wait()
    done = runs.streamer("verify", "--repair", out, cwd=tmp_path)
    assert done.code == 0, done.err
    assert [stream["width"] for stream in manifest(out)["streams"]] == [64, 64]
    assert manifest(out)["gaps"]["each"][0]["begin_ms"] == 0.0
    assert any("is away" in note for note in manifest(out)["notes"])


def test_a_run_that_is_killed_while_a_camera_is_away_is_repaired(
    there: str, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with running([there, away()], tiny_model, out) as run:
        run.wait_for("source_error", 10)
        run.process.kill()
        run.process.wait()
    done = runs.streamer("verify", "--repair", out, cwd=tmp_path)
    assert done.code == 0, done.err
    assert manifest(out)["streams"][1]["width"] is None
    assert not (out / "annotated-1.mp4").exists()


def test_a_soak_begins_without_a_camera_that_is_away(
    clip: list[bytes], there: str, tiny_model: Path, tmp_path: Path
) -> None:
    with serving(clip, away_for=1) as late:
        arguments = ["--engine", "null", "--model", str(tiny_model), "--duration", "5s", "--window", "1s"]
        arguments += ["--no-chart", "--quiet", "--video", "delivered", "--segment", "1s", "--out", "soak"]
        done = runs.streamer("soak", there, late, away(), *arguments, cwd=tmp_path)
    assert done.err == ""
    assert verify(tmp_path / "soak" / "part-0").reasons == []
    document = manifest(tmp_path / "soak" / "part-0")
    assert [stream["width"] for stream in document["streams"]] == [64, 64, None]
    assert not list((tmp_path / "soak" / "part-0").glob("annotated-2*"))


@pytest.mark.slow
@needs_rtsp
def test_eight_cameras_of_which_one_flaps_and_one_comes_later_are_all_accounted_for(
    tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    kind = ("--codec", "jpeg", "--size", "256x64", "--fps", "10")
    cameras = [RtspCamera(*kind) for _ in range(8)]
    late, loose = cameras[0], cameras[3]
    try:
        late.off()
        with running([camera.address for camera in cameras], tiny_model, out, "--no-chart") as run:
            run.wait_for("source_error", 10, stream=0)
            late.on()
            run.wait_for("delivered", 5, stream=0)
            held = sockets_of(run.process.pid)
            for _ in range(2):
                loose.off()
                run.wait_for("source_error", 10, stream=3)
                loose.on()
                run.wait_for("delivered", 5, stream=3)
            assert sockets_of(run.process.pid) <= held
            assert run.interrupt() == (130, "")
    finally:
        for camera in cameras:
            camera.off()
    document = checked(out)
    assert document["verdict"] == "INTERRUPTED"
    assert [stream["width"] for stream in document["streams"]] == [256] * 8
    assert [outcome for outcome, _ in stretches(out, 0)] == ["source_error", "delivered"]
    assert [outcome for outcome, _ in stretches(out, 3)] == [*("delivered", "source_error") * 2, "delivered"]
    assert [outage["stream"] for outage in document["gaps"]["each"]] == [0, 3, 3]
    for stream in (1, 2, 4, 5, 6, 7):
        assert [outcome for outcome, _ in stretches(out, stream)] == ["delivered"]
