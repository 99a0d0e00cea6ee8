"""The frame at which OpenCV lands when it seeks a number in an annotated video.

OpenCV seeks to a key frame, multiplies its time by the mean rate for its number, and counts on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest

from streamer.vendors.opencv import cv2
from streamer.video.writer import VideoWriter
from tests.videos import number_of, numbered_picture, write_video

FRAMES = 100
TICK = Fraction(1, 90_000)
UNEVEN = list(accumulate([1500, 9000, 3000, 6000] * 12 + [3000] * 51, initial=0))[:FRAMES]
"""Ticks of pictures that come at 18 a second first, and then at 30."""


def annotated(path: Path, ticks: Sequence[int], time_base: Fraction, rate: Fraction) -> Path:
    """An annotated video of numbered pictures."""
    with VideoWriter(path, 64, 48, rate, time_base) as writer:
        for number, tick in enumerate(ticks):
            writer.write(numbered_picture(number), tick * time_base)
    return path


def plain(path: Path, ticks: Sequence[int], keyframe_every: int) -> Path:
    """The same pictures as FFmpeg writes them by its defaults, but for the distance of key frames."""
    options = {"bf": "0", "sc_threshold": "0"}
    return write_video(
        path, FRAMES, rate=Fraction(30), ticks=ticks, time_base=TICK, keyframe_every=keyframe_every, options=options
    )


def landings(path: Path) -> list[int | None]:
    """The number of the picture that OpenCV gives for each number; None where it gives none."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    found: list[int | None] = []
    for number in range(FRAMES):
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        came, image = capture.read()
        found.append(number_of(image.astype("uint8")) if came else None)
    capture.release()
    return found


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30_000, 1001), Fraction(10)])
@pytest.mark.parametrize("first", [0, 7])
def test_at_a_constant_rate_it_is_the_frame_of_that_number(tmp_path: Path, rate: Fraction, first: int) -> None:
    path = annotated(tmp_path / "out.mp4", range(first, first + FRAMES), 1 / rate, rate)
    assert landings(path) == list(range(FRAMES))


def test_at_a_variable_rate_it_is_what_any_file_of_these_times_and_key_frames_gives(tmp_path: Path) -> None:
    ours = landings(annotated(tmp_path / "out.mp4", UNEVEN, TICK, Fraction(30)))
    assert ours == landings(plain(tmp_path / "plain.mp4", UNEVEN, 30))
    assert ours != list(range(FRAMES)), "OpenCV counts right now: docs/explain/limits.md says that it does not"
    assert landings(plain(tmp_path / "one-key-frame.mp4", UNEVEN, FRAMES)) == list(range(FRAMES))
