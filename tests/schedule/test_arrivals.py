"""When frames arrive: recorded, or in bursts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from streamer.errors import UsageError
from streamer.ledger.record import Outcome
from streamer.pipeline.drop_policy import Policy
from streamer.schedule.arrivals import Bursty, parse_arrivals
from tests.rig import Rig


def test_a_network_camera_pauses_and_then_delivers_its_backlog_at_once() -> None:
    camera = Bursty(pause_us=450_000, every_us=2_000_000)
    due = [camera.due_us(index, 100_000 * index) for index in range(25)]
    assert due[:16] == [100_000 * index for index in range(16)]
    assert due[16:20] == [2_000_000] * 4
    assert due[20:] == [100_000 * index for index in range(20, 25)]


def test_recorded_times_count_from_the_first(tmp_path: Path) -> None:
    (tmp_path / "times.csv").write_text("frame,arrival_ms\n0,1000.25\n1,1033\n2,1033\n3,1700.5\n")
    arrivals = parse_arrivals(str(tmp_path / "times.csv"))
    assert [arrivals.due_us(index, 0) for index in range(5)] == [0, 32_750, 32_750, 700_250, None]


def test_the_refinements_of_bursty() -> None:
    assert parse_arrivals("bursty") == Bursty(450_000, 2_000_000)
    assert parse_arrivals("bursty,every_s=1,pause_ms=100.5") == Bursty(100_500, 1_000_000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bursty,pause=3", "not 'pause'"),
        ("bursty,pause_ms=long", "takes a number, not 'long'"),
        ("bursty,pause_ms=3000", "shorter than every_s"),
        ("bursty,pause_ms=0", "longer than 0"),
        ("nosuch.csv", "no such file"),
    ],
)
def test_what_is_no_model_of_arrivals(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_arrivals(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("time\n1\n", "has no column arrival_ms"),
        ("", "has no column arrival_ms"),
        ("arrival_ms\n", "holds no times"),
        ("arrival_ms\n1\n2\nsoon\n", "line 4: 'soon' is no time"),
        ("arrival_ms\n1\nnan\n", "line 3: 'nan' is no time"),
        ("arrival_ms\n1\n5\n4.9\n", "line 4: the time goes back to 4.9 ms"),
    ],
)
def test_a_file_of_arrivals_that_makes_no_sense_names_the_line(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=reason):
        parse_arrivals(str(path))


def test_a_burst_is_due_at_once_and_the_link_decides_what_is_dropped() -> None:
    rig = Rig(fps=Fraction(10), frames=25, services_s=(0.02,), arrivals=Bursty(450_000, 2_000_000)).run()
    burst = [record for record in rig.records if record.scheduled == 2_000_000]
    assert [record.frame for record in burst] == [16, 17, 18, 19, 20]
    # The engine takes the first at once, the queue keeps the newest.
    assert [r.frame for r in burst if r.outcome is Outcome.DELIVERED] == [16, 20]
    assert all(record.lateness == 0 for record in rig.records if record.captured is not None)


def test_waiting_takes_a_burst_one_by_one() -> None:
    arrivals = Bursty(450_000, 2_000_000)
    rig = Rig(fps=Fraction(10), frames=25, services_s=(0.02,), policy=Policy.WAIT, queue=0, arrivals=arrivals).run()
    burst = [record for record in rig.records if record.scheduled == 2_000_000]
    assert [record.latency for record in burst] == [20_000, 40_000, 60_000, 80_000, 100_000]


def test_a_run_ends_with_the_recorded_arrivals(tmp_path: Path) -> None:
    (tmp_path / "times.csv").write_text("arrival_ms\n0\n500\n600\n")
    rig = Rig(frames=10, services_s=(0.01,), arrivals=parse_arrivals(str(tmp_path / "times.csv"))).run()
    assert [record.scheduled for record in rig.records] == [0, 500_000, 600_000]
