"""Live cameras, from the address to run.json, the video and ``verify``: reports agree with the pictures sent.

Several cameras share a run, since sending takes the time; each has tests of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from tests import runs
from tests.sources.camera_runs import CameraRun, StreamRun, camera_run
from tests.sources.cameras import PICTURES, Camera, End, Pace, Stamps, hls, mjpeg, snapshot, streamed
from tests.sources.coded import coded, write_units
from tests.sources.rtsp_camera import RtspCamera, why_not

pytestmark = pytest.mark.timing

ABSENT = why_not()
needs_rtsp = pytest.mark.skipif(ABSENT is not None, reason=ABSENT or "")
CLOSE = 0.02
"""The reported rate differs from the rate that was sent by less than this share."""
DOUBTED = 0.05
"""An announced rate that differs by a larger share is doubted."""
STALE_PERIODS = 4
"""A frame that is older on arrival than the others by so many periods had been kept."""
LATE_MS = 500
"""Frames come no later than this; times that run ahead, or fall behind, do so by more."""
DIFFER = " announces "
"""A part of the doubt about a camera that announces another rate,"""
BY_ARRIVAL = "arrive are used instead"
"""and of the doubt about unusable times."""


@dataclass(frozen=True)
class Kind:
    """A camera that sends ``fps``, and the rate that it announces: None where its format has none.

    It is ``steady`` unless it sends some seconds at once.
    """

    camera: AbstractContextManager[Camera | RtspCamera]
    fps: float
    announced: Fraction | None
    steady: bool = True

    @property
    def is_doubted(self) -> bool:
        return self.announced is not None and abs(float(self.announced) / self.fps - 1) > DOUBTED


@dataclass(frozen=True)
class Sending:
    """A run, and its cameras."""

    run: CameraRun
    kinds: dict[str, Kind]
    cameras: dict[str, Camera | RtspCamera]

    def stream(self, name: str) -> StreamRun:
        return self.run.streams[list(self.kinds).index(name)]

    def camera(self, name: str) -> Camera:
        camera = self.cameras[name]
        assert isinstance(camera, Camera)
        return camera


def sending(kinds: dict[str, Kind], model: Path, out: Path, *more: str) -> Sending:
    """A run of several cameras at once."""
    with ExitStack() as stack:
        cameras = {name: stack.enter_context(kind.camera) for name, kind in kinds.items()}
        run = camera_run([camera.address for camera in cameras.values()], model, out, *more)
    return Sending(run, kinds, cameras)


def check_rate(stream: StreamRun, kind: Kind) -> None:
    """The reported rates are those that were sent and announced; a doubt says when they differ."""
    assert float(stream.fps) == pytest.approx(kind.fps, rel=CLOSE)
    announced = stream.part["announced_fps"]
    assert (None if announced is None else Fraction(announced)) == kind.announced
    assert any(DIFFER in doubt for doubt in stream.doubts) == kind.is_doubted


def check_rows(stream: StreamRun) -> None:
    """Each picture that was sent from a connection's first row on has one row."""
    assert stream.pictures
    assert all(then - now == later - place for (place, now), (later, then) in connected(stream))
    assert all(now < then for now, then in pairwise(stream.pictures.values()))


def connected(stream: StreamRun) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Pairs of rows, each a place and the number of its picture, between which no connection was lost."""
    lost = {place for place, row in enumerate(stream.rows) if row["outcome"] == "source_error"}
    together = pairwise(stream.pictures.items())
    return [(one, other) for one, other in together if not lost & set(range(one[0], other[0]))]


def check_no_backlog(stream: StreamRun, camera: Camera) -> None:
    """No connection begins with a picture that was made before it, or that was kept meanwhile."""
    numbers, places = stream.pictures, list(stream.pictures)
    goes_on = {later for _, (later, _) in connected(stream)}
    took_ms = {
        place: float(stream.rows[place]["scheduled_ms"]) - 1000 * camera.made_s(numbers[place]) for place in places
    }
    latest_ms = min(took_ms.values()) + STALE_PERIODS * 1000 / float(camera.pace.fps)
    assert min(numbers.values()) >= camera.pace.first
    assert [place for place in places if place not in goes_on and took_ms[place] > latest_ms] == []


def check_video(stream: StreamRun) -> None:
    """The video is as long as its frames took to come, within a frame period."""
    assert float(stream.video_s) == pytest.approx(stream.length_s, abs=1 / float(stream.fps))


def check_times(stream: StreamRun) -> None:
    """Each frame's time is its arrival, but for the lateness of a frame on a busy machine."""
    first_ms = float(stream.rows[0]["scheduled_ms"])
    off_ms = [float(row["pts_ms"]) - (float(row["scheduled_ms"]) - first_ms) for row in stream.rows]
    assert max(map(abs, off_ms)) < LATE_MS


def unannounced(fps: float, **more: object) -> Kind:
    """Motion JPEG, which announces no rate."""
    return Kind(mjpeg(Pace(fps), **more), fps, None)  # type: ignore[arg-type]


def announcing(fps: int, pace: Pace, format: str, *, chunked: bool = False) -> Kind:
    """A camera whose times and codec declare a rate, which may differ from that of its pace."""
    camera = streamed(pace, format, stamps=Stamps(Fraction(fps)), chunked=chunked)
    return Kind(camera, float(pace.fps), Fraction(fps))


def in_fragments(pace: Pace) -> Kind:
    """Fragmented MP4 whose first fragment declares a length of 0.84 s."""
    options = {"movflags": "empty_moov+default_base_moof+frag_keyframe"}
    camera = streamed(pace, "mp4", keyframe_every=21, chunked=True, options=options)
    return Kind(camera, float(pace.fps), Fraction(25), steady=False)


KINDS: dict[str, Callable[[], Kind]] = {
    "mjpeg": lambda: unannounced(10),
    "mjpeg without lengths": lambda: unannounced(17.3, lengths=False, chunked=True),
    "mjpeg with an odd boundary": lambda: unannounced(12.5, boundary='"--my boundary"', delimiter="--my boundary"),
    "ts as announced": lambda: announcing(20, Pace(20), "mpegts"),
    "ts at another rate": lambda: announcing(25, Pace(20), "mpegts", chunked=True),
    "ts with a backlog": lambda: announcing(20, Pace(20, backlog=145), "mpegts"),
    "fmp4 at another rate": lambda: announcing(25, Pace(20), "mp4", chunked=True),
    "fmp4 in fragments": lambda: in_fragments(Pace(25)),
    "flv as announced": lambda: announcing(15, Pace(15), "flv", chunked=True),
    "h264 with a backlog": lambda: announcing(25, Pace(20, backlog=25), "h264"),
    "h265": lambda: announcing(20, Pace(20), "hevc"),
    "hls": lambda: Kind(hls(Pace(25)), 25, Fraction(25), steady=False),
}
STEADY = [name for name in KINDS if name not in ("fmp4 in fragments", "hls")]


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Sending:
    """All kinds of streams over HTTP, in a run of 4 s."""
    kinds = {name: kind() for name, kind in KINDS.items()}
    return sending(kinds, tiny_model, tmp_path_factory.mktemp("kinds") / "run", "--duration", "4s")


@pytest.mark.parametrize("name", KINDS)
def test_the_reported_rate_is_the_one_that_was_sent(name: str, all_kinds: Sending) -> None:
    check_rate(all_kinds.stream(name), all_kinds.kinds[name])


@pytest.mark.parametrize("name", KINDS)
def test_each_picture_that_came_has_a_row(name: str, all_kinds: Sending) -> None:
    check_rows(all_kinds.stream(name))


@pytest.mark.parametrize("name", STEADY)
def test_a_picture_that_a_camera_had_kept_is_no_row(name: str, all_kinds: Sending) -> None:
    check_no_backlog(all_kinds.stream(name), all_kinds.camera(name))


@pytest.mark.parametrize("name", STEADY)
def test_the_video_is_as_long_as_its_frames_took_to_come(name: str, all_kinds: Sending) -> None:
    check_video(all_kinds.stream(name))


def test_the_answer_names_the_rate_that_came(all_kinds: Sending) -> None:
    assert (all_kinds.run.done.code, all_kinds.run.document["verdict"]) == (0, "VALID")
    found = re.search(r"(\d+) streams, ([\d.]+) fps in all", all_kinds.run.document["answer"])
    assert found is not None
    assert int(found[1]) == len(KINDS)
    assert float(found[2]) == pytest.approx(sum(kind.fps for kind in all_kinds.kinds.values()), rel=CLOSE)


def jumping(by_s: float, every: int = 60) -> Kind:
    """MPEG-TS whose clock jumps every 3 s: at least once in a longer run, whenever that begins."""
    stamps = Stamps(Fraction(20), dict.fromkeys(range(every, PICTURES, every), by_s))
    return Kind(streamed(Pace(20), "mpegts", stamps=stamps), 20, Fraction(20))


JUMPS: dict[str, Callable[[], Kind]] = {
    "a minute ahead": lambda: jumping(60),
    "an hour ahead": lambda: jumping(3600),
    "back": lambda: jumping(-60),
    "hls at a discontinuity": lambda: Kind(
        hls(Pace(20), stamps=Stamps(Fraction(20), {330: 4984}), discontinuity=33), 20, Fraction(20), steady=False
    ),
}


@pytest.fixture(scope="module")
def jumps(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Sending:
    """Streams whose clock jumps within a connection, and one whose rate changes, in a run of 6 s."""
    kinds = {name: kind() for name, kind in JUMPS.items()}
    kinds["slower"] = Kind(mjpeg(Pace(40, later=(80, 20))), 40, None)
    return sending(kinds, tiny_model, tmp_path_factory.mktemp("jumps") / "run", "--duration", "6s")


@pytest.mark.parametrize("name", JUMPS)
def test_a_clock_that_jumps_is_a_doubt_and_times_go_on_by_arrival(name: str, jumps: Sending) -> None:
    assert jumps.run.document["verdict"] == "VALID"
    stream = jumps.stream(name)
    check_rate(stream, jumps.kinds[name])
    check_rows(stream)
    check_times(stream)
    check_video(stream)
    assert [BY_ARRIVAL in doubt for doubt in stream.doubts].count(True) == 1


def test_a_rate_that_changes_is_a_doubt_with_both_figures(jumps: Sending) -> None:
    stream = jumps.stream("slower")
    check_rate(stream, jumps.kinds["slower"])
    check_video(stream)
    found = [re.search(r"came at ([\d.]+) fps before the run, and at ([\d.]+) fps", doubt) for doubt in stream.doubts]
    (both,) = [match for match in found if match]
    assert float(both[1]) == pytest.approx(40, rel=CLOSE)
    assert 19 < float(both[2]) < 30  # the first block has frames from before the change


def cut(end: End, *, fps: int = 20, frames: int = 70, backlog: int = 0, away_s: float = 0.5) -> Pace:
    """Each connection ends after so many frames, and the next client is accepted ``away_s`` later."""
    return Pace(fps, frames=frames, backlog=backlog, end=end, away_s=away_s)


CUTS: dict[str, Callable[[], Kind]] = {
    "fmp4 that is reset": lambda: announcing(20, cut(End.RESET), "mp4", chunked=True),
    "fmp4 that ends": lambda: announcing(20, cut(End.ORDERLY), "mp4", chunked=True),
    "fmp4 in fragments": lambda: in_fragments(cut(End.ORDERLY, fps=25, frames=21 * 5)),
    "flv that is reset": lambda: announcing(20, cut(End.RESET, frames=100), "flv", chunked=True),
    "flv that hangs up": lambda: announcing(20, cut(End.HANGS_UP, frames=100), "flv", chunked=True),
    "ts with a backlog each time": lambda: announcing(20, cut(End.HANGS_UP, frames=100, backlog=40), "mpegts"),
    "hls that stops growing": lambda: Kind(
        hls(Pace(25, end=End.SILENT), segments=34), 25, Fraction(25), steady=False
    ),
}


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Sending:
    """Streams that are cut off, most of them again and again, in a run of 10 s."""
    kinds = {name: kind() for name, kind in CUTS.items()}
    return sending(kinds, tiny_model, tmp_path_factory.mktemp("cuts") / "run", "--duration", "10s")


@pytest.mark.parametrize("name", CUTS)
def test_a_server_that_dies_makes_an_outage_and_is_no_end(name: str, cuts: Sending) -> None:
    assert (cuts.run.done.code, cuts.run.document["verdict"]) == (0, "VALID")
    stream = cuts.stream(name)
    check_rows(stream)
    assert stream.outages
    # The stream goes on to the end of the run, whether or not the server is away.
    assert float(stream.rows[-1]["scheduled_ms"]) > 9_000


@pytest.mark.parametrize("name", [name for name in CUTS if "hls" not in name and "fragments" not in name])
def test_times_do_not_run_ahead_over_reconnects_nor_does_the_video(name: str, cuts: Sending) -> None:
    stream = cuts.stream(name)
    check_times(stream)
    check_video(stream)
    check_no_backlog(stream, cuts.camera(name))


FAR_S = 6.5
"""Seconds between key frames: more than the time-out."""


def rtsp_kinds(folder: Path) -> dict[str, Kind]:
    """RTSP that announces and stamps other rates than it sends, and streams joined between far key frames."""
    often = coded("libx264", Fraction(25), PICTURES, 25)
    h264 = str(write_units(folder / "often.h264", often, "h264"))
    h265 = str(write_units(folder / "often.h265", coded("libx265", Fraction(20), PICTURES, 20), "hevc"))
    seldom = coded("libx264", Fraction(20), PICTURES, round(20 * FAR_S))
    far = str(write_units(folder / "seldom.h264", seldom, "h264"))
    pace = Pace(20, made=5, frames=round(20 * FAR_S) + 25, away_s=0.1)
    joined = streamed(pace, "mpegts", keyframe_every=round(20 * FAR_S), begins_at_key=False)
    return {
        "rtsp that sends 10": Kind(RtspCamera("--units", h264, "--fps", "10", "--announced", "25"), 10, Fraction(25)),
        "rtsp that stamps 25": Kind(
            RtspCamera("--units", h264, "--fps", "20", "--announced", "25", "--stamped"), 20, Fraction(25)
        ),
        "rtsp of h265": Kind(RtspCamera("--units", h265, "--codec", "h265", "--fps", "20"), 20, Fraction(20)),
        "rtsp joined late": Kind(RtspCamera("--units", far, "--fps", "20", "--watched"), 20, Fraction(20)),
        "ts joined late": Kind(joined, 20, Fraction(20)),
    }


RTSP = ("rtsp that sends 10", "rtsp that stamps 25", "rtsp of h265", "rtsp joined late")


@pytest.fixture(scope="module")
def rtsp(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Sending:
    """A run of 8 s of these."""
    folder = tmp_path_factory.mktemp("rtsp")
    return sending(rtsp_kinds(folder), tiny_model, folder / "run", "--duration", "8s")


@needs_rtsp
@pytest.mark.slow
@pytest.mark.parametrize("name", RTSP)
def test_an_rtsp_camera_is_reported_by_what_it_sends(name: str, rtsp: Sending) -> None:
    assert (rtsp.run.done.code, rtsp.run.document["verdict"]) == (0, "VALID")
    stream = rtsp.stream(name)
    check_rate(stream, rtsp.kinds[name])
    check_rows(stream)
    check_times(stream)
    check_video(stream)


@needs_rtsp
@pytest.mark.slow
def test_packets_that_come_while_a_key_frame_is_awaited_are_no_silence(rtsp: Sending) -> None:
    stream, camera = rtsp.stream("ts joined late"), rtsp.camera("ts joined late")
    assert not any("timed out" in outage["why"] for outage in stream.outages)
    check_rows(stream)
    check_times(stream)
    # The second connection was joined in the middle of a group, too, and waited for the next key frame.
    begins = [sent.number for sent in camera.sent if sent.number % round(20 * FAR_S) == 0]
    assert stream.outages
    assert set(stream.pictures.values()) & set(begins)


def test_a_recording_behind_a_playlist_is_played_at_its_own_pace(tiny_model: Path, tmp_path: Path) -> None:
    with hls(Pace(25), segments=6, on_demand=True) as camera:
        run = camera_run([camera.address], tiny_model, tmp_path / "run")
    assert (run.done.code, run.document["verdict"]) == (0, "VALID")
    assert re.search(r"sustains? 25 fps: ", run.document["answer"], re.IGNORECASE)
    (stream,) = run.streams
    # The engine was warmed up on the first picture, as on a camera's.
    assert list(stream.pictures.values()) == list(range(1, 60))
    check_times(stream)
    check_video(stream)
    assert stream.outages == []


def test_a_playlist_that_is_completed_ends_the_run_with_its_last_picture(tiny_model: Path, tmp_path: Path) -> None:
    with hls(Pace(25, end=End.ORDERLY), segments=33) as camera:
        run = camera_run([camera.address], tiny_model, tmp_path / "run")
    assert (run.done.code, run.document["verdict"]) == (0, "VALID")
    (stream,) = run.streams
    check_rows(stream)
    assert max(stream.pictures.values()) == 329


@pytest.mark.parametrize("path", ["snap.jpg", "cgi-bin/snapshot.cgi?channel=1"])
def test_a_snapshot_is_a_still_image_and_no_run(path: str, tiny_model: Path, tmp_path: Path) -> None:
    with snapshot(Pace(1), path) as still, mjpeg(Pace(20)) as video:
        options = ("--engine", "null", "--model", tiny_model, "--no-chart", "--out", tmp_path / "run")
        for addresses in ([still.address], [video.address, still.address]):
            done = runs.streamer("replay", *addresses, *options, "--duration", "1s", cwd=tmp_path)
            assert done.code == 1
            assert "is a still image: " in done.err
            assert not (tmp_path / "run").exists()
