"""The canary frame is inferred in the gaps between frames, and is not in the ledger."""

from __future__ import annotations

from streamer.ledger.record import Outcome
from tests.rig import Rig


def test_it_is_inferred_once_a_period_and_delays_no_frame() -> None:
    rig = Rig(services_s=(0.015,), frames=250, canary_every_us=1_000_000).run()
    assert len(rig.canary) == 10
    assert all(len(found) == 3 for found in rig.canary)
    assert rig.ledger.scheduled == 250
    assert {record.result_latency for record in rig.records} == {15_000}


def test_an_engine_that_is_never_idle_infers_it_all_the_same() -> None:
    rig = Rig(services_s=(0.061,), frames=250, canary_every_us=1_000_000).run()
    assert 9 <= len(rig.canary) <= 10
    assert rig.ledger.conserved


def test_an_engine_that_is_lost_at_the_canary_is_replaced_and_no_frame_fails() -> None:
    # All frames of the first half second come before the canary.
    rig = Rig(
        services_s=(0.01,), frames=60, canary_every_us=990_000, engine_lost_at=frozenset({14}), respawns=1
    ).run()
    assert rig.pipeline.failure is None
    assert len(rig.replacing.done) == 1
    assert rig.ledger.outcomes[Outcome.ENGINE_ERROR] == 0
