"""The facts of a calm run, about which nothing is to be doubted, and of runs that differ from it in one thing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, cast

from streamer.machine.info import Machine
from streamer.run.facts import Contention, Facts, Observed, Totals
from streamer.run.measured_parts import UNKNOWN_RESOURCES
from streamer.run.setup import Setup
from streamer.stats.backlog import Backlog
from streamer.stats.distribution import Distribution
from streamer.stats.summary import FIGURES, Statistics, statistics

MACHINE = Machine(
    cpu="a CPU", cores=4, usable_cores=4, cpu_quota=None, governor=None, memory_mb=None, load=None, system="",
    python="",
)  # fmt: skip


def figures(n: int, *, latency_us: int = 10_000, lateness_us: int = 5) -> dict[str, Statistics]:
    """Figures of so many frames, that all took the same time."""
    found = {}
    for name in FIGURES:
        values = Distribution()
        for _ in range(n):
            values.add(lateness_us if name == "lateness" else latency_us)
        found[name] = statistics(values)
    return found


CALM = Facts(
    setup=cast(
        Setup,
        {
            "run": {"until": None, "slo": None, "closed_loop": False, "schedule": "fps", "fps": "30"},
            "engine": {"config_requested": {}, "config_in_force": {}},
            "machine": MACHINE.as_dict(),
            "streams": [{"fps": "30"}],
        },
    ),
    totals=Totals(
        frames={"scheduled": 1000, "delivered": 1000, "dropped": 0},
        drop_reasons={},
        decode_errors={"reasons": [], "others": 0},
        objects=3000,
        of_streams=Counter(),
        conserved=True,
        figures=figures(1000),
        exact=True,
        window_s=5,
        windows=(),
        backlog=Backlog(),
    ),
    duration_us=33_000_000,
    error=None,
    stopped_by=None,
    raised=(),
    outages=None,
    replacements=(),
    segments=None,
    study=None,
    rounds=None,
    observed=Observed(
        device_changes=(),
        device_parts=(),
        tail=None,
        priming=None,
        stalls=(),
        resources=UNKNOWN_RESOURCES,
        contention=Contention(0.0, 0.0, 0),
        ungated=0,
        undrawn=0,
        held=0,
        load_cores=0.0,
        load_doubts=(),
        fault_doubts=(),
        faults_missed=(),
    ),
    repaired=None,
)


def observed(facts: Facts = CALM, **changes: Any) -> Facts:
    """The facts of a run that was observed otherwise."""
    assert facts.observed is not None
    return replace(facts, observed=replace(facts.observed, **changes))


def counted(facts: Facts = CALM, **changes: Any) -> Facts:
    """The facts of a run whose rows come to something else."""
    return replace(facts, totals=replace(facts.totals, **changes))


def set_up(facts: Facts = CALM, **changes: Any) -> Facts:
    """The facts of a run that was set up otherwise: with other parts of the manifest, as far as doubts need them."""
    return replace(facts, setup=cast(Setup, {**facts.setup, **changes}))
