"""Videos of kinds that PyAV cannot make, made by the ffmpeg command: the pictures that FFmpeg decodes come out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

import pytest

from tests.video.test_pictures import check_as_decoded

pytestmark = pytest.mark.skipif(which("ffmpeg") is None, reason="the command ffmpeg is not installed")

INTERLACED = "-flags +ilme+ildct"
COUNTED = "frame times are missing: the frame rate of 25 is used instead"

MADE = {
    "packed.avi": ["-c:v libxvid -bf 2 -g 20"],
    "packed.mp4": ["-c:v libxvid -bf 2 -g 20"],
    "packed.mkv": ["-c:v libxvid -bf 2 -g 20"],
    "unpacked.avi": ["-c:v mpeg4 -bf 2"],
    "unpacked.mp4": ["-c:v mpeg4 -bf 2"],
    "mbaff.ts": [f"-c:v libx264 {INTERLACED}"],
    "mbaff.mkv": [f"-c:v libx264 {INTERLACED}"],
    "mpeg2.ts": [f"-c:v mpeg2video -bf 2 {INTERLACED}"],
    "mpeg2.mpg": [f"-c:v mpeg2video -bf 2 {INTERLACED}"],
    "mpeg2.vob": [f"-c:v mpeg2video {INTERLACED}"],
    "mpeg1.mpg": ["-c:v mpeg1video"],
    "open.ts": ["-c:v libx265 -x265-params open-gop=1:bframes=3:keyint=10:min-keyint=10:log-level=none"],
    "theora.ogv": ["-c:v libtheora"],
    "windows.wmv": ["-c:v wmv2"],
    "windows.avi": ["-c:v msmpeg4v2"],
    "flash.flv": ["-c:v flv"],
    "phone.3gp": ["-s 176x144 -c:v h263"],
    "lossless.mkv": ["-c:v ffv1"],
    "cut.mov": ["-c:v prores_ks"],
    "broadcast.mxf": ["-s 1280x720 -c:v dnxhd -b:v 60M -pix_fmt yuv422p"],
    "moving.gif": [""],
    "moving.apng": ["-f apng"],
    "fragments.mp4": ["-c:v libx264 -movflags frag_keyframe+empty_moov -g 10"],
    "wrap.ts": ["-c:v libx264 -output_ts_offset 95443"],
    "ten-bits.mkv": ["-c:v libx264 -pix_fmt yuv420p10le"],
    "alt-ref.webm": ["-c:v libvpx -pass 1", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16 -pass 2"],
    "superframes.webm": ["-c:v libvpx-vp9 -pass 1", "-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 25 -pass 2"],
}
"""The options of ffmpeg, one string for each pass."""

DOUBTS = {"packed.avi": [COUNTED], "packed.mp4": [COUNTED], "packed.mkv": [COUNTED]}


def ffmpeg(place: Path, options: str, *, source: Path | None = None) -> None:
    given = [] if source is None else ["-i", str(source)]
    subprocess.run(["ffmpeg", "-y", "-v", "error", *given, *options.split()], cwd=place, check=True, timeout=60)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ffmpeg") / "source.mkv"
    ffmpeg(path.parent, f"-f lavfi -i testsrc=s=160x120:r=25:d=2 -c:v ffv1 {path.name}")
    return path


@pytest.mark.parametrize("name", list(MADE))
def test_what_ffmpeg_decodes_comes_out(name: str, source: Path, tmp_path: Path) -> None:
    for options in MADE[name]:
        ffmpeg(tmp_path, f"-threads 1 {options} {name}", source=source)
    reader, pictures = check_as_decoded(tmp_path / name)
    assert len(pictures) in (48, 49, 50)  # some encoders leave out the last ones
    assert reader.info.rate == 25
    assert reader.doubts == DOUBTS.get(name, [])


def test_hidden_pictures_in_packets_of_their_own_are_no_frames(source: Path, tmp_path: Path) -> None:
    for number in "12":
        options = f"-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 25 -pass {number}"
        ffmpeg(tmp_path, f"{options} whole.webm", source=source)
    ffmpeg(tmp_path, "-i whole.webm -c copy -bsf:v vp9_superframe_split split.mkv")
    reader, pictures = check_as_decoded(tmp_path / "split.mkv")
    assert len(pictures) == 50
    assert reader.info.rate == 25
    assert reader.doubts == []


@pytest.mark.parametrize("codec", ["libx264 -bf 2", "mpeg2video", "libx265 -x265-params log-level=none"])
def test_the_segments_of_a_playlist_joined_are_whole(codec: str, source: Path, tmp_path: Path) -> None:
    keys = "-g 10 -force_key_frames expr:gte(t,n_forced*0.4)"
    ffmpeg(tmp_path, f"-c:v {codec} {keys} -f hls -hls_time 0.4 -hls_list_size 0 x.m3u8", source=source)
    segments = sorted(tmp_path.glob("x*.ts"), key=lambda path: int(path.stem[1:]))
    assert len(segments) > 3
    (tmp_path / "joined.ts").write_bytes(b"".join(segment.read_bytes() for segment in segments))
    reader, pictures = check_as_decoded(tmp_path / "joined.ts")
    assert len(pictures) == 50
    assert reader.info.rate == 25
    assert reader.doubts == []
