"""SOURCE as text: its kind and its name, and never its user, password and tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.address import kind_of, of_no_file, slug, without_credentials


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
        ("rtsp:///user:secret@cam/live", "rtsp://***@cam/live"),
        ("rtsp://cam/user:secret@x", "rtsp://***@x"),
        ("rtsp://user%3Asecret%40cam/live", "rtsp://***@cam/live"),
        ("http://cam/v?jwt=secret&pin=1234&channel=1", "http://cam/v?jwt=***&pin=***&channel=1"),
        ("http://cam/v?code=secret&k=secret&sid=secret", "http://cam/v?code=***&k=***&sid=***"),
        ("http://cam/v?channel=1_password=secret", "http://cam/v?channel=***"),
        ("http://cam/v?a=1;jwt=secret", "http://cam/v?a=***"),
        ("http://cam/v?SECRET", "http://cam/v?***"),
        ("rtsp://cam/live?channel=1&subtype=0&unicast=true", "rtsp://cam/live?channel=1&subtype=0&unicast=true"),
        ("rtsp:/user:secret@cam/live", "rtsp:/***@cam/live"),
        ("rtsp//user:secret@cam/live", "rtsp//***@cam/live"),
        ("rtsp;//user:secret@cam/live", "rtsp;//***@cam/live"),
        ("rtsp:user:secret@cam/live", "***@cam/live"),
        (" rtsp://user:secret@cam/live", " rtsp://***@cam/live"),
        ("//user:secret@cam/live", "//***@cam/live"),
        ("user:secret@cam:554/live", "***@cam:554/live"),
        ("cam:554/live?jwt=secret", "cam:554/live?jwt=***"),
        ("rtsp:/cam/live?pin=1234", "rtsp:/cam/live?pin=***"),
        ("192.168.1.2/live?jwt=secret", "192.168.1.2/live?jwt=***"),
        (r"C:\clips\me@home.mp4", r"C:\clips\me@home.mp4"),
        ("clip\udcff.mp4", "clip\\xff.mp4"),
        ("clips/user:secret@home?token=1.mp4", "clips/user:secret@home?token=1.mp4"),
        ("camera:0", "camera:0"),
    ],
)
def test_an_address_is_shown_without_its_credentials(uri: str, shown: str) -> None:
    assert without_credentials(uri) == shown
    assert without_credentials(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("secret@cam/live", "***@cam/live"),
        ("cam/live?token=secret", "cam/live?token=***"),
        ("clips/user:secret@home?token=1", "clips/***@home?token=***"),
        ("clips/nowhere.mp4", "clips/nowhere.mp4"),
        ("rtsp://user:secret@cam/live", "rtsp://***@cam/live"),
    ],
)
def test_what_is_no_file_may_be_an_address_however_it_is_written(text: str, shown: str) -> None:
    assert of_no_file(text) == shown


def test_a_file_keeps_its_name_though_it_looks_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert without_credentials("user:me@home.mp4") == "***@home.mp4"
    (tmp_path / "user:me@home.mp4").touch()
    assert without_credentials("user:me@home.mp4") == "user:me@home.mp4"


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
        ("rtsp:/user:secret@cam", "***@cam"),
    ],
)
def test_a_source_has_a_short_name(uri: str, name: str) -> None:
    assert slug(uri) == name


def test_the_current_folder_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path / "photos")
    assert slug(".") == "photos"
