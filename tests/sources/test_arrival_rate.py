"""The rate of frames that come: measured from their arrivals and their own times, and watched during the run."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from streamer.sources.arrival_rate import ArrivalRate, RateMeter, RateWatch, named_rate, rate_doubts


def measured(
    sent: float, *, stamped: float | None = None, jitter_us: float = 0, kept: int = 0, announced: int | None = None
) -> tuple[ArrivalRate, float]:
    """The rate measured of frames that come ``sent`` a second with times of ``stamped`` a second, and the seconds.

    They come later than they are sent by up to ``jitter_us``, the same at each call; ``kept`` ones come at once.
    """
    meter, late = RateMeter(), np.random.default_rng(19).uniform(0, jitter_us, 1000)
    number = 0
    while not meter.enough:
        at_us = round(max(0, number - kept) * 1e6 / sent + late[number] + min(number, kept) * 700)
        waited_us = round(1e6 / sent) - 2_000 if number > kept else 0
        meter.add(None if stamped is None else Fraction(number) / Fraction(stamped), at_us, waited_us)
        number += 1
    found = meter.measured(None if announced is None else Fraction(announced))
    assert found is not None
    return found, number / sent


@pytest.mark.parametrize("sent", [1, 5, 6.67, 10, 12.5, 15, 20, 24.3, 25, 30, 60, 120])
@pytest.mark.parametrize("kept", [0, 7, 145])
def test_arrivals_give_the_rate_within_two_percent(sent: float, kept: int) -> None:
    found, _ = measured(sent, jitter_us=4_000, kept=kept)
    assert float(found.rate) == pytest.approx(sent, rel=0.02)
    assert not found.own_times_hold


@pytest.mark.parametrize("sent", [10, 24, 25, 29.97, 50])
@pytest.mark.parametrize("jitter_us", [0, 5_000, 150_000])
def test_own_times_that_run_as_frames_come_give_the_rate_exactly(sent: float, jitter_us: float) -> None:
    found, took_s = measured(sent, stamped=sent, jitter_us=jitter_us)
    assert float(found.rate) == pytest.approx(sent, rel=0.002)
    assert found.own_times_hold
    assert took_s <= 1.5 or jitter_us > 0


@pytest.mark.parametrize(("sent", "stamped"), [(20, 25), (10, 25), (24, 25), (30, 25), (25, 24)])
def test_times_that_run_faster_or_slower_than_frames_come_do_not_hold(sent: float, stamped: float) -> None:
    found, _ = measured(sent, stamped=stamped, jitter_us=3_000, announced=25)
    assert float(found.rate) == pytest.approx(sent, rel=0.02)
    assert not found.own_times_hold


@pytest.mark.parametrize("at_once", [2, 5, 21, 25])
@pytest.mark.parametrize("stamped", [True, False])
@pytest.mark.parametrize("stalled_us", [0, 1_200])
def test_frames_that_come_several_at_once_give_their_rate_after_many_of_them(
    at_once: int, stamped: bool, stalled_us: int
) -> None:
    meter, number = RateMeter(), 0
    while not meter.enough:
        burst, place = divmod(number, at_once)
        # Frames are small: reading one takes as long as decoding it. The reader was stalled once.
        at_us = burst * at_once * 40_000 + place * 80 + (stalled_us if place > 3 else 0)
        waited_us = stalled_us if place == 4 else 40 if place else at_once * 40_000 - 2_000
        meter.add(Fraction(number, 25) if stamped else None, at_us, waited_us)
        number += 1
    found = meter.measured(Fraction(25))
    assert found is not None
    assert float(found.rate) == pytest.approx(25, rel=0.02 if stamped or at_once < 10 else 0.1)
    assert found.own_times_hold == stamped


def test_ten_intervals_are_enough_and_slow_cameras_are_measured_for_one_interval_or_five_seconds() -> None:
    assert measured(25, stamped=25)[1] == pytest.approx(11 / 25)
    assert measured(0.1)[1] == 20  # one interval
    assert measured(1)[1] == 6


def test_one_frame_or_all_at_once_give_no_rate() -> None:
    meter = RateMeter()
    assert not meter.enough
    meter.add(None, 5, 0)
    assert meter.measured(None) is None
    meter.add(None, 5, 0)
    assert meter.measured(Fraction(25)) is None


def test_a_rate_is_rounded_to_the_announced_or_a_whole_one_that_is_near() -> None:
    ntsc = Fraction(30_000, 1001)
    assert named_rate(29.95, ntsc) == ntsc
    assert named_rate(29.95, None) == 30
    assert named_rate(12.5, Fraction(25)) == Fraction(25, 2)
    assert named_rate(24.6, Fraction(25)) == Fraction(246, 10)
    assert named_rate(0.149, None) == Fraction(15, 100)
    assert named_rate(0.001, None) == Fraction(1, 100)


@pytest.mark.parametrize(
    ("announced", "came", "doubted"), [(25, 24, False), (25, 10, True), (25, 26, False), (10, 12, True)]
)
def test_an_announced_rate_is_doubted_from_five_percent_on(announced: int, came: int, doubted: bool) -> None:
    found = ArrivalRate(Fraction(came), own_times_hold=True)
    doubts = rate_doubts("rtsp://cam", Fraction(announced), found, found.rate)
    assert (doubts != []) == doubted
    assert all(f"announces {announced} fps, and its frames came at {came} fps" in doubt for doubt in doubts)
    assert rate_doubts("rtsp://cam", None, found, found.rate) == []


def test_a_rate_that_could_not_be_measured_is_stated() -> None:
    assert rate_doubts("a", Fraction(25), None, Fraction(25)) == [
        "the frame rate of a could not be measured: 25 is what it announces"
    ]
    assert rate_doubts("a", None, None, Fraction(30)) == ["the frame rate of a could not be measured: 30 is assumed"]


class Watched:
    """A camera of 25 frames a second, watched."""

    def __init__(self) -> None:
        self.watch = RateWatch(Fraction(25), 0)
        self.at_us = 0

    def come(self, frames: int, fps: float, waited_us: int = 30_000) -> None:
        for _ in range(frames):
            self.watch.requested(self.at_us)
            self.at_us += round(1e6 / fps)
            self.watch.came(self.at_us, waited_us)


def test_a_rate_that_changes_later_is_a_doubt_with_both_figures() -> None:
    camera = Watched()
    camera.come(1_000, 25)
    assert camera.watch.doubts == []
    camera.come(1_000, 12)
    assert 70 < float(camera.watch.doubts[0].partition(" for ")[2].split()[0]) < 84
    assert camera.watch.doubts[0].startswith("frames came at 25 fps before the run, and at 12 fps for ")


def test_rates_that_are_near_and_few_frames_are_not_reported() -> None:
    for frames, fps in ((2_000, 24.2), (49, 12)):
        camera = Watched()
        camera.come(frames, fps)
        assert camera.watch.doubts == []


def test_frames_kept_while_nobody_read_and_outages_are_no_change_of_the_rate() -> None:
    camera = Watched()
    for _ in range(5):
        camera.come(200, 25)
        camera.at_us += 5_000_000  # nobody reads
        camera.come(125, 1_000, waited_us=100)
        camera.come(100, 25)
        camera.watch.paused()
        camera.at_us += 60_000_000
    assert camera.watch.doubts == []


@pytest.mark.parametrize("silence_s", [1, 3, 4])
def test_a_silence_of_the_network_and_the_burst_after_it_change_no_rate(silence_s: int) -> None:
    camera = Watched()
    camera.come(100, 25)
    begin_us, kept = camera.at_us, silence_s * 25
    camera.at_us += silence_s * 1_000_000
    camera.come(kept, 1_000)
    assert camera.at_us < begin_us + (kept + 25) * 40_000
    camera.at_us = begin_us + kept * 40_000 + silence_s * 1_000
    camera.come(300, 25)
    assert camera.watch.doubts == []


@pytest.mark.parametrize("stamped", [25, None])
@pytest.mark.parametrize("burst_s", [1, 2, 2.4])
def test_frames_that_come_in_bursts_of_seconds_have_the_rate_at_which_they_were_sent(
    burst_s: float, stamped: int | None
) -> None:
    meter, frames = RateMeter(), round(25 * burst_s)
    number = 0
    while not meter.enough:
        burst, place = divmod(number, frames)
        waited_us = round(burst_s * 1e6) - frames * 900 if place == 0 else 300
        own = None if stamped is None else Fraction(number, stamped)
        meter.add(own, round(burst * burst_s * 1e6) + place * 900, waited_us)
        number += 1
    found = meter.measured(None)
    assert found == ArrivalRate(
        Fraction(25), own_times_hold=stamped is not None, longest_wait_us=round(burst_s * 1e6) - frames * 900
    )


def test_a_rate_that_is_the_decoders_is_stated_as_such() -> None:
    meter = RateMeter()
    for number in range(60):
        meter.add(Fraction(number, 60), number * 200_000, 100)
    assert meter.enough
    found = meter.measured(Fraction(60))
    assert found == ArrivalRate(Fraction(5), own_times_hold=False, waited=False, longest_wait_us=100)
    assert rate_doubts("a", Fraction(60), found, found.rate) == [
        "a, which announces 60 fps, comes faster than it is decoded here, at 5 fps: its frames are old when they "
        "come, and the rate is the decoder's"
    ]
