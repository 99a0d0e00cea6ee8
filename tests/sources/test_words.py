"""The message for an address that cannot be opened: the reason and the mend, without the password."""

from __future__ import annotations

import os
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import pytest

from streamer.errors import SourceError
from streamer.sources.access import Access, Transport
from tests.sources.coded import jpeg
from tests.sources.odd_servers import identity_of, odd_http, odd_rtsp, saying, trickling
from tests.sources.reading import opened
from tests.videos import write_video

SECRET = "secret"
RATE, ONE_SLICE = Fraction(50), {"bf": "0", "x264-params": "sliced-threads=0"}
IMPATIENT = Access(timeout_s=0.3)
PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n%s\n#EXT-X-ENDLIST\n"


def refusal(address: str, access: Access = IMPATIENT) -> str:
    """The message for an address: one line, without the password."""
    with pytest.raises(SourceError) as refused:
        opened(address, access=access)
    message = str(refused.value)
    assert SECRET not in message
    assert "\n" not in message
    return message


def test_bytes_that_are_no_video_and_do_not_end_are_not_called_silence() -> None:
    with odd_http(trickling(cycle([os.urandom(500)]), 0.01)) as host:
        message = refusal(f"http://{host}/live")
    assert "data came, and nothing in it was recognised within 1.8" in message
    assert "--source-timeout is a sixth of that" in message
    assert "nothing came" not in message


def test_a_stream_without_a_key_frame_is_refused_with_the_mend(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "clip.ts", 12, options={"bf": "0"}).read_bytes()
    packets = [clip[at : at + 188] for at in range(0, len(clip), 188)]
    key_frame_ends = 3 + next(number for number, one in enumerate(packets[4:], 1) if one[1] & 0x40)
    with odd_http(trickling(cycle(packets[:2] + packets[key_frame_ends:]), 0.001)) as host:
        message = refusal(f"http://{host}/live", Access(timeout_s=0.5))
    assert "key frames" in message
    assert "nothing came" not in message


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtsps", "https"])
def test_special_characters_in_a_password_ask_for_percent_encoding(scheme: str) -> None:
    for password in ("p@secret/w#rd", "secret/word", "sec#ret?", "12/secret", "secret[/word"):
        message = refusal(f"{scheme}://user:{password}@127.0.0.1/live")
        assert "percent-encode them, as %40 for @, %2F for /" in message, password


@pytest.mark.parametrize(("password", "hint"), [("p%secret", True), ("a b", True), ("p%25", False), ("word", False)])
def test_a_refused_password_with_special_characters_asks_for_their_encoding(password: str, hint: bool) -> None:
    with odd_http(saying(b"", status=401)) as host:
        message = refusal(f"http://user:{password}@{host.rpartition('@')[2]}/live")
    assert "authentication failed (401): check user and password" in message
    assert ("percent-encoded" in message) == hint


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_name_that_is_not_known_is_named(scheme: str) -> None:
    message = refusal(f"{scheme}://user:{SECRET}@no-such-camera.invalid/live@2")
    assert "percent-encode" in message or "no-such-camera.invalid is not known: check its spelling" in message
    message = refusal(f"{scheme}://user:{SECRET}@no-such-camera.invalid/live")
    assert "the name no-such-camera.invalid is not known: check its spelling, and the network" in message


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirection_to_rtsp_gives_that_address(status: int) -> None:
    there = "rtsp://user:secret@camera.local:8554/live?token=secret"
    with odd_http(saying(b"", status=status, location=there)) as host:
        message = refusal(f"http://{host}/live")
        with odd_http(saying(b"", status=status, location=f"http://{host}/live")) as first:
            assert message.partition("sends on")[2] in refusal(f"http://{first}/")
    assert message.endswith("sends on to rtsp://***@camera.local:8554/live?token=***: give that address itself")


@pytest.mark.parametrize(("media_type", "served"), [("text/plain", "as text/plain"), (None, "without a")])
def test_a_playlist_that_is_not_called_one_names_the_mend(media_type: str | None, served: str) -> None:
    with odd_http(saying(PLAYLIST % b"0.ts", media_type=media_type)) as host:
        message = refusal(f"http://{host}/live?token=secret")
    assert f"is a playlist served {served}" in message
    assert "application/vnd.apple.mpegurl, or give an address whose path ends in .m3u8" in message


def test_motion_jpeg_of_parts_that_are_called_something_else_names_the_mend() -> None:
    parts = [b"--frame\r\nContent-Type: image/jpg\r\n\r\n" + jpeg(number) + b"\r\n" for number in range(60)]
    with odd_http(trickling(parts, 0.01, "multipart/x-mixed-replace; boundary=frame")) as host:
        message = refusal(f"http://{host}/live?token=secret")
    assert "is motion JPEG of parts that are not called image/jpeg: let the camera say so before each" in message


def test_a_page_of_unknown_length_that_is_no_video_is_reached_all_the_same() -> None:
    with odd_http(saying(b"<html>Welcome</html>" * 100, sized=False)) as host:
        assert "is not a video that can be read: check the address" in refusal(f"http://{host}/")


@pytest.mark.parametrize("scheme", ["https", "rtsps"])
def test_a_certificate_is_checked_when_that_is_requested(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_video(tmp_path / "clip.ts", 90, rate=RATE, options=ONE_SLICE)
    identity, certificate = identity_of(tmp_path)
    insists = Access(timeout_s=2, tls_verify=True)
    served = (
        odd_http(saying(clip.read_bytes()), identity)
        if scheme == "https"
        else odd_rtsp(clip, offers="tcp", identity=identity)
    )
    with served as host:
        address = f"{scheme}://{host}/live.ts"
        source = opened(address)
        source.close()
        assert [note for note in source.info.notes if "certificate" in note] == [
            f"the certificate of {source.info.uri} was not checked; --tls-verify refuses one that is not trusted"
        ]
        message = refusal(address, insists)
        assert "its certificate is not trusted (self-signed certificate): " in message
        assert "SSL_CERT_FILE, or leave --tls-verify out" in message
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        source = opened(address, access=insists)
        source.close()
        assert not any("certificate" in note for note in source.info.notes)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
        assert "there are no certificates to check by: name a file of them in SSL_CERT_FILE" in refusal(
            address, insists
        )


def test_a_certificate_of_another_name_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity, certificate = identity_of(tmp_path, "other.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with odd_http(saying(b""), identity) as host:
        message = refusal(f"https://{host}/", Access(tls_verify=True))
    assert "its certificate is not trusted (IP address mismatch" in message
    assert "check the name in the address" in message


def test_a_playlist_whose_segments_would_come_unchecked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_video(tmp_path / "clip.ts", 12).read_bytes()
    identity, certificate = identity_of(tmp_path)
    other, _ = identity_of(tmp_path, "other.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with odd_http(saying(clip, media_type="video/mp2t"), other) as segments:
        playlist = PLAYLIST % f"https://{segments}/0.ts".encode()
        with odd_http(saying(playlist, media_type="application/vnd.apple.mpegurl"), identity) as host:
            message = refusal(f"https://{host}/live.m3u8", Access(tls_verify=True))
    assert "is a playlist, whose segments come unchecked: leave --tls-verify out" in message


@pytest.mark.parametrize("offered", ["tcp", "udp"])
def test_a_camera_that_offers_one_transport_says_how_to_ask_for_it(offered: str) -> None:
    other = "udp" if offered == "tcp" else "tcp"
    with odd_rtsp(None, offers=offered) as host:
        message = refusal(f"rtsp://{host}/live", Access(timeout_s=2, rtsp_transport=Transport(other)))
    assert message.endswith(
        f"offers no RTSP over {other.upper()}: ask for {offered.upper()} with --rtsp-transport {offered}"
    )
