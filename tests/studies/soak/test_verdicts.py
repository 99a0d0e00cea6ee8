"""The verdicts on a soak beside growth: losses, objectives, the canary and the end; and the whole assessment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.soak_power import drifting, leaking, level, quiet, rows_of
from streamer.studies.soak.answers import canary_verdict
from streamer.studies.soak.duration import end
from streamer.studies.soak.losses import OUTCOMES, losses
from streamer.studies.soak.objectives import objectives
from streamer.studies.soak.verdicts import assess
from streamer.studies.soak.windows_csv import WindowRow
from tests.studies.soak.soaks import manifest_of

HOUR = 60


def hour(**columns: Any) -> list[WindowRow]:
    """An hour in which nothing happened."""
    random = np.random.default_rng(1)
    return rows_of(quiet(random, HOUR), **{"canary": ["same"] * HOUR, **columns})


def changed(row: WindowRow, values: dict[str, Any]) -> WindowRow:
    """The row with other values."""
    return replace(row, **values)


def with_row(rows: Sequence[WindowRow], number: int, **changes: Any) -> list[WindowRow]:
    """The rows, one of them changed."""
    return [changed(row, changes) if row.window == number else row for row in rows]


def failed(rows: Sequence[WindowRow], *manifests: Any) -> list[str]:
    """The names of the verdicts that fail."""
    return [one.name for one in assess(rows, manifests or [manifest_of(rows)], 3600).verdicts if one.passed is False]


def test_an_hour_in_which_nothing_happened_passes() -> None:
    assessed = assess(hour(), [manifest_of(hour())], 3600)
    assert assessed.verdict == "passed"
    assert assessed.answer == (
        "Held for 60 min: 108,000 of 108,000 frames delivered, none lost, no drift, no leak, the canary always "
        "the same."
    )


def test_each_of_four_faults_is_found_and_no_other() -> None:
    random = np.random.default_rng(2)
    assert failed(hour(resident_mb=leaking(1, level)(random, HOUR))) == ["memory"]
    drifts = rows_of(drifting(0.01, quiet(random, HOUR)), canary=["same"] * HOUR)
    assert failed(drifts) == ["drift"]
    assert failed(with_row(hour(), 12, canary="changed", canary_changed=1)) == ["canary"]
    lost = with_row(hour(), 12, delivered=1_799)
    assert failed(lost, manifest_of(hour())) == ["losses"]


def test_all_that_fails_is_in_the_answer_with_its_figures() -> None:
    rows = with_row(hour(resident_mb=leaking(1, level)(np.random.default_rng(1), HOUR)), 30, canary="changed")
    rows = with_row(rows, 30, canary_changed=3)
    assessed = assess(rows, [manifest_of(rows)], rows[-1].end_s)
    assert assessed.verdict == "failed"
    assert assessed.answer.startswith("Failed in 60 min: memory: +1.00 MB a minute (")
    assert "canary: 3 boxes of the canary changed in window 30, by 0:31:00; in 1 of 60 windows" in assessed.answer


def test_a_short_soak_is_undecided_and_says_about_what() -> None:
    rows = hour()[:3]
    assessed = assess(rows, [manifest_of(rows)], rows[-1].end_s)
    assert assessed.verdict == "undecided"
    assert assessed.answer == (
        "Held for 3 min: 5,400 of 5,400 frames delivered, none lost, the canary always the same; too early to tell: "
        "drift, memory, open files, threads."
    )
    assert assess([], [manifest_of([])], 0).verdict == "undecided"


def test_a_frame_that_is_lost_stays_lost_while_those_under_way_come_later() -> None:
    under_way = with_row(with_row(hour(), 5, delivered=1_797), 6, delivered=1_803)
    assert losses(under_way, [manifest_of(under_way)]).passed is True
    lost = with_row(under_way, 7, delivered=1_799)
    why = losses(lost, [manifest_of(hour())]).why
    assert "1 frame without an outcome since window 7" in why
    assert "delivered is 107,999 in windows.csv and 108,000 in run.json" in why


def test_more_outcomes_than_frames_break_the_law_too() -> None:
    twice = with_row(hour(), 7, delivered=1_801)
    verdict = losses(twice, [manifest_of(hour())])
    assert verdict.why == "by window 7 more frames have met an outcome than fell due"


def test_a_window_without_a_row_is_missed() -> None:
    rows = [row for row in hour() if row.window != 20]
    assert "window 20 has no row, the next is 21" in losses(rows, [manifest_of(hour())]).why


def test_a_ledger_that_breaks_the_law_fails_too() -> None:
    manifest = manifest_of(hour())
    manifest["frames"]["delivered"] -= 1
    assert "run.json is INVALID: 108,000 frames, 107,999 outcomes" in losses(hour(), [manifest]).why
    assert losses(hour(), [manifest_of(hour(), verdict="INVALID")]).passed is False


@pytest.mark.parametrize("outcome", ["decode_error", "engine_error", "sink_error", "abandoned"])
def test_frames_that_fail_in_mid_run_are_losses(outcome: str) -> None:
    rows = with_row(hour(), 9, delivered=1_796, **{outcome: 4})
    verdict = losses(rows, [manifest_of(rows)])
    assert verdict.passed is False
    assert verdict.figures["lost"] == 4
    assert verdict.why.startswith("4 frames ")
    assert verdict.why.endswith("first in window 9")


def test_frames_that_could_not_be_decoded_say_why() -> None:
    rows = with_row(hour(), 9, delivered=1_796, decode_error=4)
    reasons = [{"reason": "its data is damaged", "frames": 4, "stream": 0, "frame": 16_300}]
    verdict = losses(rows, [manifest_of(rows, decode_errors={"reasons": reasons, "others": 0})])
    assert verdict.why == '4 frames not decoded (4 "its data is damaged"), first in window 9'


def test_frames_that_are_dropped_not_given_by_the_source_or_abandoned_by_the_end_are_reported_but_no_losses() -> None:
    rows = with_row(with_row(hour(), 9, delivered=1_790, dropped=6, source_error=4), 59, delivered=1_799, abandoned=1)
    verdict = losses(rows, [manifest_of(rows)])
    assert verdict.passed is True
    assert verdict.why == (
        "none of 108,000 frames lost, 6 dropped (0.01%), 4 source error (0.00%), 1 abandoned (0.00%) at the end"
    )


def test_a_part_that_was_killed_has_frames_behind_its_last_window_and_they_are_no_losses() -> None:
    first = with_row(hour()[:30], 29, delivered=1_798)
    second = [replace(row, part=1) for row in hour()[30:]]
    rows = [*first, *second]
    assert losses(rows, [None, manifest_of(second)]).passed is True
    repaired = manifest_of(hour()[:30], verdict="INTERRUPTED", repaired={})
    repaired["frames"] |= {"scheduled": 54_500, "delivered": 54_497, "abandoned": 3}
    assert losses(rows, [repaired, manifest_of(second)]).passed is True
    # The same of a part that ended by itself is a loss.
    assert losses(rows, [manifest_of(hour()[:30]), manifest_of(second)]).passed is False


@settings(max_examples=50)
@given(
    st.lists(st.dictionaries(st.sampled_from(OUTCOMES), st.integers(1, 9)), min_size=1, max_size=8),
    st.data(),
)
def test_a_lost_row_is_found_wherever_it_is(windows: list[dict[str, int]], data: st.DataObject) -> None:
    rows = [
        changed(row, {**dict.fromkeys(OUTCOMES, 0), **met, "scheduled": sum(met.values())})
        for row, met in zip(hour(), windows, strict=False)
    ]
    whole = manifest_of(rows)
    kept = losses(rows, [whole]).why
    assert not any(words in kept for words in ("outcome", "INVALID", "run.json"))
    some = [(row.window, name) for row in rows for name in OUTCOMES if getattr(row, name)]
    assume(some)
    window, name = data.draw(st.sampled_from(some))
    less = with_row(rows, window, **{name: getattr(rows[window], name) - 1})
    assert "1 frame without an outcome" in losses(less, [whole]).why


def check(objective: str, met: bool, why: str) -> dict[str, Any]:
    return {"objective": objective, "value": None, "met": met, "why": why}


def test_objectives_are_those_of_the_run_and_windows_are_counted_beside() -> None:
    rows = with_row(with_row(hour(), 3, latency_p99_ms=50.0), 4, latency_p99_ms=None, delivered=1_700, dropped=100)
    checks = [
        check("latency.p99<33ms", True, "21.2 ms"),
        check("drops<1%", False, "2.3%"),
        check("infer.p50<20ms", True, "12 ms"),
    ]
    verdict = objectives(rows, [manifest_of(rows, slo_checks=checks)])
    assert verdict is not None
    assert verdict.passed is False
    assert verdict.why == (
        "latency.p99<33ms met with 21.2 ms, in 58 of 59 windows; drops<1% missed with 2.3%, in 59 of 60 windows; "
        "infer.p50<20ms met with 12 ms"
    )


def test_without_objectives_there_is_no_verdict_on_them() -> None:
    assert objectives(hour(), [manifest_of(hour())]) is None
    assert "slo" not in [one.name for one in assess(hour(), [manifest_of(hour())], 3600).verdicts]


def test_objectives_must_be_met_in_every_part() -> None:
    rows = [replace(row, part=row.window // 30) for row in hour()]
    manifests = [manifest_of(rows[:30], slo_checks=[check("late<1%", met, "0.1%")]) for met in (True, False)]
    verdict = objectives(rows, manifests)
    assert verdict is not None
    assert verdict.passed is False
    assert "met with 0.1%, in 30 of 30 windows in part 0; late<1% missed" in verdict.why


def test_a_canary_that_was_never_looked_at_leaves_its_verdict_open() -> None:
    verdict = canary_verdict(hour(canary=[None] * HOUR))
    assert verdict.passed is None
    assert "--canary" in verdict.why


def test_the_first_window_in_which_the_canary_changed_is_named() -> None:
    rows = with_row(with_row(hour(), 12, canary="changed", canary_changed=1), 40, canary="changed", canary_changed=5)
    verdict = canary_verdict(rows)
    assert verdict.why.startswith("1 box of the canary changed in window 12, by 0:13:00; in 2 of 60 windows")
    assert verdict.figures == {"windows": 60, "changed": 2, "first_changed": 12, "most_boxes": 5}


def test_a_verdict_is_json_as_it_is() -> None:
    verdicts = [one.as_dict() for one in assess(hour(), [manifest_of(hour())], 3600).verdicts]
    assert json.loads(json.dumps(verdicts)) == verdicts
    assert {tuple(one) for one in verdicts} == {("name", "passed", "why", "figures")}


def test_a_part_whose_manifest_was_left_out_is_a_programming_error() -> None:
    rows = [replace(row, part=1) for row in hour()]
    with pytest.raises(AssertionError, match="part is missing"):
        assess(rows, [manifest_of(rows)], rows[-1].end_s)


def test_an_error_or_a_source_that_is_over_too_soon_fails_a_soak_and_one_that_was_stopped_may_go_on() -> None:
    rows = hour()
    verdicts = {
        what: end([manifest_of(rows, **changes)], 3600, asked_s)
        for what, changes, asked_s in (
            ("whole", {}, 3600),
            ("failed", {"error": "the source is stuck", "verdict": "FAILED"}, 3600),
            ("over", {}, 7200),
            ("stopped", {"verdict": "INTERRUPTED"}, 7200),
        )
    }
    assert {what: one.passed for what, one in verdicts.items()} == {
        "whole": True,
        "failed": False,
        "over": False,
        "stopped": None,
    }
    assert "the source is stuck" in verdicts["failed"].why
    assert "60 min of 2 h" in verdicts["stopped"].why
