"""Doubts about a run's figures: each a sentence with a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamer.engines.config import PRECISION
from streamer.ledger.ledger import Ledger
from streamer.ledger.record import Outcome
from streamer.machine.contention import OTHERS_CORES, STOLEN_CORES, Witness
from streamer.machine.info import Machine
from streamer.pipeline.engine_restart import Replacement
from streamer.pipeline.pipeline import Pipeline
from streamer.pipeline.priming import PrimingTally
from streamer.run.measurements import DeviceChange
from streamer.stats.percentiles import PERCENTILES, frames_needed, spoken
from streamer.stats.steadiness import Window, agree
from streamer.stats.summary import Statistics

WORTH_TELLING = "p95"
DELAYED_SHARE = 0.005
"""From this share of frames on that priming delays, it harms the tail that it is not to touch."""
LATENESS_SHARE = 0.1
"""From this share of the latency on, our own lateness blurs it."""


def of_the_pipeline(pipeline: Pipeline, ledger: Ledger) -> list[str]:
    """What the run could not do as it should."""
    found = []
    if pipeline.ungated > ledger.scheduled / 100:
        found.append(
            f"the engine left no gap to decode in: {pipeline.ungated} of {ledger.scheduled} frames were decoded "
            "while another was being measured, which costs inference 5 to 10 % on two cores"
        )
    if pipeline.undrawn:
        found.append(f"{pipeline.undrawn} dropped frames are not in the video: too many waited for their place")
    dropped, delivered = ledger.outcomes[Outcome.DROPPED], ledger.outcomes[Outcome.DELIVERED]
    if dropped > delivered:
        found.append(f"more frames were dropped than delivered: {dropped} and {delivered}")
    return found


def of_gaps(gaps: Mapping[str, Any] | None) -> list[str]:
    """Stretches in which a live source gave no frame."""
    if not gaps or not gaps["count"]:
        return []
    said = "1 gap" if gaps["count"] == 1 else f"{gaps['count']} gaps"
    return [
        f"there was no signal for {gaps['total_s']:.1f} s, in {said}: ages are those of a camera that was away, too"
    ]


def of_replacements(replacements: Sequence[Replacement]) -> list[str]:
    """Engines that were lost and replaced."""
    return [
        f"the engine was replaced at {one.at_us / 1e6:.1f} s, which took {(one.back_us - one.at_us) / 1e6:.1f} s: "
        f"{one.why}"
        for one in replacements
    ]


def of_the_figures(figures: Mapping[str, Statistics], until: str | None) -> list[str]:
    """Too few frames, and a lateness of our own that is too large."""
    found = []
    latency, lateness = figures["latency"], figures["lateness"]
    wanted = WORTH_TELLING if until is None else until
    if latency[wanted] is None:
        found.append(
            f"too few frames: {spoken(wanted)} needs {frames_needed(PERCENTILES[wanted]):,}, the run has "
            f"{latency.n:,}; play a longer source, or add --loop --until {spoken(wanted)}"
        )
    for name in ("p99", "p95", "p50"):
        late, whole = lateness[name], latency["p50"]
        if late is None or whole is None:
            continue
        if late > LATENESS_SHARE * whole:
            found.append(
                f"frames left late: lateness {name} is {late:.3f} ms, {late / whole:.0%} of the median latency; "
                "the machine is too busy, or too slow for this rate"
            )
        break
    return found


def of_steadiness(length_s: int, windows: Sequence[Window]) -> list[str]:
    """Windows that do not agree."""
    if not windows:
        return []
    found = []
    rates, latencies = [one.rate for one in windows], [one.latency_ms for one in windows]
    for name, values, unit in (("rates", rates, "frames a second"), ("median latencies", latencies, "ms")):
        if not agree(values):
            listed = ", ".join(f"{value:.1f}" for value in values)
            found.append(f"not steady: the {name} of the last three windows of {length_s} s are {listed} {unit}")
    return found


def of_priming(tally: PrimingTally, scheduled: int) -> list[str]:
    """Priming that found no room, or was in the way."""
    found = []
    if not tally.primed:
        found.append(
            "nothing was primed: there was no idle gap that the schedule tells of (a closed loop and a live source "
            "have none, and a busy engine leaves none)"
        )
    if tally.delayed > DELAYED_SHARE * scheduled:
        found.append(
            f"priming delayed {tally.delayed} of {scheduled} frames, by {tally.most_delay_us / 1000:.1f} ms at most: "
            "inferences here take too unevenly long to be planned"
        )
    return found


def of_the_machine(machine: Machine, witness: Witness, load_cores: float = 0.0) -> list[str]:
    """A quota, a governor, others on the machine than a load, which was asked for and took ``load_cores``."""
    found = []
    cores = machine.usable_cores
    if machine.cpu_quota is not None and machine.cpu_quota < machine.cores:
        found.append(
            f"a quota allows {machine.cpu_quota:g} of {machine.cores} cores: frames stall when it is used up"
        )
    if machine.governor not in (None, "performance"):
        found.append(f"the CPU governor is {machine.governor}: {cores} cores slow down while frames are awaited")
    if (others := witness.others_cores - load_cores) >= OTHERS_CORES:
        found.append(f"other processes took {others:.2f} of {cores} cores during the run")
    if witness.stolen_cores >= STOLEN_CORES:
        found.append(f"the hypervisor took {witness.stolen_cores:.2f} of {cores} cores during the run")
    if witness.throttled:
        found.append(f"the CPU was throttled {witness.throttled} times during the run")
    return found


def of_the_engine(
    requested: Mapping[str, str], in_force: Mapping[str, str], changes: Sequence[DeviceChange]
) -> list[str]:
    """A precision that was not asked for, and devices that changed."""
    found = []
    asked, got = requested.get(PRECISION), in_force.get(PRECISION)
    if asked is not None and got is not None and asked != got:
        found.append(f"precision in force is {got}, asked for was {asked}")
    found.extend(
        f"{', '.join(change.before)} handed over to {', '.join(change.after)} after {change.at_us / 1e6:.1f} s: "
        "run.json has statistics of each part"
        for change in changes
    )
    return found
