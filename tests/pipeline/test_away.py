"""A camera that is away when the run begins: an outage from the origin, attempts to open it; the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from streamer.errors import SourceError
from streamer.ledger.outages import outages_in
from streamer.pipeline.live_feed import LAST_READ_S, PAUSES_S
from streamer.schedule.schedule import Limits
from tests.pipeline.test_live_feed import FRAME, HUNG_UP, REFUSED, fates, well
from tests.rig import Rig

FIRST = frozenset({0})
THERE = [FRAME] * 120 + [(0.04, "end")]


def test_one_that_is_away_when_the_run_begins_and_comes_later_has_an_outage_from_the_origin() -> None:
    # Refused at 0.5 s, then after 1 s; opened at 3.5 s, with its first frame 40 ms later.
    rig = Rig(live=[[REFUSED] * 2 + [FRAME] * 5 + [(0.04, "end")], THERE], away=FIRST, services_s=(0.001,)).run()
    assert well(rig)
    assert fates(rig) == "n" * 88 + "d" * 5
    assert fates(rig, 1) == "d" * 119
    (outage,) = rig.outages.part()["each"]
    assert (outage["stream"], outage["begin_ms"], outage["end_ms"], outage["frames"]) == (0, 0.0, 3540.0, 88)
    assert outage["attempts"] == 3
    assert outage["why"] == ["was off", "connection refused: check the port"]
    here = [one for one in rig.records if one.stream == 0]
    assert [one.scheduled for one in here[:88]] == [40_000 * tick for tick in range(1, 89)]
    assert [one.pts for one in here] == [one.scheduled for one in here]


def test_the_ticks_of_an_outage_are_rows_when_they_pass_and_not_when_it_is_known_that_nothing_came() -> None:
    slow = [(4.0, "no route"), (4.0, "no route")]
    rig = Rig(live=[slow, THERE], away=FIRST, services_s=(0.001,), stop_at_us=3_000_000).run()
    assert well(rig)
    assert fates(rig) == "n" * 74  # the attempt that was under way all the time kept none back


def test_the_pauses_before_attempts_to_open_one_grow_as_those_of_one_that_was_lost() -> None:
    script = [*[REFUSED] * 6, (0.0, "frame"), (0.0, "end")]
    rig = Rig(live=[script], away=FIRST, services_s=(0.001,)).run()
    assert rig.records[-1].scheduled == round(sum([*PAUSES_S, *[PAUSES_S[-1]] * 2]) * 1_000_000)


def test_its_ticks_are_at_the_assumed_rate_to_the_end_and_a_doubt_has_both_rates() -> None:
    script = [REFUSED] * 2 + [FRAME] * 5 + [HUNG_UP, (2.0, "no route"), *[FRAME] * 3, (0.04, "end")]
    rig = Rig(live=[script, THERE], away=FIRST, away_rate=Fraction(10), services_s=(0.001,)).run()
    assert well(rig)
    first, second = (outage for outage in rig.outages.part()["each"] if outage["stream"] == 0)
    assert (first["frames"], second["frames"]) == (35, 35)
    ticks = [one.scheduled for one in rig.records if one.stream == 0][:35]
    assert {later - earlier for earlier, later in pairwise(ticks)} == {100_000}
    (doubt,) = rig.cameras[0].source.doubts
    assert doubt == (
        "virtual was away when the run began: 10 frames a second, which most of the others have, are assumed as its "
        "rate; it comes at 25"
    )


def test_until_it_comes_its_size_is_not_known_and_a_note_says_why_it_is_away() -> None:
    rig = Rig(live=[[REFUSED] * 9, THERE], away=FIRST, services_s=(0.001,), stop_at_us=2_000_000).run()
    info = rig.cameras[0].source.info
    assert (info.width, info.height, info.live) == (0, 0, True)
    assert info.notes == ("stream 0: virtual is away: was off",)
    assert "it comes at" not in rig.cameras[0].source.doubts[0]


def test_one_that_never_comes_is_given_up_as_one_that_was_lost() -> None:
    rig = Rig(live=[[REFUSED] * 50, THERE * 9], away=FIRST, services_s=(0.001,), give_up_us=10_000_000).run()
    assert well(rig)
    assert isinstance(rig.pipeline.failure, SourceError)
    assert "no frame for 10 s, in which 4 attempts to connect failed" in str(rig.pipeline.failure)
    assert fates(rig) == "n" * 250
    assert rig.ended_us <= 10_000_000 + LAST_READ_S * 1_000_000


@pytest.mark.parametrize("limits", [Limits(frames=30), Limits(duration_us=1_240_000)])
def test_a_limit_is_kept_while_it_is_away(limits: Limits) -> None:
    rig = Rig(live=[[REFUSED] * 50, THERE], away=FIRST, services_s=(0.001,), limits=limits).run()
    assert well(rig)
    assert fates(rig) == "n" * 30
    assert rig.pipeline.failure is None


def test_the_outage_is_found_in_the_rows_of_a_run_that_was_killed() -> None:
    script = [REFUSED, *[FRAME] * 20]
    rig = Rig(live=[script, THERE], away=FIRST, services_s=(0.001,), stop_at_us=2_500_000).run()
    expected: Mapping[str, Any] = rig.outages.part()
    found: Mapping[str, Any] = outages_in(rig.records, 2, rig.ended_us)
    assert found["count"] == expected["count"] == 1
    for key in ("begin_ms", "end_ms", "frames", "stream"):
        assert found["each"][0][key] == expected["each"][0][key]
