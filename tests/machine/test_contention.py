"""What the machine tells of itself, from files as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamer.machine import contention
from streamer.machine.cgroups import Group


def test_throttling_is_what_the_control_group_and_the_processor_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, core = tmp_path / "cpu.stat", tmp_path / "core_throttle_count"
    group.write_text("usage_usec 9000\nnr_periods 50\nnr_throttled 42\nthrottled_usec 7000\n")
    core.write_text("3\n")
    monkeypatch.setattr(contention, "own_groups", lambda: (Group(tmp_path, 2),))
    monkeypatch.setattr(contention, "HEAT", core)
    assert contention.throttled() == 45
    group.unlink()
    assert contention.throttled() == 3


STAT = """cpu  9000 0 900 90000 0 0 0 99 0 0
cpu0 100 10 20 9000 5 3 7 50 0 0
cpu1 4000 0 0 9000 0 0 0 0 0 0
cpu3 200 0 40 9000 0 0 0 10 0 0
intr 1 2 3
"""


def test_what_happens_on_other_cores_takes_nothing_of_ours() -> None:
    assert contention.of_cores(STAT, {0, 3}, 100) == pytest.approx((3.8, 0.6))
    assert contention.of_cores(STAT, {2}, 100) == (0.0, 0.0)  # it is switched off


@pytest.mark.parametrize(("busy_s", "used"), [(30.0, 0.0), (62.0, 0.0), (64.0, 1.5)])
def test_others_may_use_the_cores_that_a_quota_leaves_idle(busy_s: float, used: float) -> None:
    begun = contention.Reading(0.0, 0.0, 0.0, 0.0, 0, 0)
    meter = contention.ContentionMeter(begun)
    # On 64 cores we may use two, and have used half a core: others have 62 for themselves.
    meter.sampled(1_000_000, contention.Reading(1.0, 0.5, busy_s, 0.0, 0, 0, spare_s=62.0))
    assert meter.others_cores == pytest.approx(used)
    assert (contention.OTHERS in meter.during(0, 1_000_000)) == (used > 0)
