"""The golden frame is looked at in the gaps between frames, and leaves the ledger alone."""

from __future__ import annotations

from streamer.ledger.record import Outcome
from tests.rig import Rig


def test_it_is_looked_at_once_a_period_in_gaps_that_no_frame_pays_for() -> None:
    rig = Rig(services_s=(0.015,), frames=250, canary_every_us=1_000_000).run()
    assert len(rig.canary) == 10
    assert all(len(found) == 3 for found in rig.canary)
    assert rig.ledger.scheduled == 250
    assert {record.result_latency for record in rig.records} == {15_000}


def test_an_engine_that_is_never_idle_looks_at_it_all_the_same() -> None:
    rig = Rig(services_s=(0.061,), frames=250, canary_every_us=1_000_000).run()
    assert 9 <= len(rig.canary) <= 10
    assert rig.ledger.conserved


def test_an_engine_that_is_lost_while_it_looks_is_replaced_and_no_frame_has_failed() -> None:
    # Of the first half second all frames come before the golden one.
    rig = Rig(
        services_s=(0.01,), frames=60, canary_every_us=990_000, engine_lost_at=frozenset({14}), respawns=1
    ).run()
    assert rig.pipeline.failure is None
    assert len(rig.replacing.done) == 1
    assert rig.ledger.outcomes[Outcome.ENGINE_ERROR] == 0
