"""Priming: as many throw-away inferences as fit before a frame, in virtual time; and the planning alone."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

import streamer
from streamer.errors import EngineError, UsageError
from streamer.ledger.record import FrameRecord, Outcome
from streamer.pipeline.drop_policy import Policy
from streamer.pipeline.priming import CARE, COLD_GUESS, WAKING_US, WINDOW_US, Primer, PrimingTally, RunningFigure
from streamer.run.doubts import doubts
from streamer.run.measured_parts import priming_part
from streamer.schedule.arrivals import Bursty, Recorded
from streamer.settings.settings import Settings
from streamer.settings.video import Video
from tests import runs
from tests.facts import counted, observed
from tests.rig import Rig
from tests.runs import manifest
from tests.videos import write_video

WARM_US = 15_000
MARGIN_US = 1_000
"""The last throw-away inference ends a millisecond before its frame; stated here again, not read from the code."""
TEN = Fraction(10)
"""Frames a second, so that a frame is due every 100,000 microseconds."""


def slow(**more: object) -> Rig:
    """Ten frames a second for an engine of 15 ms, primed by default."""
    return Rig(**{"fps": TEN, "services_s": (WARM_US / 1e6,), "primed": True, **more}).run()  # type: ignore[arg-type]


def throw_away(rig: Rig) -> list[tuple[int, int]]:
    """The inferences that are no frame's."""
    real = {record.infer_start for record in rig.records}
    return [one for one in rig.inferences if one[0] not in real]


def before(rig: Rig, record: FrameRecord) -> list[tuple[int, int]]:
    """The throw-away inferences in the gap before a frame."""
    return [one for one in throw_away(rig) if record.scheduled - 100_000 < one[0] <= record.scheduled]


def test_the_gap_is_filled_with_as_many_as_fit_and_the_last_ends_a_millisecond_before_the_frame() -> None:
    rig = slow()
    for record in rig.records:
        ends = [end for _, end in before(rig, record)]
        assert all(end <= record.scheduled - MARGIN_US for end in ends)
    settled = rig.records[50:]
    for record in settled:
        # 84 ms of the 100 are idle.
        primes = before(rig, record)
        assert len(primes) == 5
        assert all(later[0] == earlier[1] for earlier, later in pairwise(primes))
        assert record.scheduled - MARGIN_US - primes[-1][1] < 300


def test_quick_inferences_fill_the_last_twenty_milliseconds() -> None:
    rig = Rig(fps=TEN, services_s=(0.002,), primed=True).run()
    primes = before(rig, rig.records[-1])
    due = rig.records[-1].scheduled
    assert due - WINDOW_US - MARGIN_US <= primes[0][0] < due - WINDOW_US + 2_000
    assert len(primes) in (9, 10)


def test_what_priming_did_is_counted() -> None:
    rig = slow()
    assert rig.primer is not None
    tally = rig.primer.tally
    assert tally.inferences == len(throw_away(rig)) == len(rig.inferences) - 100
    # The first frame is due a moment after the start.
    assert (tally.primed, tally.no_room) == (99, 1)
    assert (tally.delayed, tally.most_delay_us) == (0, 0)


def stamps(rig: Rig) -> list[tuple[object, ...]]:
    return [(r.frame, r.outcome, r.scheduled, r.infer_start, r.infer_end, r.detected, r.written) for r in rig.records]


def test_priming_changes_neither_outcomes_nor_when_frames_are_served() -> None:
    assert stamps(slow()) == stamps(slow(primed=False))


@pytest.mark.parametrize("policy", Policy)
def test_it_does_so_under_every_policy_and_with_a_slow_sink(policy: Policy) -> None:
    primed = slow(policy=policy, write_s=0.02, frames=30)
    assert stamps(primed) == stamps(slow(policy=policy, write_s=0.02, frames=30, primed=False))
    assert len(throw_away(primed)) > 60


def test_a_frame_that_an_inference_held_up_is_counted_with_how_long() -> None:
    undisturbed = slow()
    late = undisturbed.records[50]
    last = undisturbed.inferences.index(before(undisturbed, late)[-1])
    begun = undisturbed.inferences[last][0]
    rig = slow(services_s=(*[WARM_US / 1e6] * last, 0.06, WARM_US / 1e6))
    delay = begun + 60_000 - late.scheduled
    assert delay > 40_000
    assert rig.primer is not None
    assert (rig.primer.tally.delayed, rig.primer.tally.most_delay_us) == (1, delay)
    record = rig.records[50]
    assert record.outcome is Outcome.DELIVERED
    assert record.lateness == 0, "what priming held up is latency and no lateness of ours"
    assert (record.infer_start, record.result_latency) == (late.scheduled + delay, delay + WARM_US)
    assert rig.ledger.outcomes == {Outcome.DELIVERED: 100}


def test_after_a_long_one_the_plan_is_more_careful_and_finds_back() -> None:
    undisturbed = slow()
    last = undisturbed.inferences.index(before(undisturbed, undisturbed.records[50])[-1])
    rig = slow(services_s=(*[WARM_US / 1e6] * last, 0.06, WARM_US / 1e6))
    assert len(before(rig, rig.records[51])) < 5
    assert len(before(rig, rig.records[-1])) == 5


@pytest.mark.parametrize(
    ("fps", "service_s"), [(Fraction(50), 0.015), (Fraction(25), 0.061), (Fraction(30), 0.03)], ids=str
)
def test_where_there_is_no_room_nothing_is_thrown_away(fps: Fraction, service_s: float) -> None:
    rig = Rig(fps=fps, services_s=(service_s,), primed=True).run()
    assert throw_away(rig) == []
    assert rig.primer is not None
    assert rig.primer.tally == PrimingTally(no_room=100)
    assert stamps(rig) == stamps(Rig(fps=fps, services_s=(service_s,)).run())


def test_a_closed_loop_has_no_gap_to_prime_in() -> None:
    rig = slow(fps="max", policy=Policy.WAIT)
    assert throw_away(rig) == []
    assert rig.primer is not None
    assert rig.primer.tally == PrimingTally()


def test_nothing_is_thrown_away_after_the_last_frame_or_the_end() -> None:
    whole = slow(frames=10)
    assert whole.inferences[-1][0] == whole.records[-1].infer_start
    stopped = slow(stop_at_us=510_000)
    assert stopped.inferences[-1][1] < 530_000


def test_an_engine_that_fails_while_it_is_primed_ends_the_run_and_every_frame_has_an_outcome() -> None:
    undisturbed = slow()
    failing = undisturbed.inferences.index(before(undisturbed, undisturbed.records[7])[1])
    rig = slow(engine_fails_at=failing)
    assert isinstance(rig.pipeline.failure, EngineError)
    assert str(rig.pipeline.failure) == "the engine failed while it was primed: the engine broke"
    assert rig.ledger.outcomes == {Outcome.DELIVERED: 7}
    assert rig.ledger.conserved


def test_frames_that_cannot_be_decoded_do_not_upset_it() -> None:
    rig = slow(broken=frozenset({0, 4, 5, 99}))
    assert rig.ledger.outcomes == {Outcome.DELIVERED: 96, Outcome.DECODE_ERROR: 4}
    assert len(throw_away(rig)) > 200


def test_one_of_several_requests_is_primed_and_no_frame_waits_for_it() -> None:
    rig = slow(requests=3)
    assert len(before(rig, rig.records[-1])) == 5
    assert {record.result_latency for record in rig.records} == {WARM_US}


def test_a_running_figure_counts_a_long_duration_as_twice_the_mean_at_most() -> None:
    figure = RunningFigure(1_000)
    assert (figure.mean, figure.deviation) == (1_000, 125)
    figure.learn(60_000_000)
    assert figure.mean == 1_125
    assert figure.deviation < 250


def test_a_running_figure_follows_the_durations_and_narrows_while_nothing_changes() -> None:
    figure = RunningFigure(1_000)
    for _ in range(100):
        figure.learn(3_000)
    assert figure.mean == pytest.approx(3_000, rel=0.01)
    assert figure.deviation < 10
    for _ in range(50):
        for us in (2_000, 4_000):
            figure.learn(us)
    assert figure.deviation == pytest.approx(1_000, rel=0.2)


@dataclass
class ByHand:
    """Time that passes as inferences take it."""

    now_us: int = 0

    def stamp(self) -> int:
        return self.now_us

    def infer(self, durations: Iterable[int]) -> Callable[[], None]:
        each = iter(durations)

        def infer() -> None:
            self.now_us += next(each)

        return infer


def test_a_frame_is_not_primed_when_not_even_a_cold_inference_fits() -> None:
    primer = Primer(10_000, ByHand().stamp)
    cold_us = COLD_GUESS * 10_000
    # A deviation is assumed to be an eighth at first.
    least = MARGIN_US + WAKING_US + round(CARE * 10_000 / 8 + cold_us)
    assert primer.begin_us(least, 1) is None
    assert primer.begin_us(least, 0) == 0
    assert primer.begin_us(least + 1_000, 0) == 1_000, "it begins as late as may be"


def test_priming_that_comes_too_late_does_nothing_and_says_so() -> None:
    time = ByHand(now_us=95_000)
    primer = Primer(10_000, time.stamp)
    primer.prime(time.infer([]), 100_000)
    assert primer.tally == PrimingTally(no_room=1, cpu_s=primer.tally.cpu_s)


def delayed_by(primer: Primer, time: ByHand, due: int, us: int) -> int:
    """Primes for a frame, the last inference taking so long; returns how long before the frame it was to begin."""
    begin = primer.begin_us(due, due - 80_000)
    assert begin is not None
    time.now_us = begin
    primer.prime(time.infer([us] * 20), due)
    return due - begin


def test_a_frame_that_was_delayed_makes_the_plan_more_careful_and_the_others_less_again() -> None:
    time = ByHand()
    primer = Primer(10_000, time.stamp)
    dues = iter(range(100_000, 1_000_000_000, 100_000))
    uneven = [8_000, 12_000]

    def reserve() -> int:
        for _ in range(40):
            begin = primer.begin_us(due := next(dues), due - 80_000)
            assert begin is not None
            time.now_us = begin
            primer.prime(time.infer(uneven * 10), due)
        return due - time.now_us

    careful = reserve()
    delayed_by(primer, time, next(dues), 90_000)
    assert primer.tally.delayed == 1
    assert reserve() > careful


def test_uneven_inferences_are_planned_with_more_room_than_even_ones() -> None:
    begins = []
    for durations in ([10_000] * 400, [6_000, 14_000] * 200):
        time = ByHand()
        primer = Primer(10_000, time.stamp)
        infer = time.infer(durations)
        for due in range(100_000, 5_000_000, 100_000):
            begin = primer.begin_us(due, due - 80_000)
            assert begin is not None
            time.now_us = begin
            primer.prime(infer, due)
        assert primer.tally.delayed == 0
        begins.append(primer.tally.inferences)
    even, uneven = begins
    assert uneven < even


def test_its_doubts_name_what_it_delayed_and_that_it_found_nothing_to_do() -> None:
    def doubts_of(tally: PrimingTally) -> list[str]:
        return doubts(counted(observed(priming=priming_part(tally)), frames=Counter(scheduled=100, delivered=100)))

    assert doubts_of(PrimingTally(inferences=400, primed=100)) == []
    (idle,) = doubts_of(PrimingTally(no_room=100))
    assert idle.startswith("nothing was primed")
    (delayed,) = doubts_of(PrimingTally(400, 100, 0, 3, 4_200))
    assert delayed.startswith("priming delayed 3 of 100 frames, by 4.2 ms at most")


SIMULATED: dict[str, dict[str, object]] = {
    "bursty": {"arrivals": Bursty()},
    "recorded": {"arrivals": Recorded("times.csv", array("q", [100_000 * number for number in range(60)]))},
    "jitter": {"faults": ({"kind": "jitter", "frame": 30, "frames": 10, "ms": 20},)},
}


@pytest.mark.parametrize("kind", SIMULATED.values(), ids=SIMULATED.keys())
def test_nothing_is_primed_before_a_simulated_arrival_which_no_camera_announces(kind: dict[str, object]) -> None:
    rig = slow(frames=60, **kind)
    assert rig.primer is not None
    assert rig.primer.tally == PrimingTally(), "as with a live source, which has the same doubt"
    assert throw_away(rig) == []
    assert stamps(rig) == stamps(slow(frames=60, primed=False, **kind))
    (doubt,) = doubts(observed(priming=priming_part(rig.primer.tally)))
    assert doubt.startswith("nothing was primed")
    assert "simulated arrivals" in doubt


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A second of ten frames."""
    return write_video(tmp_path / "clip.mp4", 10, rate=TEN)


@pytest.mark.timing
def test_a_primed_run_reports_its_costs(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    options = ("--engine", "null,delay_ms=2,prime=on", "--model", str(tiny_model), "--out", "run", "--video", "none")
    done = runs.streamer("replay", clip, *options, cwd=tmp_path)
    assert done.code == 0
    priming = manifest(tmp_path / "run")["priming"]
    assert set(priming) == {
        *("inferences", "frames_primed", "frames_without_room", "cpu_s", "cpu_ms_per_primed_frame"),
        *("frames_delayed", "most_delay_ms"),
    }
    assert priming["inferences"] >= priming["frames_primed"] > 0
    assert priming["frames_primed"] + priming["frames_without_room"] == 10
    text = done.out
    assert f"primed  {priming['frames_primed']} frames by {priming['inferences']} throw-away inferences" in text
    assert f"{priming['frames_delayed']} delayed" in text
    assert manifest(tmp_path / "run")["engine"]["config_requested"]["prime"] is True


def test_a_run_that_is_not_primed_says_nothing_of_priming(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    settings = Settings(
        engine="null", model=str(tiny_model), fps=500, video=Video.NONE, chart=False, out=tmp_path / "run"
    )
    assert streamer.replay(clip, settings).manifest["priming"] is None


def test_without_a_queue_priming_would_lose_frames_and_is_refused(
    clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    settings = Settings(engine="null,prime=on", model=str(tiny_model), queue=0, out=tmp_path / "run")
    with pytest.raises(UsageError, match=r"^queue 0 with prime=on: .*; use queue 1$"):
        streamer.replay(clip, settings)
    assert not (tmp_path / "run").exists()
