"""The nominal rate of a file is one over its usual interval."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest

from streamer.video.rate import choose_rate
from streamer.video.reader import VideoReader
from tests.videos import write_video

MS = Fraction(1, 1000)


def ticks_of(*intervals: Sequence[int]) -> list[int]:
    return list(accumulate((tick for some in intervals for tick in some), initial=0))


@pytest.mark.parametrize(
    ("ticks", "rate"),
    [
        pytest.param(ticks_of([40] * 295, [1640] * 4), 25, id="pauses that are no gaps"),
        pytest.param(ticks_of(*[[33, 33, 34, 33, 33, 34, 33, 67]] * 20), 30, id="one in nine left out"),
        pytest.param(ticks_of([33] * 46, [66], [100] * 50), 15, id="two rates, half and half"),
        pytest.param(ticks_of([3, 3, 3, 3] * 20), Fraction(1000, 3), id="even, few ticks a frame"),
        pytest.param(ticks_of([40] * 80, [41, 39] * 10, [1000]), 25, id="jitter"),
    ],
)
def test_the_rate_is_that_of_the_usual_interval(ticks: list[int], rate: Fraction) -> None:
    found, _ = choose_rate(ticks, MS, (Fraction(25), Fraction(30)))
    assert float(found) == pytest.approx(float(rate), rel=0.02)


def test_even_intervals_of_few_ticks_do_not_vary() -> None:
    assert choose_rate(ticks_of([4] * 50), Fraction(1, 100), ()) == (Fraction(25), False)


def test_a_recording_cut_in_front_is_as_long_as_its_pictures(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.ts", 60, codec="mpeg2video", keyframe_every=24, options={"bf": "0"})
    data = whole.read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(data[len(data) // 10 // 188 * 188 :])
    with VideoReader(cut) as reader:
        assert len(reader.schedule) == 36
        assert reader.info.frames == 36
        assert reader.info.rate == 25
        assert not reader.info.variable
        assert reader.info.duration == Fraction(36, 25)


@pytest.mark.parametrize("count", [2, 10, 100])
def test_a_raw_stream_that_says_no_rate_is_a_doubt(count: int, tmp_path: Path) -> None:
    path = write_video(tmp_path / "x.mjpeg", count, codec="mjpeg", pixel_format="yuvj420p")
    with VideoReader(path) as reader:
        assert reader.doubts == ["the file says no frame rate, and its times are FFmpeg's guess: 25 is used"]
