"""Random plans of faults in virtual time: the conservation law holds, and none hangs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.faults.kinds import KINDS, Kind
from streamer.pipeline.drop_policy import Policy
from tests.rig import Rig

STALL_US = 1_000_000
RATE = Fraction(25)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "for": st.sampled_from(["30ms", "400ms", "900ms", "3s"]),
    "frames": st.integers(1, 30),
    "ms": st.sampled_from([1, 25, 300, 2_500]),
    "kb": st.just(1),
    "size": st.sampled_from(["2x2", "1x3"]),
}
VIRTUAL = [kind for kind in Kind if kind not in (Kind.DISK_FULL, Kind.STOP, Kind.HOG)]


@st.composite
def faults(draw: st.DrawFn, streams: int, respawns: int, closed_loop: bool) -> dict[str, Any]:
    """A fault that can be injected into such a run."""
    impossible = {Kind.ENGINE_KILL} if not respawns else set()
    impossible |= {Kind.BURST, Kind.JITTER} if closed_loop else set()
    kind = draw(st.sampled_from([kind for kind in VIRTUAL if kind not in impossible]))
    when = draw(st.one_of(st.integers(1, 70), st.integers(1, 2_500)))
    return {
        "kind": kind.value,
        **({"frame": when} if when <= 70 else {"at": f"{when}ms"}),
        "stream": draw(st.integers(0, streams - 1)),
        **{key: draw(VALUES[key]) for key in KINDS[kind].needs},
    }


@st.composite
def rigs(draw: st.DrawFn) -> Rig:
    """A run with random streams, requests, policy and faults."""
    closed_loop = draw(st.booleans()) and draw(st.booleans())
    streams = 1 if closed_loop else draw(st.integers(1, 3))
    respawns = draw(st.sampled_from([0, 0, 1, 2]))
    return Rig(
        fps="max" if closed_loop else RATE,
        frames=60,
        policy=Policy.WAIT if closed_loop else draw(st.sampled_from(Policy)),
        queue=draw(st.integers(0, 3)),
        streams=streams,
        requests=1 if respawns else draw(st.integers(1, 3)),
        services_s=(draw(st.sampled_from([0.001, 0.03, 0.09])),),
        write_s=draw(st.sampled_from([0, 0.02])),
        decode_s=draw(st.sampled_from([0, 0.002])),
        shows_dropped=draw(st.booleans()),
        stall_us=STALL_US,
        respawns=respawns,
        faults=draw(st.lists(faults(streams, respawns, closed_loop), min_size=1, max_size=6)),
    )


@pytest.mark.slow
@settings(max_examples=100)
@given(rigs())
def test_every_frame_has_its_outcome_and_no_run_hangs(rig: Rig) -> None:
    rig.run()
    assert rig.ledger.conserved
    assert rig.ledger.scheduled == len(rig.records) == len({(one.stream, one.frame) for one in rig.records})
    played_us = 60 * 3 * (90_000 + 20_000 + 40_000 + 2_000)
    # A frame that is held for longer is given up by the watchdog, at the next of its looks.
    held_us = sum(part["befallen"] or 0 for part in rig.injected.part()) * (STALL_US + STALL_US // 5)
    assert rig.ended_us <= played_us + held_us + rig.respawns * 500_000
