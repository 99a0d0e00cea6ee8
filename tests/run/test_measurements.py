"""What watches a run: a device that changes in mid-run splits its statistics; the spin follows the machine."""

from __future__ import annotations

from collections.abc import Mapping

from streamer.engines.base import Request
from streamer.ledger.record import FrameRecord, Outcome
from streamer.run.measured_parts import device_parts
from streamer.run.measurements import DeviceChange, Measurements
from streamer.stats.summary import statistics
from streamer.workers.clock import LEAST_SPIN_US, MOST_SPIN_US, SPIN_US, MonotonicClock


class Moving:
    """An engine that AUTO moves from one device to another."""

    execution_devices: tuple[str, ...] = ("CPU",)
    config_in_force: Mapping[str, str] = {}
    requests: tuple[Request, ...] = ()

    def read(self) -> None:
        pass

    def compile(self) -> None:
        pass

    def close(self) -> None:
        pass


def delivered(index: int, infer_us: int) -> FrameRecord:
    due = index * 10_000
    record = FrameRecord(0, index, due, due, due, 0, due, due, due, due + infer_us, due + infer_us)
    record.sink_start = record.written = due + infer_us
    record.outcome = Outcome.DELIVERED
    return record


def test_statistics_are_split_where_the_device_changed_and_the_whole_is_the_sum() -> None:
    now = 0
    engine = Moving()
    measured = Measurements(engine, lambda: now, closed_loop=False, ticks_us=[None])
    for index in range(200):
        now = index * 10_000
        if index == 120:
            engine.execution_devices = ("GPU.0",)
        measured.sample(0)
        record = delivered(index, 8_000 if index < 120 else 2_000)
        measured.watcher.opened(record)
        measured.watcher.detected(record)
        measured.watcher.closed(record)
    measured.finish(2_000_000)
    assert measured.device_changes == [DeviceChange(1_200_000, ("CPU",), ("GPU.0",))]
    first, second = device_parts(measured.device_changes, measured.tally, 2_000_000)
    assert (first["from_ms"], first["to_ms"], first["execution_devices"]) == (0, 1200, ["CPU"])
    assert (second["from_ms"], second["to_ms"], second["execution_devices"]) == (1200, 2000, ["GPU.0"])
    assert (first["infer_ms"]["n"], first["infer_ms"]["p50"]) == (120, 8.0)
    assert (second["infer_ms"]["n"], second["infer_ms"]["p50"]) == (80, 2.0)
    whole = statistics(measured.tally.whole()["infer"])
    assert (whole.n, whole["p50"], whole.mean) == (200, 8.0, 5.6)
    assert statistics(measured.tally.whole()["age"]).n == 199


def test_a_device_that_stays_gives_no_parts() -> None:
    measured = Measurements(Moving(), lambda: 0, closed_loop=True, ticks_us=[None])
    measured.sample(0)
    assert device_parts(measured.device_changes, measured.tally, 1_000_000) == []


def test_the_spin_grows_at_once_with_an_oversleep_and_shrinks_slowly() -> None:
    clock = MonotonicClock()
    assert clock.spin_us == SPIN_US
    clock._learn(3_000)
    assert clock.spin_us == 4_500
    clock._learn(100)
    assert 4_400 < clock.spin_us < 4_500
    for _ in range(1_000):
        clock._learn(100)
    assert clock.spin_us == LEAST_SPIN_US
    clock._learn(1_000_000)
    assert clock.spin_us == MOST_SPIN_US


def test_what_is_spun_is_a_quarter_of_the_time_between_two_instants_at_most() -> None:
    clock = MonotonicClock()
    clock.expect(30)
    assert clock.spin_us == SPIN_US
    clock.expect(16 * 30)
    assert clock.spin_us == 521
    clock._learn(5_000)
    assert clock.spin_us == 521
