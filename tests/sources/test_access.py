"""The options for reaching sources: refused where they apply to none, and kept in run.json."""

from __future__ import annotations

from fractions import Fraction
from itertools import repeat
from pathlib import Path

import av
import pytest

from streamer.errors import SourceError, UsageError
from streamer.frame import Frame
from streamer.settings.as_json import settings_as_json, settings_of
from streamer.settings.settings import Settings
from streamer.sources.access import Access, Transport
from tests.runs import manifest, streamer
from tests.sources.odd_servers import odd_http, odd_rtsp, trickling
from tests.sources.reading import opened, read_on
from tests.videos import write_video

RTSP = "rtsp://127.0.0.1:1/live"
RATE, ONE_SLICE = Fraction(50), {"bf": "0", "x264-params": "sliced-threads=0"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("clip.mp4", "--source-timeout", "9s"), "--source-timeout 9s: no source is a camera or an address"),
        (("synthetic:street", "--source-timeout", "9s"), "--source-timeout 9s: no source is a camera or an address"),
        ((RTSP, "--source-timeout", "0s"), "'0s' is not a duration"),
        ((RTSP, "--source-timeout", "2m"), "--source-timeout 120s with --give-up 60s: it would be given up before"),
        (("clip.mp4", "--rtsp-transport", "udp"), "--rtsp-transport udp: no source is an rtsp:// address"),
        (("http://127.0.0.1:1/", "--rtsp-transport", "udp"), "--rtsp-transport udp: no source is an rtsp:// address"),
        ((f"{RTSP[:4]}s{RTSP[4:]}", "--rtsp-transport", "udp"), "--rtsp-transport udp: rtsps:// goes over TCP"),
        ((RTSP, "--rtsp-transport", "http"), "'http' is not one of 'tcp', 'udp'"),
        ((RTSP, "--tls-verify"), "--tls-verify: no source is an rtsps:// or https:// address"),
    ],
)
@pytest.mark.parametrize("command", [("replay",), ("soak", "--duration", "1s")])
def test_an_option_that_applies_to_no_source_is_a_usage_error(
    command: tuple[str, ...], arguments: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").touch()
    done = streamer(*command, *arguments, "--engine", "null", "--out", "run", cwd=tmp_path)
    assert (done.code, says in done.err.splitlines()[-1]) == (2, True), done.err
    assert not (tmp_path / "run").exists()


def test_a_soak_that_goes_on_reaches_its_sources_as_before() -> None:
    settings = Settings(source_timeout=20.0, rtsp_transport=Transport.UDP, tls_verify=True)
    again = settings_of(settings_as_json(settings))
    assert again.access == settings.access == Access(timeout_s=20.0, rtsp_transport=Transport.UDP, tls_verify=True)
    assert isinstance(again.access.rtsp_transport, Transport)


def test_a_longer_give_up_allows_a_longer_silence() -> None:
    assert Settings(source_timeout=120.0, give_up=300.0).access.timeout_s == 120
    assert Settings(source_timeout=120.0, reconnect=False).access.timeout_s == 120
    assert Settings(give_up=1.0).access.timeout_s == 5
    with pytest.raises(UsageError):
        Settings(source_timeout=120.0)


@pytest.mark.timing
def test_packets_that_udp_loses_are_counted_and_doubted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = write_video(tmp_path / "clip.ts", 150, rate=RATE, options=ONE_SLICE)
    lost = range(100, 180, 20)
    with odd_rtsp(clip, offers="udp", loses=lost) as host:
        source = opened(f"rtsp://{host}/live", access=Access(timeout_s=1, rtsp_transport=Transport.UDP))
        with pytest.raises(SourceError):
            read_on(source, [])
        source.close()
    shown = source.info.uri
    assert [doubt for doubt in source.doubts if "UDP" in doubt] == [
        f"{shown} lost {len(lost)} packets over UDP: pictures are damaged, and most of them are not marked; "
        "--rtsp-transport tcp loses none"
    ]
    assert av.logging.get_level() is None
    assert capfd.readouterr() == ("", "")


def test_a_connection_over_tcp_has_no_doubt_about_losses(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.ts", 90, rate=RATE, options=ONE_SLICE)
    with odd_rtsp(clip, offers="tcp") as host:
        source = opened(f"rtsp://{host}/live")
        source.close()
    assert not any("UDP" in sentence for sentence in (*source.doubts, *source.info.notes))


@pytest.mark.timing
def test_a_run_over_udp_says_so_and_how_it_was_reached(tiny_model: Path, tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.ts", 120, rate=RATE, options=ONE_SLICE)
    with odd_rtsp(clip, offers="udp") as host:
        done = streamer(
            *("replay", f"rtsp://{host}/live", "--rtsp-transport", "udp", "--source-timeout", "3s", "--no-reconnect"),
            *("--engine", "null", "--model", tiny_model, "--no-chart", "--video", "none", "--frames", "10"),
            *("--out", "run"),
            cwd=tmp_path,
        )
    assert done.code == 0, done.err
    document = manifest(tmp_path / "run")
    assert {name: document["run"][name] for name in ("source_timeout_s", "rtsp_transport", "tls_verify")} == {
        "source_timeout_s": 3,
        "rtsp_transport": "udp",
        "tls_verify": False,
    }
    assert [note for note in document["notes"] if "comes over UDP: a packet that is lost damages pictures" in note]


@pytest.mark.slow
def test_a_slow_camera_is_waited_for_when_that_is_requested(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.avi", 1, codec="mjpeg", pixel_format="yuvj420p").read_bytes()
    picture = clip[clip.index(b"\xff\xd8") : clip.rindex(b"\xff\xd9") + 2]
    part = b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture)
    with odd_http(trickling(repeat(part), 0.8, media_type="multipart/x-mixed-replace; boundary=b")) as host:
        with pytest.raises(SourceError, match=r"nothing came for 0\.4 s: .* or wait longer with --source-timeout"):
            opened(f"http://{host}/live", access=Access(timeout_s=0.4))
        source = opened(f"http://{host}/live", access=Access(timeout_s=3))
        assert isinstance(source.read(), Frame)
        assert isinstance(source.read(), Frame)
        source.close()
    assert source.info.timeout_s == 3
