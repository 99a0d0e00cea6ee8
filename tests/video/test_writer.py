"""Writing the annotated video: exact times, true colours, playable whatever happens to process or disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.errors import SinkError
from streamer.vendors import pyav
from streamer.video.reader import VideoReader
from streamer.video.writer import VideoWriter
from tests.runs import ROOT
from tests.videos import number_of, numbered_picture

RATE = Fraction(30)
NTSC = Fraction(30000, 1001)


def write_numbered(path: Path, times: list[Fraction], rate: Fraction, time_base: Fraction) -> Path:
    """A closed video of numbered pictures at ``times``."""
    with VideoWriter(path, 64, 48, rate, time_base) as writer:
        for number, pts in enumerate(times):
            writer.write(numbered_picture(number), pts)
        assert writer.frames == len(times)
    return path


def times_and_numbers(path: Path) -> tuple[list[Fraction], list[int]]:
    """Each frame's time in seconds, not counted from the first, and its number; as far as the file plays."""
    times, numbers = [], []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                # The last packet of a fragment that did not fit on the disk.
                break
            for frame in frames:
                assert isinstance(frame, av.VideoFrame)
                assert frame.pts is not None
                times.append(frame.pts * pyav.time_base(frame))
                numbers.append(number_of(frame.to_ndarray(format="bgr24").astype(np.uint8)))
    return times, numbers


def boxes(path: Path) -> list[bytes]:
    """The types of an MP4's boxes at the top."""
    content, offset, kinds = path.read_bytes(), 0, []
    while offset < len(content):
        kinds.append(content[offset + 4 : offset + 8])
        offset += int.from_bytes(content[offset : offset + 4], "big")
    return kinds


@pytest.mark.parametrize("rate", [Fraction(30), NTSC, Fraction(10), Fraction(25), Fraction(60000, 1001)])
def test_a_constant_rate_is_kept_exactly(tmp_path: Path, rate: Fraction) -> None:
    times = [number / rate for number in range(75)]
    path = write_numbered(tmp_path / "out.mp4", times, rate, 1 / rate)
    assert times_and_numbers(path) == (times, list(range(75)))
    with VideoReader(path) as reader:
        assert reader.info.rate == rate
        assert reader.info.duration == 75 / rate
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.duration * pyav.time_base(stream) == 75 / rate


@pytest.mark.parametrize("rate", [Fraction(30), NTSC, Fraction(120_000, 1001), Fraction(7), Fraction(1, 3)])
@pytest.mark.parametrize("time_base", [Fraction(1, 1000), Fraction(1, 600), Fraction(1, 25), Fraction(1, 90_000)])
def test_the_last_picture_is_shown_for_a_period_whatever_the_tick(
    tmp_path: Path, rate: Fraction, time_base: Fraction
) -> None:
    times = [round(number / rate / time_base) * time_base + number * time_base for number in range(3)]
    path = write_numbered(tmp_path / "out.mp4", times, rate, time_base)
    assert times_and_numbers(path)[0] == times
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tick_s = pyav.time_base(stream)
        assert stream.duration is not None
        assert tick_s <= Fraction(1, 10_000)
        assert abs(stream.duration * tick_s - times[-1] - 1 / rate) <= tick_s


def test_uneven_times_and_a_late_first_frame_are_kept_exactly(tmp_path: Path) -> None:
    times = [Fraction(tick, 90_000) for tick in [3003, 3004, 50_000, 360_001, 900_000]]
    path = write_numbered(tmp_path / "out.mp4", times, RATE, Fraction(1, 90_000))
    assert times_and_numbers(path) == (times, list(range(5)))


MICROSECOND = Fraction(1, 1_000_000)
MINUTES_36, DAYS_3 = 36 * 60, 3 * 86_400
LONGEST = 2**31 - 2
"""Ticks that a picture of an MP4 can last."""


def in_ffprobe(path: Path) -> list[float] | None:
    """The times of the packets in seconds, as FFmpeg's ffprobe reads them; None where it is absent."""
    if (ffprobe := shutil.which("ffprobe")) is None:
        return None
    command = [ffprobe, "-v", "error", "-show_entries", "packet=pts_time", "-of", "json", str(path)]
    packets = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["packets"]
    return [float(packet["pts_time"]) for packet in packets]


@pytest.mark.parametrize(
    ("time_base", "gap_s", "held"),
    [
        (MICROSECOND, Fraction(MINUTES_36), 1),
        (MICROSECOND, Fraction(DAYS_3), 240),
        (MICROSECOND, LONGEST * MICROSECOND, 0),
        (MICROSECOND, (LONGEST + 1) * MICROSECOND, 1),
        (Fraction(1, 90_000), Fraction(DAYS_3), 20),
        (Fraction(1, 1000), Fraction(DAYS_3), 1),
        (Fraction(1, 10**9), Fraction(MINUTES_36), 2010),
        (1 / RATE, Fraction(7 * 86_400), 4),
        (1 / NTSC, 30_000_000 / NTSC, 26),
    ],
)
def test_times_survive_any_gap_through_which_the_picture_before_it_is_held(
    tmp_path: Path, time_base: Fraction, gap_s: Fraction, held: int
) -> None:
    step = round(Fraction(1, 10) / time_base) * time_base
    given = [Fraction(0), step, step + gap_s, 2 * step + gap_s, 3 * step + gap_s]
    with VideoWriter(tmp_path / "out.mp4", 64, 48, RATE, time_base) as writer:
        for number, pts in enumerate(given):
            writer.write(numbered_picture(number), pts)
    assert (writer.frames, writer.held) == (5, held)
    times, numbers = times_and_numbers(tmp_path / "out.mp4")
    assert numbers == [0, *[1] * (1 + held), 2, 3, 4]
    assert [*times[:2], *times[-3:]] == given
    assert all(later > earlier for earlier, later in pairwise(times))
    assert b"moof" not in boxes(tmp_path / "out.mp4")
    probed = in_ffprobe(tmp_path / "out.mp4")
    assert probed is None or probed == pytest.approx([float(time) for time in times], abs=1e-6, rel=0)


def test_the_video_of_a_killed_process_has_its_times_after_a_gap_too(tmp_path: Path) -> None:
    given = [Fraction(0), Fraction(DAYS_3), *(DAYS_3 + number * RATE for number in range(1, 4))]
    with VideoWriter(tmp_path / "out.mp4", 64, 48, RATE, MICROSECOND) as writer:
        for number, pts in enumerate(given):
            writer.write(numbered_picture(number), pts)
        # The last picture waits for its fragment's end.
        shutil.copy(tmp_path / "out.mp4", tmp_path / "killed.mp4")
    times, numbers = times_and_numbers(tmp_path / "killed.mp4")
    assert numbers[-3:] == [1, 2, 3]
    assert times[-3:] == given[1:4]


def test_a_first_frame_may_come_after_a_gap(tmp_path: Path) -> None:
    given = [Fraction(DAYS_3), DAYS_3 + 1 / Fraction(10)]
    path = write_numbered(tmp_path / "out.mp4", given, RATE, MICROSECOND)
    assert times_and_numbers(path) == (given, [0, 1])


def test_a_video_goes_on_in_another_file_from_0_on_with_a_key_frame_and_the_same_encoder(tmp_path: Path) -> None:
    path, tick = tmp_path / "out.mp4", Fraction(1, 90_000)
    times = [[Fraction(at, 90_000) for at in ticks] for ticks in ([0, 3003, 6006], [7, 8, 90_000], [0])]
    writer = VideoWriter(path, 63, 48, RATE, tick, sample_aspect_ratio=Fraction(4, 3))
    encoder = writer._encoder
    for segment, known in enumerate(times):
        if segment:
            writer.go_on(tmp_path / f"out.{segment - 1}.mp4", f"segment {segment}")
        for number, pts in enumerate(known):
            writer.write(numbered_picture(10 * segment + number)[:, :63], pts)
    writer.close()
    assert writer._encoder is encoder
    assert writer.frames == 7
    for segment, known in enumerate(times):
        file = tmp_path / f"out.{segment}.mp4" if segment < 2 else path
        assert times_and_numbers(file) == (known, [10 * segment + number for number in range(len(known))])
        assert boxes(file)[-2:] == [b"mdat", b"moov"]
        with av.open(str(file)) as container:
            stream = container.streams.video[0]
            assert container.metadata.get("comment") == (f"segment {segment}" if segment else None)
            assert pyav.exact(stream.sample_aspect_ratio) == Fraction(4, 3)
            assert stream.codec_context.color_range == 1
            assert next(container.demux(stream)).is_keyframe


def test_a_closed_video_is_an_ordinary_mp4(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "out.mp4", [number / RATE for number in range(75)], RATE, 1 / RATE)
    assert b"moof" not in boxes(path)
    assert boxes(path)[-2:] == [b"mdat", b"moov"]


def test_every_frame_is_muxed_before_write_returns(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    writer = VideoWriter(path, 64, 48, Fraction(1), Fraction(1))
    lengths = []
    for number in range(5):
        writer.write(numbered_picture(number), Fraction(number))
        lengths.append(path.stat().st_size)
    # At one frame a second each fragment holds one frame, and comes out with the next: nothing waits in the
    # encoder.
    assert all(later > earlier for earlier, later in pairwise(lengths[1:]))
    writer.close()


KILLED = """
import os, signal, sys
from fractions import Fraction
from pathlib import Path
from streamer.video.writer import VideoWriter
from tests.videos import numbered_picture

writer = VideoWriter(Path(sys.argv[1]), 64, 48, Fraction(30), Fraction(1, 30))
for number in range(100):
    writer.write(numbered_picture(number), Fraction(number + 7, 30))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_process_leaves_a_video_that_plays_to_its_last_second(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, check=False)
    assert ended.returncode == -9
    times, numbers = times_and_numbers(path)
    assert len(times) >= 100 - 30
    assert numbers == list(range(len(numbers)))
    assert times == [Fraction(number + 7, 30) for number in range(len(times))]


def test_odd_sizes_are_made_even_by_repeating_the_last_row_and_column(tmp_path: Path) -> None:
    image = np.full((43, 61, 3), 40, np.uint8)
    image[-1, :], image[:, -1] = 200, 200
    with VideoWriter(tmp_path / "odd.mp4", 61, 43, RATE, 1 / RATE) as writer:
        writer.write(image, Fraction(0))
    with VideoReader(tmp_path / "odd.mp4") as reader:
        picture = reader.read()
    assert picture is not None
    assert picture.image is not None
    assert picture.image.shape == (44, 62, 3)
    assert picture.image[43, 20].mean() > 150
    assert picture.image[20, 61].mean() > 150
    assert picture.image[20, 20].mean() < 60


@pytest.mark.parametrize("height", [*range(1, 19), 66, 137, 241, 242])
def test_every_width_and_height_keeps_all_its_rows_columns_and_colours(tmp_path: Path, height: int) -> None:
    for width in (1, 2, 3, 16, 17, 66):
        image = np.full((height, width, 3), 200, np.uint8)
        image[:, :, 0] = 40 + np.arange(height)[:, None] % 200
        image[:, :, 1] = 100 + np.arange(width)
        with VideoWriter(tmp_path / "out.mp4", width, height, RATE, 1 / RATE) as writer:
            writer.write(image, Fraction(0))
            writer.go_on(tmp_path / "out.0.mp4", "")
            writer.write(image, Fraction(0))
        expected = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        for name in ("out.0.mp4", "out.mp4"):
            with av.open(str(tmp_path / name)) as container:
                stream = container.streams.video[0]
                assert (stream.width, stream.height) == expected.shape[1::-1]
                (found,) = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
            assert found.shape == expected.shape
            assert np.abs(found.astype(int) - expected).mean() < 6, f"{width}x{height}"


def test_colours_survive_the_round_trip(tmp_path: Path) -> None:
    colours = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (255, 255, 255), (0, 0, 0), (30, 144, 255)]
    image = np.repeat(np.array(colours, np.uint8), 16, axis=0)[None].repeat(64, axis=0)
    with VideoWriter(tmp_path / "colours.mp4", 96, 64, RATE, 1 / RATE) as writer:
        for number in range(3):
            writer.write(np.ascontiguousarray(image), number / RATE)
    with VideoReader(tmp_path / "colours.mp4") as reader:
        picture = reader.read()
    assert picture is not None
    assert picture.image is not None
    for number, colour in enumerate(colours):
        # The middle of each stripe: at its edges the chroma of two stripes mixes.
        assert np.abs(picture.image[32, number * 16 + 8].astype(int) - colour).max() <= 10


def test_the_video_says_which_colours_it_means(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "out.mp4", [Fraction(0)], RATE, 1 / RATE)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        smpte170m, limited = 6, 1
        assert context.colorspace == context.color_primaries == context.color_trc == smpte170m
        assert context.color_range == limited
        assert context.pix_fmt == "yuv420p"


def test_times_must_rise_and_be_multiples_of_the_time_base(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", 64, 48, RATE, 1 / RATE) as writer:
        writer.write(numbered_picture(0), Fraction(1, 30))
        with pytest.raises(ValueError, match="not after"):
            writer.write(numbered_picture(1), Fraction(1, 30))
        with pytest.raises(ValueError, match="no multiple"):
            writer.write(numbered_picture(1), Fraction(1, 29))
        writer.write(numbered_picture(1), Fraction(2, 30))
    assert times_and_numbers(tmp_path / "out.mp4")[1] == [0, 1]


def test_closing_without_a_frame_leaves_a_video_without_frames(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "out.mp4", [], RATE, 1 / RATE)
    assert b"moov" in boxes(path)
    assert times_and_numbers(path) == ([], [])


def test_closing_twice_does_nothing_more(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "out.mp4", 64, 48, RATE, 1 / RATE)
    writer.write(numbered_picture(0), Fraction(0))
    writer.close()
    before = (tmp_path / "out.mp4").read_bytes()
    writer.close()
    assert (tmp_path / "out.mp4").read_bytes() == before


def test_a_missing_directory_is_named_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"gone/out\.mp4: there is no such directory: create it"):
        VideoWriter(tmp_path / "gone" / "out.mp4", 64, 48, RATE, 1 / RATE)


@contextmanager
def mounted(disk: Path, options: str) -> Iterator[Path]:
    """An empty disk in memory at ``disk``; skips the test where one cannot be mounted."""
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        done = False
    if not done:
        pytest.skip("only root on Linux can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A directory that cannot be written, not even by root."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        with mounted(tmp_path / "disk", "ro") as disk:
            yield disk
    else:
        tmp_path.chmod(0o500)
        yield tmp_path
        tmp_path.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not protect directories in this way")
def test_a_directory_that_may_not_be_written_is_named_with_the_mend(read_only: Path) -> None:
    with pytest.raises(SinkError, match=r"out\.mp4: choose a directory that can be written"):
        VideoWriter(read_only / "out.mp4", 64, 48, RATE, 1 / RATE)


def test_a_size_that_cannot_be_encoded_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"as H\.264"):
        VideoWriter(tmp_path / "out.mp4", 40_000, 2, RATE, 1 / RATE)


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of as many kilobytes as the test says."""
    with mounted(tmp_path / "disk", f"size={request.param}k") as disk:
        yield disk


def noise(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A numbered picture that takes about 2 KB, because noise cannot be compressed."""
    image = numbered_picture(number)
    image[24:] = np.random.default_rng(number).integers(0, 255, (24, 64, 3), dtype=np.uint8)
    return image


def write_noise(writer: VideoWriter, frames: int) -> None:
    """Writes frames of noise at 5 frames per second."""
    for number in range(frames):
        writer.write(noise(number), Fraction(number, 5))


@pytest.mark.parametrize("small_disk", [28], indirect=True)
def test_a_full_disk_is_one_error_and_what_was_written_stays_playable(
    small_disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = small_disk / "out.mp4"
    writer = VideoWriter(path, 64, 48, Fraction(5), Fraction(1, 5))
    with pytest.raises(SinkError, match=r"disk full while writing .*out\.mp4: free some space"):
        write_noise(writer, 200)
    writer.close()
    writer.close()
    _, numbers = times_and_numbers(path)
    assert 5 <= len(numbers) < writer.frames
    assert numbers == list(range(len(numbers)))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("small_disk", [48], indirect=True)
def test_a_disk_that_fills_up_at_the_very_end_loses_no_frame(small_disk: Path) -> None:
    path = small_disk / "out.mp4"
    writer = VideoWriter(path, 64, 48, Fraction(5), Fraction(1, 5))
    write_noise(writer, 25)
    # The last fragment still fits in; the index of the finished file does not.
    with pytest.raises(SinkError, match="disk full"):
        writer.close()
    writer.close()
    assert path.stat().st_size == 48 * 1024
    assert times_and_numbers(path)[1] == list(range(25))
