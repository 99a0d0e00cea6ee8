"""What SOURCE says about itself, and what it must never say: user, password and tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.address import kind_of, slug, without_credentials


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("camera:0", "camera"),
        ("synthetic:street", "synthetic"),
        ("RTSP://cam/live", "rtsp"),
        ("foo+bar://x", "foo+bar"),
        ("12:30.mp4", ""),
        ("clips/12:30.mp4", ""),
        (r"C:\clips\a.mp4", ""),
        ("", ""),
    ],
)
def test_the_kind_is_in_the_text(uri: str, kind: str) -> None:
    assert kind_of(uri) == kind


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("rtsp://cam:554/live/ch1", "rtsp://cam:554/live/ch1"),
        ("rtsp://user:secret@cam:554/live", "rtsp://***@cam:554/live"),
        ("http://secret@cam/live?fps=5", "http://***@cam/live?fps=5"),
        ("http://cam/v?fps=5&token=secret&size=1", "http://cam/v?fps=5&token=***&size=1"),
        ("http://cam/v?X-Amz-Signature=secret&Access_Key=secret", "http://cam/v?X-Amz-Signature=***&Access_Key=***"),
        ("http://cam/v?password=se?c/r=et;&a=1", "http://cam/v?password=***&a=1"),
        ("http://cam/v#auth=secret", "http://cam/v#auth=***"),
        ("rtsp://cam/user=admin&password=secret&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        ("rtsp://cam/user=admin_password=secret_channel=1.sdp", "rtsp://cam/user=***"),
        ("rtsp://user:sec@ret@cam/live", "rtsp://***@cam/live"),
        ("rtsp://user:sec/r#e?t@cam/live", "rtsp://***@cam/live"),
        ("rtsp://user:12/secret@cam/live", "rtsp://***@cam/live"),
        ("http://cam/@someone/live", "http://cam/@someone/live"),
        ("foo://user:secret@cam", "foo://***@cam"),
        ("clips/user:secret@home?token=1.mp4", "clips/user:secret@home?token=1.mp4"),
        ("camera:0", "camera:0"),
    ],
)
def test_an_address_is_shown_without_its_credentials(uri: str, shown: str) -> None:
    assert without_credentials(uri) == shown
    assert without_credentials(shown) == shown


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("clips/street.mp4", "street"),
        ("clips/frames/", "frames"),
        ("camera:0", "camera0"),
        ("synthetic:street", "street"),
        ("synthetic:street,seed=7,width=640", "street-seed7"),
        ("rtsp://user:secret@cam.local:554/live/ch1?token=secret", "cam.local-ch1"),
        ("http://cam:8080/", "cam"),
        ("http://cam/a/clip.mp4#t=3", "cam-clip.mp4"),
        ("rtsp://[::1]:8554/live", "[::1]-live"),
    ],
)
def test_a_source_has_a_short_name(uri: str, name: str) -> None:
    assert slug(uri) == name


def test_the_current_folder_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")
    assert slug(".") == "photos"
