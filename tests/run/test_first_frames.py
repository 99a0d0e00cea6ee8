"""Before the origin: what live sources have kept is discarded, whatever rate they announce and whoever paces them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.frame import Frame
from streamer.run.first_frames import Leaving, catch_up
from streamer.sources.base import SourceInfo, Unreadable

DECODE_US, CONVERT_US = 2_000, 300
SECOND_US = 1_000_000


@dataclass
class Kept:
    """A source whose frames are made every ``interval_us``, from the clock's 0 on, and kept until they are read.

    It announces ``rate``. It goes on for ``lasts_us``, and then ends, or fails with the message ``fails``. Its times
    are its ``own``, or the instants at which it is read. One that is ``paced`` by its reader makes a frame when it is
    read.
    """

    interval_us: int
    rate: Fraction
    own: bool = True
    paced: bool = False
    lasts_us: int = 1_000 * SECOND_US
    fails: str = ""
    now: int = 0
    read_us: list[int] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def info(self) -> SourceInfo:
        return SourceInfo("kept", 1, 1, self.rate, None, Fraction(1, SECOND_US), "", live=True)

    def now_us(self) -> int:
        return self.now

    async def wait_until(self, instant_us: int) -> None:
        raise NotImplementedError

    def read(self) -> Frame | Unreadable | None:
        index = len(self.read_us)
        made_us = index * self.interval_us
        if made_us > self.lasts_us:
            if self.fails:
                raise SourceError(self.fails)
            return None
        self.now += DECODE_US
        if not self.paced:
            self.now = max(self.now, made_us)
        self.read_us.append(made_us)
        arrived_us = self.now
        self.now += CONVERT_US - index % 5 * 50
        pts = Fraction(made_us if self.own else arrived_us, SECOND_US)
        return Frame(0, index, pts, np.zeros((1, 1, 3), np.uint8), arrived_us)

    def pts(self, index: int) -> Fraction | None:
        return None

    def close(self) -> None:
        pass


def after_three_seconds(source: Kept) -> Kept:
    """Its first frame was read at once, and then nobody read for 3 s; now what it has kept is discarded."""
    source.read()
    source.now = 3 * SECOND_US
    catch_up(source, 0, source, lambda _: True)
    return source


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("announced", [10, 25, 100])
@pytest.mark.parametrize("sent", [10, 25, 60])
def test_all_that_was_kept_is_discarded_whatever_rate_is_announced(sent: int, announced: int, own: bool) -> None:
    source = after_three_seconds(Kept(SECOND_US // sent, Fraction(announced), own))
    next_us = len(source.read_us) * source.interval_us
    assert next_us >= source.now - DECODE_US - CONVERT_US, "a frame is left that was kept"
    # Where neither its times nor its rate show it, it is read for as long as it was left alone.
    most_us = 2 * SECOND_US if own or announced >= sent else 3 * SECOND_US
    assert source.now <= 3 * SECOND_US + most_us + source.interval_us


def test_a_camera_that_sends_a_frame_in_ten_seconds_is_waited_for_once() -> None:
    source = after_three_seconds(Kept(10 * SECOND_US, Fraction(1, 10)))
    assert source.read_us == [0, 10 * SECOND_US]


@pytest.mark.parametrize("own", [True, False])
def test_no_more_than_the_time_that_has_passed_is_read_from_one_that_its_reader_paces(own: bool) -> None:
    source = after_three_seconds(Kept(40_000, Fraction(25), own, paced=True))
    assert source.now <= 6 * SECOND_US + DECODE_US + CONVERT_US
    if own:
        assert source.read_us[-1] <= 3_400_000


def test_it_is_read_on_until_all_others_have_come_so_far() -> None:
    source = Kept(40_000, Fraction(25))
    source.read()
    source.now = SECOND_US
    catch_up(source, 0, source, lambda _: source.now > 5 * SECOND_US)
    assert source.read_us[-1] > 5 * SECOND_US - 2 * source.interval_us


def test_one_that_ends_or_fails_before_the_run_begins_says_so() -> None:
    with pytest.raises(SourceError, match="kept: ended before the run began: give one that lasts longer"):
        after_three_seconds(Kept(40_000, Fraction(25), lasts_us=2 * SECOND_US))
    with pytest.raises(SourceError, match="hung up"):
        after_three_seconds(Kept(40_000, Fraction(25), lasts_us=2 * SECOND_US, fails="hung up"))


def test_quick_cameras_stop_together_and_slow_ones_before_them() -> None:
    leaving = Leaving({0: 40_000, 1: 40_000, 2: 10 * SECOND_US, 3: 8 * SECOND_US, 4: 40_000})
    assert not leaving.may(0, 40_000)
    assert not leaving.may(1, 840_000)  # it sends several at once
    assert leaving.may(2, 9 * SECOND_US)
    assert not leaving.may(1, 840_000)
    assert not leaving.may(0, 40_000)
    assert leaving.may(3, 8 * SECOND_US)
    assert not leaving.may(0, 40_000)  # number 4 is behind, and number 1 reads on
    assert leaving.may(1, 840_000)
    assert not leaving.may(0, 40_000)
    leaving.gone(4)
    assert leaving.may(0, 40_000)


def test_one_that_fails_holds_nobody_up() -> None:
    leaving = Leaving({0: 40_000, 1: 10 * SECOND_US})
    assert not leaving.may(0, 40_000)
    leaving.gone(1)
    assert leaving.may(0, 40_000)
