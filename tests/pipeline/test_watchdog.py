"""A stage that hangs is named, its frames get their outcome, and the run ends with everything written."""

from __future__ import annotations

import pytest

from streamer.errors import EngineError, SinkError, SourceError
from streamer.ledger.record import Outcome
from streamer.pipeline.drop_policy import Policy
from streamer.workers.threads import Stage
from tests.rig import FOR_EVER_S, Rig

LONGEST_US = 5_000_000 + 5_000_000 // 5
"""The stall, and until the watchdog looks."""


def test_an_engine_that_hangs_ends_the_run_with_its_frame_in_error_and_the_others_accounted_for() -> None:
    rig = Rig(services_s=(0.01, 0.01, FOR_EVER_S), frames=1000).run()
    assert isinstance(rig.pipeline.failure, EngineError)
    assert "the engine is stuck" in str(rig.pipeline.failure)
    assert "--stall" in str(rig.pipeline.failure)
    (hung,) = [record for record in rig.records if record.outcome is Outcome.ENGINE_ERROR]
    assert hung.frame == 2
    assert rig.ledger.outcomes[Outcome.DELIVERED] == 2
    assert rig.ledger.outcomes[Outcome.ABANDONED] >= 1
    assert rig.ledger.conserved
    assert rig.ended_us - hung.scheduled <= LONGEST_US
    assert [stall.stage for stall in rig.watchdog.stalls] == [Stage.ENGINE]


def test_a_sink_that_hangs_ends_the_run_and_holds_no_request_back() -> None:
    rig = Rig(services_s=(0.01,), frames=1000, sink_hangs_at=3, requests=2).run()
    assert isinstance(rig.pipeline.failure, SinkError)
    assert rig.ledger.outcomes[Outcome.SINK_ERROR] == 1
    assert rig.ledger.conserved
    assert rig.ended_us <= 120_000 + 10_000 + LONGEST_US


@pytest.mark.parametrize("policy", [Policy.DROP_OLDEST, Policy.WAIT])
def test_a_source_that_hangs_ends_the_run_and_the_frames_that_were_due_are_abandoned(policy: Policy) -> None:
    rig = Rig(services_s=(0.01,), frames=1000, source_hangs_at=10, policy=policy).run()
    assert isinstance(rig.pipeline.failure, SourceError)
    assert rig.ledger.outcomes[Outcome.DELIVERED] == 7  # three more were decoded ahead when it hung
    assert rig.ledger.outcomes[Outcome.ABANDONED] > 100
    assert rig.ledger.conserved


def test_when_all_requests_hang_each_is_given_up() -> None:
    rig = Rig(services_s=(FOR_EVER_S,), requests=3, frames=1000).run()
    assert rig.ledger.outcomes[Outcome.ENGINE_ERROR] == 3
    assert [stall.stage for stall in rig.watchdog.stalls] == [Stage.ENGINE] * 3
    assert rig.ledger.conserved
    assert rig.ended_us <= 3 * LONGEST_US


def test_an_engine_that_is_only_slow_is_not_mistaken_for_one_that_hangs() -> None:
    rig = Rig(services_s=(4.9,), frames=500).run()
    assert rig.pipeline.failure is None
    assert rig.watchdog.stalls == []
